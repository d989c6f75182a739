"""Known groups in an order of their own, so that nothing depends on the order in which they were told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor
from gain_sources.regression.canonical_gains import by_name, known_rows

Numbers = NDArray[np.float64]
Groups = NDArray[np.bool_]

FOLDS = 5
"""Every network is trained without one fold of the known groups."""


@dataclass(frozen=True, eq=False)
class KnownGroups:
    """Values of distinct groups of two or more tasks, and of tasks alone.

    Attributes
    ----------
    tasks
        N names in alphabetical order.
    columns
        Shape (N,): the column of each of them in the tensor.
    membership
        Shape (M, N): the groups, in lexicographic order.
    values
        Shape (M, N): NaN off the membership.
    alone
        Shape (N,): the value of each task alone: 0 for gains unless recorded, NaN for unknown losses.
    recorded_alone
        Shape (N,): True where it is recorded.
    """

    tasks: tuple[str, ...]
    columns: NDArray[np.int64]
    membership: Groups
    values: Numbers
    alone: Numbers
    recorded_alone: Groups

    @classmethod
    def of(cls, gains: GainTensor, source: str) -> KnownGroups:
        """Take the measured rows, or all where none is measured.

        Of several rows of one group the one of cost 1, the standard network, is taken.

        Parameters
        ----------
        gains
            What is known.
        source
            Name of the gain source, for messages.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        """
        rows = known_rows(gains)
        columns = by_name(gains.tasks)
        membership, first = np.unique(gains.membership[rows][:, columns], axis=0, return_index=True)
        values = gains.gains[rows[first]][:, columns]
        larger = membership.sum(axis=1) > 1
        lonely = ~membership[larger].any(axis=0)
        if lonely.any():
            name = gains.tasks[columns[int(np.flatnonzero(lonely)[0])]]
            raise DataError(
                f"The source {source!r} needs a group of two or more tasks that holds {name!r}: collect some."
            )
        alone = np.full(gains.n_tasks, 0.0 if gains.quantity == "gain" else np.nan)
        single, task = np.nonzero(membership & ~larger[:, None])
        alone[task] = values[single, task]
        recorded = np.zeros(gains.n_tasks, dtype=bool)
        recorded[task] = True
        tasks = tuple(gains.tasks[column] for column in columns)
        return cls(tasks, columns, membership[larger], values[larger], alone, recorded)

    @property
    def keys(self) -> list[bytes]:
        """One key per group."""
        return [row.tobytes() for row in np.packbits(self.membership, axis=1)]

    def folds(self, repeats: int, seed: int, previous: dict[bytes, NDArray[np.int64]]) -> NDArray[np.int64]:
        """Deal the groups out to folds of equal size, anew in every repeat.

        Where a group goes depends on its members and the groups beside it, not on their order.

        Parameters
        ----------
        repeats
            How often.
        seed
            Of all draws.
        previous
            Folds of groups that have some already, by key; they stay there.

        Returns
        -------
        ndarray
            Shape (repeats, M): numbers below :data:`FOLDS`.
        """
        found = np.full((repeats, len(self.membership)), -1)
        keys = self.keys
        for place, key in enumerate(keys):
            if key in previous:
                found[:, place] = previous[key]
        names = ["\x1f".join(np.array(self.tasks)[group].tolist()) for group in self.membership]
        for repeat in range(repeats):
            sizes = np.bincount(found[repeat][found[repeat] >= 0], minlength=FOLDS)
            left = np.flatnonzero(found[repeat] < 0)
            for row in sorted(left, key=lambda row: _draw(names[row], seed, repeat)):
                found[repeat, row] = sizes.argmin()
                sizes[found[repeat, row]] += 1
        return found


def _draw(name: str, seed: int, repeat: int) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{repeat}\x1f{name}".encode()).digest()
