"""A gain as a sum of effects of the other members, with a standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.separable import predict_separable
from engine.gains.tensor import Quantity
from gain_sources.regression.leave_one_out_ridge import Design, Numbers


@dataclass(frozen=True, eq=False)
class MembershipModel:
    """A gain as a constant plus an effect of every other member; alone, what a task has alone.

    It is a :class:`~engine.GainModel`, an :class:`~engine.SeparableModel` and an
    :class:`~engine.UncertainModel`.

    Attributes
    ----------
    tasks
        N names.
    pairs, singles, offsets, size_weights
        As in :class:`~engine.SeparableModel`.
    penalties, noise
        Shape (N,): λ, and the residual variance σ² of a group's value.
    known
        The rows the model was fitted on.
    weights
        Shape (M, N): their weights.
    intercept
        Whether the offsets were fitted.
    source, quantity
        Name of the gain source, and ``"gain"`` or ``"loss"``.
    """

    tasks: tuple[str, ...]
    pairs: Numbers
    singles: Numbers
    offsets: Numbers
    size_weights: Numbers
    penalties: Numbers
    noise: Numbers
    known: NDArray[np.bool_]
    weights: Numbers
    intercept: bool
    source: str
    quantity: Quantity = "gain"

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member.

        Raises
        ------
        DataError
            If the shape is wrong, or a task alone is asked for whose loss is not known.
        """
        predicted = predict_separable(self, membership)
        member = np.asarray(membership, dtype=bool)
        unknown = member[member.sum(axis=1) == 1].any(axis=0) & np.isnan(self.singles)
        if unknown.any():
            task = self.tasks[int(np.flatnonzero(unknown)[0])]
            raise DataError(f"The {self.quantity} of task {task!r} alone is not known: measure it first.")
        return predicted

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the standard error of each prediction, shape (m, N), NaN off the membership.

        The square is σ²(1 + v): v is the uncertainty of the fitted effects, with a prior of variance
        σ²/λ on each, and the 1 is what a group's value differs from any sum of effects: what effects
        of pairs cannot tell, and the noise of a measurement with as many seeds as the known ones have.
        0 for a task alone.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = np.asarray(membership, dtype=bool)
        if member.ndim != 2 or member.shape[1] != len(self.tasks):
            raise DataError(f"Membership of shape {member.shape} does not fit {len(self.tasks)} tasks.")
        found = np.full(member.shape, np.nan)
        for task in range(len(self.tasks)):
            held = np.flatnonzero(member[:, task])
            design = task_design(self.known, self.weights, task, self.size_weights, intercept=self.intercept)
            rows = task_rows(member[held], task, self.size_weights)
            variance = self.noise[task] * (1.0 + design.unexplained(rows, self.penalties[task]))
            found[held, task] = np.sqrt(variance)
        alone = member.sum(axis=1) == 1
        found[alone] = np.where(member[alone], 0.0, np.nan)
        return found


def task_rows(membership: NDArray[np.bool_], task: int, size_weights: Numbers) -> Numbers:
    """Return who else is in each group, times the weight of its size; shape (n, N)."""
    rows: Numbers = membership * size_weights[membership.sum(axis=1)][:, None]
    rows[:, task] = 0.0
    return rows


def task_design(
    known: NDArray[np.bool_], weights: Numbers, task: int, size_weights: Numbers, *, intercept: bool
) -> Design:
    """Return the design of a task over the known groups that hold it."""
    held = known[:, task]
    return Design.of(task_rows(known[held], task, size_weights), weights[held, task], intercept=intercept)
