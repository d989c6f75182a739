"""What training some groups gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError


@dataclass(frozen=True, eq=False)
class TrainedGroups:
    """Results of G groups of N tasks, trained with one seed.

    Attributes
    ----------
    membership
        Shape (G, N).
    seed
        The seed.
    metrics, losses
        Split → shape (G, N): metric and loss of each member at the best epoch, NaN off the membership.
    curves
        Split → G arrays of shape (epochs of the group, N): the loss of each member after each epoch,
        ``valid`` at least.
    epochs, best_epoch
        Shape (G,): epochs trained, and the epoch, from 0, whose weights counted.
    seconds
        Shape (G,): share of the time of training.

    Raises
    ------
    DataError
        If a member has no finite metric: the training diverged, or a metric is undefined.
    """

    membership: NDArray[np.bool_]
    seed: int
    metrics: Mapping[str, NDArray[np.float64]]
    losses: Mapping[str, NDArray[np.float64]]
    curves: Mapping[str, tuple[NDArray[np.float64], ...]]
    epochs: NDArray[np.int64]
    best_epoch: NDArray[np.int64]
    seconds: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        member = np.asarray(self.membership, dtype=bool)
        for results in (self.metrics, self.losses):
            for split, values in results.items():
                if values.shape != member.shape:
                    raise DataError(f"Results on {split} have shape {values.shape}, not {member.shape}.")

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Shape (G,): groups with a member whose metric, loss or whole curve is not finite."""
        bad = np.zeros(len(self.membership), dtype=bool)
        for results in (self.metrics, self.losses):
            for values in results.values():
                bad |= (self.membership & ~np.isfinite(values)).any(axis=1)
        for curves in self.curves.values():
            for row, curve in enumerate(curves):
                # Where no epoch was finite, the weights that were judged are untrained ones.
                bad[row] |= not np.isfinite(curve[:, self.membership[row]]).all(axis=1).any()
        return bad
