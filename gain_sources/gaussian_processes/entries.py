"""Gains as a Gaussian process sees them: entry by entry, task by task, in an order of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GainEntries:
    """Measured runs of groups.

    Attributes
    ----------
    membership
        Shape (M, N): the groups, one row a run; a group that was measured twice has two.
    rows
        Shape (E,): the run of each entry, ascending within a task.
    values
        Shape (E,): the gain of each entry, less the shift of its task.
    variances
        Shape (E,): the known part of the error variance of each entry.
    starts
        Shape (N + 1,): where the entries of each task begin.
    alone_is_zero
        Whether a task alone gains nothing.
    """

    membership: NDArray[np.bool_]
    rows: Indices
    values: Numbers
    variances: Numbers
    starts: Indices
    alone_is_zero: bool

    @property
    def n_tasks(self) -> int:
        """Number of tasks, N."""
        return int(self.membership.shape[1])

    def of_task(self, task: int) -> slice:
        """Return the slice of entries of a task."""
        return slice(int(self.starts[task]), int(self.starts[task + 1]))

    @property
    def tasks(self) -> Indices:
        """Shape (E,): the task of each entry."""
        return np.repeat(np.arange(self.n_tasks), np.diff(self.starts))

    def some(self, runs: Indices) -> GainEntries:
        """Return the entries of some runs, in ascending order."""
        numbers = np.full(len(self.membership), -1)
        numbers[runs] = np.arange(len(runs))
        kept = numbers[self.rows] >= 0
        counts = np.bincount(self.tasks[kept], minlength=self.n_tasks)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        rows = numbers[self.rows[kept]].astype(np.int64)
        return GainEntries(
            self.membership[runs],
            rows,
            self.values[kept],
            self.variances[kept],
            starts,
            self.alone_is_zero,
        )


def canonical_order(membership: NDArray[np.bool_], gains: Numbers) -> tuple[Indices, Indices]:
    """Return an order of the rows and one of the tasks that do not depend on how they were given.

    Sums of floating-point numbers depend on their order, and a search amplifies it. Tasks are put in
    order by their gains, and rows by their members; only tasks of equal gains keep theirs.

    Parameters
    ----------
    membership, gains
        Shape (M, N): gains are read where the task is a member.
    """
    signatures = [sorted(gains[held, task].tolist()) for task, held in enumerate(membership.T)]
    tasks = np.array(sorted(range(len(signatures)), key=signatures.__getitem__), dtype=np.int64)
    values = np.where(membership, gains, 0.0)[:, tasks]
    keys = np.concatenate([values, membership[:, tasks]], axis=1)
    return np.lexsort(keys.T[::-1]).astype(np.int64), tasks


def entries_of(
    membership: NDArray[np.bool_], gains: Numbers, variances: Numbers, *, alone_is_zero: bool
) -> GainEntries:
    """Return the entries of a dense table.

    Parameters
    ----------
    membership
        Shape (M, N).
    gains, variances
        Shape (M, N): read where the task is a member.
    alone_is_zero
        Whether a task alone gains nothing; then no group of one may be among them.
    """
    tasks, rows = np.nonzero(membership.T)
    starts = np.concatenate([[0], np.cumsum(membership.sum(axis=0))]).astype(np.int64)
    return GainEntries(membership, rows, gains[rows, tasks], variances[rows, tasks], starts, alone_is_zero)
