"""A gain model that looks every group up in a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor, Quantity

MOST_TASKS = 20
"""Beyond this, a table of all groups is too large."""


@dataclass(frozen=True, eq=False)
class TabulatedModel:
    """Hand out recorded gains of all 2^N − 1 groups, so that a complete tensor is a gain model.

    Where a group stands at several costs, the row of cost 1, the standard network, counts.

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
            code = min(missing.tolist(), key=lambda one: (one.bit_count(), one))
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
        rows = np.zeros(2**self.gains.n_tasks, dtype=np.int64)
        # Of several rows of one group the last written stays: cost 1 last, then the first row.
        order = np.lexsort((-np.arange(self.gains.n_groups), self.gains.cost == 1))
        rows[self._codes[order]] = order
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
        member = np.asarray(membership, dtype=bool)
        count = self.gains.n_tasks
        if member.ndim != 2 or member.shape[1] != count:
            raise DataError(f"Membership of shape {member.shape} does not fit {count} tasks.")
        codes = member @ (1 << np.arange(count))
        found: NDArray[np.float64] = self.gains.gains[self._rows[codes]]
        found[codes == 0] = np.nan
        return found
