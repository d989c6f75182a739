"""Which rows of a tensor hold a group, and which of several rows stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.gains.bits import as_membership, entries_of, row_keys

Rows = NDArray[np.int64]

_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@dataclass(frozen=True, eq=False)
class RowIndex:
    """Rows of groups, found by their members.

    Of several rows of one group one stands for it: a measured row before a predicted one, then the one
    whose cost is nearest to 1, the standard network, then the cheaper one, then the first.

    Rows are sorted by a hash of their members once, which takes 16 bytes a row; members are compared where
    hashes agree, so that no answer depends on chance.

    Attributes
    ----------
    indptr, members, n_tasks
        The groups of M rows, as in :class:`~engine.gains.groups.Groups`.
    cost, measured
        Shape (M,).
    """

    indptr: Rows
    members: NDArray[np.integer[Any]]
    n_tasks: int
    cost: NDArray[np.float64]
    measured: NDArray[np.bool_]

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """Shape (M,): a hash of the members of each row, equal for equal groups."""
        return row_keys(self.indptr, self.members, self.n_tasks)

    @cached_property
    def order(self) -> Rows:
        """Shape (M,): the rows in ascending order of their hash; of one group the standing row first."""
        order = np.argsort(self.keys, kind="stable")
        if not self._sharing(order).any():
            return order
        # Rounded, so that costs such as 0.6 and 1.4 are equally near.
        distance = np.round(np.abs(self.cost - 1.0), 12)
        return np.lexsort((self.cost, distance, ~self.measured, self.keys))

    @cached_property
    def shared(self) -> Rows:
        """The rows whose hash another row has, ascending."""
        return np.sort(self.order[self._sharing(self.order)])

    def _sharing(self, order: Rows) -> NDArray[np.bool_]:
        """Return which rows, in ascending order of their hash, have the hash of another one."""
        keys = self.keys[order]
        same = np.concatenate([[False], keys[1:] == keys[:-1], [False]])
        return np.asarray(same[1:] | same[:-1])

    @cached_property
    def standing_for(self) -> Rows:
        """Shape (M,): the row that stands for the group of each row."""
        rows = np.arange(len(self.keys))
        if len(self.shared):
            starts, entries = entries_of(self.indptr, self.shared)
            rows[self.shared] = self._rows_with(starts, self.members[entries], None)
        return rows

    @cached_property
    def standing_rows(self) -> Rows:
        """Shape (D,): the rows that stand for their group, ascending; of every distinct group one."""
        return np.flatnonzero(self.standing_for == np.arange(len(self.keys)))

    def rows_of(self, membership: NDArray[np.bool_], cost: NDArray[np.float64] | None = None) -> Rows:
        """Return the standing row of each group, shape (m,), or its row at a cost; −1 where there is none.

        Parameters
        ----------
        membership
            Shape (m, N).
        cost
            Shape (m,).

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = as_membership(membership, self.n_tasks)
        rows = np.full(len(member), -1, dtype=np.int64)
        held = np.flatnonzero(member.any(axis=1))
        indptr = np.concatenate([[0], np.cumsum(member[held].sum(axis=1))])
        rows[held] = self._rows_with(indptr, np.nonzero(member)[1], None if cost is None else cost[held])
        return rows

    def rows_with(self, members: NDArray[np.integer[Any]]) -> tuple[int, ...]:
        """Return all rows of one group, shape (size,), the standing one first."""
        if not len(members):
            return ()
        key = row_keys(np.array([0, len(members)]), members, self.n_tasks)
        first, last = (int(np.searchsorted(self.keys, key, side, self.order)[0]) for side in _SIDES)
        return tuple(
            int(row)
            for row in self.order[first:last]
            if np.array_equal(self.members[self.indptr[row] : self.indptr[row + 1]], members)
        )

    def duplicates(self) -> tuple[int, int] | None:
        """Return the first two rows of the same group at the same cost, or None."""
        rows = self.shared
        groups, cost = self.standing_for[rows], self.cost[rows]
        order = np.lexsort((cost, groups))
        same = (groups[order[1:]] == groups[order[:-1]]) & (cost[order[1:]] == cost[order[:-1]])
        if not same.any():
            return None
        second = np.flatnonzero(same)[order[1:][same].argmin()]
        return int(rows[order[second]]), int(rows[order[second + 1]])

    def _rows_with(
        self, indptr: Rows, members: NDArray[np.integer[Any]], cost: NDArray[np.float64] | None
    ) -> Rows:
        """Return the rows of m groups given by their entries, none empty; −1 where there is none."""
        keys = row_keys(indptr, members, self.n_tasks)
        rows = np.full(len(keys), -1, dtype=np.int64)
        place = np.searchsorted(self.keys, keys, sorter=self.order)
        asked = np.arange(len(keys))
        while len(asked):
            asked = asked[place[asked] < len(self.keys)]
            asked = asked[self.keys[self.order[place[asked]]] == keys[asked]]
            candidates = self.order[place[asked]]
            same = self._same_members(candidates, indptr, members, asked)
            if cost is not None:
                same &= self.cost[candidates] == cost[asked]
            rows[asked[same]] = candidates[same]
            asked = asked[~same]
            place[asked] += 1
        return rows

    def _same_members(
        self, rows: Rows, indptr: Rows, members: NDArray[np.integer[Any]], asked: Rows
    ) -> NDArray[np.bool_]:
        """Return where a row has the members of the group beside it, of groups given by their entries."""
        same = self.indptr[rows + 1] - self.indptr[rows] == np.diff(indptr)[asked]
        starts, entries = entries_of(self.indptr, rows[same])
        equal = self.members[entries] == members[entries_of(indptr, asked[same])[1]]
        if same.any():
            same[same] = np.logical_and.reduceat(equal, starts[:-1])
        return np.asarray(same)
