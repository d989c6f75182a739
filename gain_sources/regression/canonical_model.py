"""A gain model around what was fitted in canonical order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor, Quantity
from gain_sources.regression.canonical_gains import by_name, values_alone

Numbers = NDArray[np.float64]


class Regression(Protocol):
    """Gains of groups of two or more, with tasks in the order of their names."""

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the gains, shape (m, N), NaN where the task is not a member."""
        ...

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return their standard errors, shape (m, N), NaN where the task is not a member."""
        ...


@dataclass(frozen=True, eq=False)
class CanonicalModel:
    """A regression on groups of two or more; alone, what a task has alone.

    It is a :class:`~engine.GainModel` and an :class:`~engine.UncertainModel`.

    Attributes
    ----------
    tasks
        N names, in the order of the columns.
    regression
        Fitted with the tasks in the order of their names.
    singles
        Shape (N,): the value of each task alone, in the order of names; NaN where it is not known.
    source, quantity
        Name of the gain source, and ``"gain"`` or ``"loss"``.
    """

    tasks: tuple[str, ...]
    regression: Regression
    singles: Numbers
    source: str
    quantity: Quantity = "gain"

    @classmethod
    def of(
        cls, tasks: tuple[str, ...], known: GainTensor, regression: Regression, source: str
    ) -> CanonicalModel:
        """Return the model of tasks in this order, of a regression fitted on known gains."""
        return cls(tasks, regression, values_alone(known), source, known.quantity)

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member.

        Raises
        ------
        DataError
            If the shape is wrong, or a task alone is asked for whose loss is not known.
        """
        member, alone = self._inner(membership)
        unknown = member[alone].any(axis=0) & np.isnan(self.singles)
        if unknown.any():
            task = sorted(self.tasks)[int(np.flatnonzero(unknown)[0])]
            raise DataError(f"The {self.quantity} of task {task!r} alone is not known: measure it first.")
        found = np.where(member, self.singles, np.nan)
        rows = np.flatnonzero(member.sum(axis=1) > 1)
        if len(rows):
            found[rows] = self.regression.predict(member[rows])
        return self._outer(found)

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the standard error of each prediction, shape (m, N), NaN off the membership.

        It is the error against a new measurement like the known ones; 0 for a task alone.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member, _ = self._inner(membership)
        found = np.where(member, 0.0, np.nan)
        rows = np.flatnonzero(member.sum(axis=1) > 1)
        if len(rows):
            found[rows] = self.regression.std(member[rows])
        return self._outer(found)

    def _inner(self, membership: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the groups with tasks in the order of names, and which have one task."""
        member = np.asarray(membership, dtype=bool)
        if member.ndim != 2 or member.shape[1] != len(self.tasks):
            raise DataError(f"Membership of shape {member.shape} does not fit {len(self.tasks)} tasks.")
        return member[:, by_name(self.tasks)], member.sum(axis=1) == 1

    def _outer(self, found: Numbers) -> Numbers:
        columns = np.empty_like(found)
        columns[:, by_name(self.tasks)] = found
        return columns
