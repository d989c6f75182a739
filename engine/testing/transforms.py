"""Changes to a problem that must not change what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from engine.constraints import Floor
from engine.gains import GainTensor
from engine.problem import Problem
from engine.testing.random_problems import PricedGain

T = TypeVar("T")


def renamed(problem: Problem, names: Mapping[str, str]) -> Problem:
    """Return the problem with other task names.

    Parameters
    ----------
    problem
        Any problem whose demands keep task names in ``tasks``, ``group`` or ``weights``.
    names
        The new name of each task.
    """
    gains = problem.gains
    return replace(
        problem,
        gains=replace(gains, tasks=tuple(names[name] for name in gains.tasks)),
        objective=_renamed(problem.objective, names),
        constraints=tuple(_renamed(one, names) for one in problem.constraints),
    )


def _renamed(part: T, names: Mapping[str, str]) -> T:
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed: dict[str, Any] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in ("tasks", "group") and value is not None:
            changed[field.name] = [names[name] for name in value]
        elif field.name == "weights":
            changed[field.name] = {names[name]: weight for name, weight in value.items()}
    return replace(part, **changed) if changed else part


def reordered(problem: Problem, rng: np.random.Generator) -> Problem:
    """Return the problem with its tasks and groups in another order.

    Parameters
    ----------
    problem
        Any problem.
    rng
        Decides the order.
    """
    gains = problem.gains
    rows, columns = rng.permutation(gains.n_groups), rng.permutation(gains.n_tasks)
    grid = np.ix_(rows, columns)
    shuffled = GainTensor.from_dense(
        [gains.tasks[column] for column in columns],
        gains.membership[grid],
        gains.gains[grid],
        std=None if gains.std is None else gains.dense(gains.std)[grid],
        cost=gains.cost[rows],
        measured=gains.measured[rows],
        quantity=gains.quantity,
        single_task_baseline=gains.single_task_baseline,
    )
    return replace(problem, gains=shuffled)


def scaled(problem: Problem, factor: float) -> Problem:
    """Return the problem with all values, floors and prices multiplied by a positive factor.

    Parameters
    ----------
    problem
        Any problem with a built-in objective.
    factor
        Above 0.
    """
    gains, objective = problem.gains, problem.objective
    if isinstance(objective, PricedGain):
        objective = replace(objective, price=objective.price * factor)
    return replace(
        problem,
        gains=replace(
            gains, values=gains.values * factor, std=None if gains.std is None else gains.std * factor
        ),
        objective=objective,
        constraints=tuple(
            replace(one, value=one.value * factor) if isinstance(one, Floor) else one
            for one in problem.constraints
        ),
    )
