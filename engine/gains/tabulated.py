"""A gain model that looks every group up in a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.bits import as_membership
from engine.gains.tensor import GainTensor, Quantity

MOST_TASKS = 20
"""Beyond this, a table of all groups is too large."""


@dataclass(frozen=True, eq=False)
class TabulatedModel:
    """Hand out recorded gains of all 2^N − 1 groups, so that a complete tensor is a gain model.

    Where a group has several rows, the one that stands for it counts.

    Attributes
    ----------
    gains
        A tensor that holds every group of its N tasks; at most 20 tasks.

    Raises
    ------
    DataError
        If a group is missing; the first is named.
    """

    gains: GainTensor

    def __post_init__(self) -> None:
        count = self.gains.n_tasks
        if count > MOST_TASKS:
            raise DataError(
                f"A table of all groups of {count} tasks is too large; the limit is {MOST_TASKS} tasks. "
                "Fit a gain source instead."
            )
        listed = np.zeros(2**count, dtype=bool)
        listed[self._codes] = True
        missing = np.flatnonzero(~listed[1:]) + 1
        if len(missing):
            code = min(missing.tolist(), key=lambda each: (each.bit_count(), each))
            label = "|".join(name for task, name in enumerate(self.tasks) if code >> task & 1)
            raise DataError(
                f"The tensor lacks the group {label} ({len(missing)} of {2**count - 1} groups are missing): "
                "a table of all groups must be complete. Fit a gain source instead."
            )

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the N tasks."""
        return self.gains.tasks

    @property
    def source(self) -> str:
        """The gain source of the tensor."""
        return self.gains.source

    @property
    def quantity(self) -> Quantity:
        """``"gain"`` or ``"loss"``."""
        return self.gains.quantity

    @property
    def _codes(self) -> NDArray[np.int64]:
        """Shape (M,): each group as a number, task t in bit t."""
        return self.gains.packed[:, 0].astype(np.int64)

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """Shape (2^N,): the tensor row of each group."""
        # Much faster than GainTensor.rows_of, and made of the same rows.
        standing = self.gains.standing_rows
        rows = np.zeros(2**self.gains.n_tasks, dtype=np.int64)
        rows[self._codes[standing]] = standing
        return rows

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member.

        Parameters
        ----------
        membership
            Shape (m, N).

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        codes = as_membership(membership, self.gains.n_tasks) @ (1 << np.arange(self.gains.n_tasks))
        gains: NDArray[np.float64] = self.gains.gains[self._rows[codes]]
        gains[codes == 0] = np.nan
        return gains
