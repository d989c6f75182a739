"""A collector that trains groups by the backbones of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.training.collector import Collector

if TYPE_CHECKING:
    from backbones import TrainerOptions
    from engine.training.experiment import Experiment
    from engine.training.trained_groups import TrainedGroups


@dataclass(frozen=True)
class BackboneCollector(Collector):
    """Trains as many groups at once as the trainer can.

    Attributes
    ----------
    device, method
        As in :class:`backbones.TrainerOptions`.
    """

    device: str = "auto"
    method: str = "auto"

    def chunk_size(self, experiment: Experiment) -> int:
        """Return how many groups are trained between two writes to the store."""
        from backbones import suggested_chunk

        return suggested_chunk(experiment, self._options())

    def measure(self, experiment: Experiment, membership: NDArray[np.bool_], seed: int) -> TrainedGroups:
        """Train these groups."""
        from backbones import train_groups

        return train_groups(experiment, membership, seed, self._options())

    def train_for_good(
        self,
        experiment: Experiment,
        membership: NDArray[np.bool_],
        serving: Mapping[str, int],
        seed: int,
        folder: Path,
    ) -> TrainedGroups:
        """Train these groups and save them as :func:`backbones.load_served` reads them."""
        from backbones import train_for_good

        return train_for_good(experiment, membership, serving, seed, folder, self._options())

    def _options(self) -> TrainerOptions:
        from backbones import TrainerOptions

        return TrainerOptions(self.device, self.method)
