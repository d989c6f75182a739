"""The referee: values and feasibility recomputed from the problem, sharing no code with a solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.problem.constraint import Constraint, Grouping
from engine.problem.extension import ExtendedObjective
from engine.problem.objectives import SetFunction
from engine.problem.table import Problem


@dataclass(frozen=True)
class Verdict:
    """What the referee found.

    Attributes
    ----------
    value
        The objective in its own unit and sense, None where a task is unserved.
    serving
        The serving row of each task.
    task_values
        The tensor's value of each task in the group that serves it.
    problems
        Every broken demand, in words; empty for a feasible grouping.
    """

    value: float | None
    serving: Mapping[str, int]
    task_values: Mapping[str, float]
    problems: tuple[str, ...]


def referee(problem: Problem, rows: Sequence[int] | NDArray[np.int64]) -> Verdict:
    """Judge a choice of groups.

    Each task is served by the chosen group where the objective values it most; ties fall to the
    first row. Sums are exact (``math.fsum``).

    Parameters
    ----------
    problem
        The problem.
    rows
        Tensor rows of the chosen groups.
    """
    gains, objective = problem.gains, problem.objective
    chosen = [int(row) for row in rows]
    problems: list[str] = []
    if len(set(chosen)) != len(chosen):
        problems.append("a group is chosen twice")
        chosen = list(dict.fromkeys(chosen))
    coefficients, opening = problem.coefficients
    upward = 1.0 if objective.sense == "maximize" else -1.0

    strict = [one for one in problem.constraints if type(one).may_serve is not Constraint.may_serve]
    serving: dict[str, int] = {}
    best: dict[str, float] = {}
    values: dict[str, float] = {}
    for row in sorted(chosen):
        entries = gains.row(row)
        for task, worth, value in zip(
            gains.group(row), coefficients[entries].tolist(), gains.values[entries].tolist(), strict=True
        ):
            if task in best and upward * worth <= upward * best[task]:
                continue
            if all(one.may_serve(task, value, gains.quantity) for one in strict):
                serving[task], best[task], values[task] = row, worth, value

    unserved = [name for name in gains.tasks if name not in serving]
    if unserved:
        problems.append(f"no chosen group serves {', '.join(unserved[:5])}")
    grouping = Grouping(
        groups=tuple(frozenset(gains.group(row)) for row in chosen),
        costs=tuple(float(gains.cost[row]) for row in chosen),
        serving={name: chosen.index(row) for name, row in serving.items()},
        values=values,
        quantity=gains.quantity,
    )
    for constraint in problem.constraints:
        violation = constraint.violation(grouping)
        if violation is not None:
            problems.append(violation)

    total: float | None = None
    if not unserved:
        if isinstance(objective, SetFunction):
            total = float(objective.function([gains.group(row) for row in sorted(chosen)]))
        else:
            served = list(best.values())
            worst = min if objective.sense == "maximize" else max
            total = worst(served) if objective.aggregate == "min" else math.fsum(served)
            total += math.fsum(opening[row] for row in chosen)
            if isinstance(objective, ExtendedObjective):
                total += objective.extra(grouping)
    ordered = {name: serving[name] for name in gains.tasks if name in serving}
    return Verdict(total, ordered, {name: values[name] for name in ordered}, tuple(problems))
