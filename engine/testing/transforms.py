"""Changes to a problem that must not change what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from engine.gains.model import GainModel
from engine.gains.pair_mean import PairMeanModel
from engine.gains.separable import PairSumModel
from engine.gains.tabulated import TabulatedModel
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.constraints import Floor
from engine.problem.extension import ExtendedObjective
from engine.problem.lattice import LatticeProblem
from engine.problem.objectives import Objective
from engine.problem.table import Problem
from engine.testing.random_problems import PricedGain

T = TypeVar("T")
AnyProblem = TypeVar("AnyProblem", Problem, LatticeProblem)


def renamed(problem: AnyProblem, names: Mapping[str, str]) -> AnyProblem:
    """Return the problem with other task names.

    Parameters
    ----------
    problem
        Any problem whose demands keep task names in ``tasks``, ``group`` or ``weights``.
    names
        The new name of each task.
    """

    def other(gains: GainTensor) -> GainTensor:
        return replace(gains, tasks=tuple(names[name] for name in gains.tasks))

    def change(part: T) -> T:
        return _renamed(part, names)

    return _changed(problem, other, change, change, change)


def _renamed(part: T, names: Mapping[str, str]) -> T:
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed: dict[str, Any] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in ("tasks", "group") and value is not None:
            changed[field.name] = tuple(names[name] for name in value)
        elif field.name == "weights":
            changed[field.name] = {names[name]: weight for name, weight in value.items()}
    return replace(part, **changed) if changed else part


def reordered(problem: AnyProblem, rng: np.random.Generator) -> AnyProblem:
    """Return the problem with its tasks, and the groups of a tensor, in another order.

    Parameters
    ----------
    problem
        Any problem; over a lattice, with a model of the engine.
    rng
        Decides the order.
    """
    columns = rng.permutation(len(problem.tasks))

    def other(gains: GainTensor) -> GainTensor:
        rows = rng.permutation(gains.n_groups)
        grid = np.ix_(rows, columns)
        return GainTensor.from_dense(
            [gains.tasks[column] for column in columns],
            gains.membership[grid],
            gains.gains[grid],
            std=None if gains.std is None else gains.dense(gains.std)[grid],
            cost=gains.cost[rows],
            measured=gains.measured[rows],
            quantity=gains.quantity,
            single_task_baseline=gains.single_task_baseline,
        )

    def model(given: GainModel) -> GainModel:
        tasks = tuple(given.tasks[column] for column in columns)
        return _by_arrays(given, lambda array: array[np.ix_(*[columns] * array.ndim)], tasks)

    return _changed(problem, other, model, _same, _same)


def scaled(problem: AnyProblem, factor: float) -> AnyProblem:
    """Return the problem with all values, floors and prices multiplied by a positive factor.

    Parameters
    ----------
    problem
        Any problem with a built-in objective, possibly with extra terms; over a lattice, with a model
        of the engine.
    factor
        Above 0.
    """

    def other(gains: GainTensor) -> GainTensor:
        std = None if gains.std is None else gains.std * factor
        return replace(gains, values=gains.values * factor, std=std)

    def model(given: GainModel) -> GainModel:
        return _by_arrays(given, lambda array: array * factor, given.tasks)

    def objective(given: Objective) -> Objective:
        if isinstance(given, ExtendedObjective):
            return replace(
                given,
                base=objective(given.base),
                build=lambda block, decisions: factor * given.build(block, decisions),
                value=lambda grouping: factor * given.value(grouping),
            )
        return replace(given, price=given.price * factor) if isinstance(given, PricedGain) else given

    def constraint(given: Constraint) -> Constraint:
        return replace(given, value=given.value * factor) if isinstance(given, Floor) else given

    return _changed(problem, other, model, objective, constraint)


def _same(part: T) -> T:
    return part


def _by_arrays(
    model: GainModel, change: Callable[[NDArray[np.float64]], NDArray[np.float64]], tasks: tuple[str, ...]
) -> GainModel:
    """Return a model made of pairs with its arrays changed."""
    if isinstance(model, PairMeanModel):
        return replace(model, tasks=tasks, pairs=change(model.pairs), singles=change(model.singles))
    given = cast("PairSumModel", model)
    return replace(
        given,
        tasks=tasks,
        pairs=change(given.pairs),
        singles=change(given.singles),
        offsets=change(given.offsets),
    )


def _changed(
    problem: AnyProblem,
    gains: Callable[[GainTensor], GainTensor],
    model: Callable[[GainModel], GainModel],
    objective: Callable[[Objective], Objective],
    constraint: Callable[[Constraint], Constraint],
) -> AnyProblem:
    parts: dict[str, Any] = {
        "objective": objective(problem.objective),
        "constraints": tuple(constraint(one) for one in problem.constraints),
    }
    if isinstance(problem, Problem):
        return replace(problem, gains=gains(problem.gains), **parts)
    given = problem.model
    changed = TabulatedModel(gains(given.gains)) if isinstance(given, TabulatedModel) else model(given)
    return replace(problem, model=changed, **parts)
