"""The referee: values and feasibility recomputed from the problem, sharing no code with a solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint, Grouping
from engine.problem.extension import ExtendedObjective
from engine.problem.objectives import SetFunction
from engine.problem.table import Problem
from engine.solving.solution import Solution


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


@dataclass(frozen=True)
class Scores:
    """Serving decisions scored on other gains than those they were chosen by.

    Attributes
    ----------
    task_values
        The value of each task on the evaluation split.
    split, source
        Where the values come from.
    optimism
        Mean over tasks of the promised value minus the realised one; turned for losses, so that
        positive always means a promise not kept.
    measured
        Whether the value of each task was measured, not predicted.
    """

    task_values: Mapping[str, float]
    split: str
    source: str
    optimism: float
    measured: Mapping[str, bool]

    @property
    def total(self) -> float:
        """Sum over tasks."""
        return math.fsum(self.task_values.values())

    @property
    def mean(self) -> float:
        """Mean over tasks."""
        return self.total / len(self.task_values)

    @property
    def predicted(self) -> int:
        """How many of the values are predictions."""
        return sum(not one for one in self.measured.values())


def score(solution: Solution, gains: GainTensor) -> Scores:
    """Score the serving decisions of a solution on other gains.

    Parameters
    ----------
    solution
        A solution with a grouping.
    gains
        The evaluation split: the same tasks, and every serving group.

    Raises
    ------
    DataError
        If there is no grouping, or the tensor lacks a task or a serving group.
    """
    if not solution.found:
        raise DataError("This solution holds no grouping to score.")
    odd = sorted(set(solution.tasks) ^ set(gains.tasks))
    if odd:
        raise DataError(f"The evaluation gains are over other tasks: {', '.join(odd[:5])} in one only.")
    rows: dict[int, int] = {}
    for index in set(solution.serving.values()):
        group = solution.groups[index]
        found = [row for row in gains.find(group.tasks) if gains.cost[row] == group.cost]
        if not found:
            raise DataError(f"The evaluation gains lack the group {'|'.join(group.tasks)}.")
        rows[index] = found[0]
    values = {}
    for task, index in solution.serving.items():
        entries = gains.row(rows[index])
        values[task] = dict(zip(gains.group(rows[index]), gains.values[entries].tolist(), strict=True))[task]
    promised = math.fsum(solution.task_values.values())
    sign = 1.0 if gains.quantity == "gain" else -1.0
    optimism = sign * (promised - math.fsum(values.values())) / len(values)
    measured = {task: bool(gains.measured[rows[index]]) for task, index in solution.serving.items()}
    return Scores(values, gains.split, gains.source, optimism, measured)
