"""Training groups, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from backbones.batches import DeviceData
from backbones.training.loop import train_group
from engine.errors import UsageError
from engine.experiment import Experiment
from engine.trained_groups import TrainedGroups


@dataclass(frozen=True)
class TrainerOptions:
    """Where groups are trained; it changes the results by rounding at most.

    Attributes
    ----------
    device
        ``"auto"``: a GPU when there is one; or a torch device, for example ``"cuda:1"``.

    Raises
    ------
    UsageError
        If torch knows no such device.
    """

    device: str = "auto"

    @property
    def torch_device(self) -> torch.device:
        """The device itself."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            return torch.device(self.device)
        except RuntimeError as error:
            raise UsageError(f"The device {self.device!r} is none: write auto, cpu or cuda:0.") from error


CHUNK = 8
"""Groups trained between two writes to the store: as many as an interrupt may lose."""


def train_groups(
    experiment: Experiment,
    membership: NDArray[np.bool_],
    seed: int,
    options: TrainerOptions | None = None,
) -> TrainedGroups:
    """Train some groups with one seed.

    Parameters
    ----------
    experiment
        Data, backbone, settings.
    membership
        Shape (G, N).
    seed
        Of initial weights, batches and dropout; results of a group depend on nothing else.
    options
        How to train.
    """
    data = DeviceData(experiment, (options or TrainerOptions()).torch_device)
    found = [train_group(experiment, np.flatnonzero(row).tolist(), seed, data) for row in membership]
    shape = membership.shape
    metrics = {split: np.full(shape, np.nan) for split in ("valid", "test")}
    losses = {split: np.full(shape, np.nan) for split in ("valid", "test")}
    curves = []
    for row, group in enumerate(found):
        members = list(group.model.members)
        for split in ("valid", "test"):
            metrics[split][row, members] = group.metrics[split]
            losses[split][row, members] = group.losses[split]
        curve = np.full((len(group.curve), shape[1]), np.nan)
        curve[:, members] = group.curve
        curves.append(curve)
    return TrainedGroups(
        membership,
        seed,
        metrics,
        losses,
        {"valid": tuple(curves)},
        np.array([len(group.curve) for group in found]),
        np.array([group.best_epoch for group in found]),
        np.array([group.seconds for group in found]),
    )
