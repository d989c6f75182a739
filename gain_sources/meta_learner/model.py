"""The gain model of MTG-Net: networks, what they are shrunk towards, and how far they may be off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.embeddings import principal_axes
from engine.gains.source import Predictor
from engine.gains.tensor import Quantity
from gain_sources.meta_learner.baseline import Baseline
from gain_sources.meta_learner.blend import Blend
from gain_sources.meta_learner.known import Groups
from gain_sources.regression.leave_one_out_ridge import Numbers

if TYPE_CHECKING:
    from gain_sources.meta_learner.network import Weights

BLOCK_NUMBERS = 2**18
"""About so many numbers of each kind are held at once."""


@dataclass(frozen=True, eq=False)
class MtgnetModel:
    """Gains by networks of attention among the members; alone, what a task has alone.

    It is a :class:`~engine.GainModel`, an :class:`~engine.UncertainModel` and an
    :class:`~engine.gains.model.EmbeddedModel`.

    Attributes
    ----------
    tasks
        N names.
    made_by
        The gain source with its options.
    weights
        Of R networks, tasks in the order of ``columns``; they predict deviations from the mean of a task
        in units of its scale.
    columns
        Shape (N,): tasks in alphabetical order. All that follows has this order.
    alone
        Shape (N,): the value of each task alone, NaN where it is not known.
    scales
        Shape (N,): the unit of each task.
    baseline
        Means and ridge regressions.
    blend
        How both are weighted.
    folds
        By group: the fold it is in, one per repeat.
    quantity
        ``"gain"`` or ``"loss"``.
    """

    tasks: tuple[str, ...]
    made_by: Predictor
    weights: Weights
    columns: NDArray[np.int64]
    alone: Numbers
    scales: Numbers
    baseline: Baseline
    blend: Blend
    folds: dict[bytes, NDArray[np.int64]] = field(repr=False)
    quantity: Quantity = "gain"

    @property
    def source(self) -> str:
        """The name of the gain source."""
        return "mtgnet"

    def predict(self, membership: Groups) -> Numbers:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member.

        Raises
        ------
        DataError
            If the shape is wrong, or a task alone is asked for whose loss is not known.
        """
        member = self._ordered(membership)
        found = np.full(member.shape, np.nan)
        alone = member.sum(axis=1) == 1
        found[alone] = np.where(member[alone], self.alone, np.nan)
        unknown = member[alone].any(axis=0) & np.isnan(self.alone)
        if unknown.any():
            task = self.tasks[self.columns[int(np.flatnonzero(unknown)[0])]]
            raise DataError(f"The {self.quantity} of task {task!r} alone is not known: measure it first.")
        larger = np.flatnonzero(member.sum(axis=1) > 1)
        of = member[larger]
        means = self.baseline.means
        values = means + np.zeros(of.shape)
        if self.blend.ridge:
            values += self.blend.ridge * (self.baseline.ridge(of) - means)
        if self.blend.network:
            values += self.blend.network * self.scales * self._networks(of)[0]
        found[larger] = np.where(of, values, np.nan)
        return self._as_given(found)

    def std(self, membership: Groups) -> Numbers:
        """Return the standard error of each prediction, shape (m, N), NaN off the membership.

        Its square is the error variance of groups that the networks had not seen, plus by how much the
        variance between the networks exceeds what it was there, but at least half of that. 0 for a task
        alone; NaN where no group was held out: in the variant as published, or with a single group.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = self._ordered(membership)
        variances = np.where(member, self.blend.variances, np.nan)
        alone = member.sum(axis=1) == 1
        larger = np.flatnonzero(~alone)
        if self.blend.network and np.isfinite(self.blend.disagreement):
            excess = self._networks(member[larger])[1] - self.blend.disagreement
            usual = variances[larger]
            variances[larger] = np.maximum(usual + self.blend.network**2 * excess, usual / 2)
        found = self.scales * np.sqrt(variances)
        found[alone] = np.where(member[alone], 0.0, np.nan)
        return self._as_given(found)

    def embeddings(self) -> Numbers:
        """Return the tasks as points on principal axes, shape (N, min(N, R·D)).

        Their squared distances are those between the embeddings of the networks, on average.
        """
        embedding = self.weights["embedding"]
        beside = embedding.double().cpu().numpy().transpose(1, 0, 2) / np.sqrt(len(embedding))
        points, _ = principal_axes(beside.reshape(len(self.tasks), -1))
        return self._as_given(points.T).T

    def _ordered(self, membership: Groups) -> Groups:
        member = np.asarray(membership, dtype=bool)
        if member.ndim != 2 or member.shape[1] != len(self.tasks):
            raise DataError(f"Membership of shape {member.shape} does not fit {len(self.tasks)} tasks.")
        return member[:, self.columns]

    def _as_given(self, values: Numbers) -> Numbers:
        found = np.empty_like(values)
        found[:, self.columns] = values
        return found

    def _networks(self, member: Groups) -> tuple[Numbers, Numbers]:
        """Return mean and variance over the networks, shape (m, N), 0 off the membership.

        Groups of one size are taken together, so that nothing is computed for tasks outside.
        """
        import torch

        from gain_sources.meta_learner.network import predicted

        restarts, _, width = self.weights["embedding"].shape
        device = self.weights["embedding"].device
        mean, variance = np.zeros(member.shape), np.zeros(member.shape)
        with torch.inference_mode():
            for rows, members in _by_size(member, BLOCK_NUMBERS // (restarts * max(width, member.shape[1]))):
                of = torch.from_numpy(member[rows]).to(device)
                found = predicted(self.weights, of, torch.from_numpy(members).to(device))
                spread, middle = torch.var_mean(found, dim=0, correction=min(1, restarts - 1))
                mean[rows[:, None], members] = middle.double().cpu().numpy()
                variance[rows[:, None], members] = spread.double().cpu().numpy()
        return mean, variance


def _by_size(member: Groups, tokens: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield rows of groups of one size with their members, about ``tokens`` members at a time."""
    sizes = member.sum(axis=1)
    order = np.argsort(sizes, kind="stable")
    ends = np.flatnonzero(np.diff(sizes[order], append=-1)) + 1
    for start, stop in zip([0, *ends], ends, strict=False):
        size = int(sizes[order[start]])
        step = max(1, tokens // size)
        for first in range(start, stop, step):
            rows = order[first : min(first + step, stop)]
            yield rows, np.nonzero(member[rows])[1].reshape(len(rows), size)
