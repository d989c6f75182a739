"""What training one group gave, and the results of many as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.training.trained_groups import TrainedGroups

SPLITS = ("valid", "test")
"""What groups are judged on."""


@dataclass(frozen=True, eq=False)
class GroupResult:
    """What one trained group scored.

    Attributes
    ----------
    members
        Task indices.
    curve
        Shape (epochs, members): validation loss after each epoch.
    best_epoch
        From 0.
    losses, metrics
        Split → shape (members,), by the weights of the best epoch; NaN where the validation loss of the
        group stopped being finite, which ends its training.
    seconds
        Share of the time of training.
    """

    members: tuple[int, ...]
    curve: NDArray[np.float64]
    best_epoch: int
    losses: dict[str, NDArray[np.float64]]
    metrics: dict[str, NDArray[np.float64]]
    seconds: float


class Course:
    """The course of one group's training: its curve, its best epoch, and whether it is done.

    Parameters
    ----------
    weights
        Shape (members,): of the tasks in the validation loss of the group.
    patience
        Epochs without a better one after which it is done; 0: never.
    """

    def __init__(self, weights: NDArray[np.float64], patience: int) -> None:
        self._weights, self._patience = weights, patience
        self._curve: list[NDArray[np.float64]] = []
        self._best = np.inf
        self.best_epoch = 0
        self.diverged = False
        self.done = False
        self.seconds = 0.0

    @property
    def curve(self) -> NDArray[np.float64]:
        """Shape (epochs, members)."""
        return np.array(self._curve)

    def add(self, losses: NDArray[np.float64]) -> bool:
        """Take the validation losses after an epoch, and return whether it is the best so far.

        Parameters
        ----------
        losses
            Shape (members,).
        """
        epoch = len(self._curve)
        self._curve.append(losses)
        score = float(np.dot(self._weights, losses) / len(losses))
        self.diverged = not np.isfinite(score)
        better = score < self._best
        if better:
            self._best, self.best_epoch = score, epoch
        waited = bool(self._patience) and epoch - self.best_epoch >= self._patience
        self.done = self.diverged or waited
        return better

    def result(
        self,
        members: Sequence[int],
        losses: dict[str, NDArray[np.float64]],
        metrics: dict[str, NDArray[np.float64]],
    ) -> GroupResult:
        """Return the result; what the best weights score does not count after divergence."""
        if self.diverged:
            losses, metrics = (
                {split: np.full(len(members), np.nan) for split in of} for of in (losses, metrics)
            )
        return GroupResult(tuple(members), self.curve, self.best_epoch, losses, metrics, self.seconds)


def joined(results: Sequence[GroupResult], membership: NDArray[np.bool_], seed: int) -> TrainedGroups:
    """Return the results of groups in the order of the membership.

    Parameters
    ----------
    results
        One per row.
    membership
        Shape (G, N).
    seed
        Of the training.
    """

    def spread(values: NDArray[np.float64], result: GroupResult) -> NDArray[np.float64]:
        wide = np.full((*values.shape[:-1], membership.shape[1]), np.nan)
        wide[..., list(result.members)] = values
        return wide

    def over(name: str, split: str) -> NDArray[np.float64]:
        found = np.full(membership.shape, np.nan)
        for row, one in enumerate(results):
            found[row] = spread(getattr(one, name)[split], one)
        return found

    return TrainedGroups(
        membership,
        seed,
        {split: over("metrics", split) for split in SPLITS},
        {split: over("losses", split) for split in SPLITS},
        {"valid": tuple(spread(one.curve, one) for one in results)},
        np.array([len(one.curve) for one in results], dtype=np.int64),
        np.array([one.best_epoch for one in results], dtype=np.int64),
        np.array([one.seconds for one in results]),
    )
