"""Serving decisions scored on other gains than those they were chosen by."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.errors import DataError
from engine.gains.tensor import GainTensor


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


def score(
    tasks: Collection[str],
    groups: Mapping[str, tuple[tuple[str, ...], float]],
    promised: Mapping[str, float],
    gains: GainTensor,
) -> Scores:
    """Score serving decisions on other gains.

    Parameters
    ----------
    tasks
        All tasks of the problem.
    groups
        Members and cost of the group that serves each task.
    promised
        The value of each task in that group, on the gains it was chosen by.
    gains
        The evaluation split: the same tasks, and every serving group.

    Raises
    ------
    DataError
        If the tensor lacks a task or a serving group.
    """
    odd = sorted(set(tasks) ^ set(gains.tasks))
    if odd:
        raise DataError(f"The evaluation gains are over other tasks: {', '.join(odd[:5])} in one only.")
    rows: dict[tuple[tuple[str, ...], float], int] = {}
    for members, cost in dict.fromkeys(groups.values()):
        same = [row for row in gains.find(members) if gains.cost[row] == cost]
        if not same:
            raise DataError(f"The evaluation gains lack the group {'|'.join(members)}.")
        rows[members, cost] = same[0]
    values, measured = {}, {}
    for task, group in groups.items():
        row = rows[group]
        held = dict(zip(gains.group(row), gains.values[gains.row(row)].tolist(), strict=True))
        values[task], measured[task] = held[task], bool(gains.measured[row])
    sign = 1.0 if gains.quantity == "gain" else -1.0
    optimism = sign * (math.fsum(promised.values()) - math.fsum(values.values())) / len(values)
    return Scores(values, gains.split, gains.source, optimism, measured)
