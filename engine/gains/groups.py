"""Groups of tasks, stored by their members."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import read_only
from engine.errors import DataError, unknown_name
from engine.gains.bits import entries_of, pack_rows, row_blocks
from engine.gains.names import task_name_flaw


@dataclass(frozen=True, eq=False)
class Groups:
    """M groups of N tasks.

    Stored by member entries, E in all, so that memory is proportional to the data: group ``g`` owns the
    entries ``indptr[g]:indptr[g + 1]``. Dense views are made on demand. Immutable: arrays are copied, but
    for those of the right type that own their data and are read-only already, which are taken over.

    Attributes
    ----------
    tasks
        N distinct names.
    indptr
        Shape (M + 1,): where the entries of each group begin.
    members
        Shape (E,): task index of each entry, ascending within a group; stored as ``int32``.

    Raises
    ------
    DataError
        If a name is not usable, or a group is empty or not in order.
    """

    tasks: tuple[str, ...]
    indptr: NDArray[np.int64]
    members: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        object.__setattr__(self, "indptr", read_only(self.indptr, np.int64))
        object.__setattr__(self, "members", read_only(_narrow(self.members), np.int32))
        self._check()

    @property
    def n_tasks(self) -> int:
        """Number of tasks, N."""
        return len(self.tasks)

    @property
    def n_groups(self) -> int:
        """Number of groups, M."""
        return len(self.indptr) - 1

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Shape (M,): number of members of each group."""
        return np.diff(self.indptr)

    @cached_property
    def entry_rows(self) -> NDArray[np.int64]:
        """Shape (E,): the group of each entry."""
        return np.repeat(np.arange(self.n_groups), self.sizes)

    @cached_property
    def membership(self) -> NDArray[np.bool_]:
        """Shape (M, N): True where the task is a member."""
        dense = np.zeros((self.n_groups, self.n_tasks), dtype=bool)
        dense[self.entry_rows, self.members] = True
        dense.setflags(write=False)
        return dense

    @cached_property
    def uncovered(self) -> tuple[str, ...]:
        """The tasks that no group holds."""
        held = np.zeros(self.n_tasks, dtype=bool)
        for first, last in row_blocks(self.indptr):
            held[self.members[self.indptr[first] : self.indptr[last]]] = True
            if held.all():
                break
        return tuple(self.tasks[task] for task in np.flatnonzero(~held))

    @cached_property
    def packed(self) -> NDArray[np.uint64]:
        """Shape (M, ⌈N/64⌉): membership as bits, task t in bit t mod 64 of word t div 64."""
        return pack_rows(self.indptr, self.members, self.n_tasks)

    def row(self, group: int) -> slice:
        """Return the slice of entries that belong to a group."""
        return slice(int(self.indptr[group]), int(self.indptr[group + 1]))

    def group(self, row: int) -> tuple[str, ...]:
        """Return the task names of a group."""
        names = self._names.get(row)
        if names is None:
            names = tuple(self.tasks[task] for task in self.members[self.row(row)].tolist())
            self._names[row] = names
        return names

    @cached_property
    def _names(self) -> dict[int, tuple[str, ...]]:
        return {}

    def label(self, row: int) -> str:
        """Return a name of a group: its tasks joined by ``|``."""
        return "|".join(self.group(row))

    def counts(self, tasks: Collection[int]) -> NDArray[np.int64]:
        """Return how many of some tasks each group holds, shape (M,)."""
        wanted = np.zeros(self.n_tasks, dtype=bool)
        wanted[list(tasks)] = True
        counts = np.empty(self.n_groups, dtype=np.int64)
        for first, last in row_blocks(self.indptr):
            begin = self.indptr[first]
            held = wanted[self.members[begin : self.indptr[last]]]
            counts[first:last] = np.add.reduceat(held, self.indptr[first:last] - begin, dtype=np.int64)
        return counts

    def _check(self) -> None:
        if not self.tasks:
            raise DataError("A gain tensor needs at least one task.")
        for name in self.tasks:
            flaw = task_name_flaw(name)
            if flaw:
                raise DataError(f"Task name {name!r} {flaw}.")
        if len(set(self.tasks)) != self.n_tasks:
            twice = next(name for name in self.tasks if self.tasks.count(name) > 1)
            raise DataError(f"Task {twice!r} is named twice; task names must differ.")
        if self.n_groups < 1:
            raise DataError("A gain tensor needs at least one group.")
        indptr, members, entries = self.indptr, self.members, len(self.members)
        if indptr[0] != 0 or indptr[-1] != entries or np.any(self.sizes < 0):
            raise DataError(
                f"indptr must rise from 0 to the number of entries ({entries}), with one member per entry."
            )
        empty = np.flatnonzero(self.sizes == 0)
        if len(empty):
            raise DataError(f"Row {empty[0] + 1}: the group is empty. Remove the row or add a member.")
        if entries and (members.min() < 0 or members.max() >= self.n_tasks):
            raise DataError(f"Member indices must lie in 0…{self.n_tasks - 1}.")
        falling = members[1:] <= members[:-1]
        falling[indptr[1:-1] - 1] = False
        if falling.any():
            raise DataError(
                f"Row {self.row_of(int(falling.argmax())) + 1}: members must be distinct and in ascending "
                "task order."
            )

    def row_of(self, entry: int) -> int:
        """Return the group that an entry belongs to."""
        return int(np.searchsorted(self.indptr, entry, side="right")) - 1

    def entries_of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the entries of each of these rows begin, one after the other, and these entries."""
        return entries_of(self.indptr, rows)

    def task_index(self, name: str) -> int:
        """Return the column of a task.

        Raises
        ------
        UsageError
            If there is no such task.
        """
        try:
            return self._columns[name]
        except KeyError:
            raise unknown_name("task", name, self.tasks) from None

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {name: column for column, name in enumerate(self.tasks)}


def _narrow(members: ArrayLike) -> NDArray[Any]:
    """Return member indices, refused where they do not fit the type they are stored in."""
    given = np.asarray(members)
    limit = np.iinfo(np.int32).max
    if given.dtype != np.int32 and given.size and (given.min() < 0 or given.max() > limit):
        raise DataError("Member indices must lie between 0 and the number of tasks, less one.")
    return given
