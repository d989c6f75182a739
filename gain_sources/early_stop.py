"""Early stopping: gains of groups that are trained for a part of the epochs only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnsupportedError, UsageError
from engine.gains.source import GainSourceInfo
from gain_sources.trained.backbone_collector import BackboneCollector

if TYPE_CHECKING:
    from engine.training.experiment import Experiment
    from engine.training.trained_groups import TrainedGroups


@dataclass(frozen=True)
class EarlyStop(BackboneCollector):
    """Gains after a part of the training, of groups and of the tasks alone that they are compared with.

    Attributes
    ----------
    device
        As in :class:`backbones.TrainerOptions`.
    fraction
        Part of the epochs, above 0 and at most 1; a part of an epoch counts as a whole one.

    Raises
    ------
    UsageError
        If the fraction is out of range.
    """

    fraction: float = 0.2
    info = GainSourceInfo(
        summary="trains every group for a part of the epochs (ESA)",
        requires=("torch",),
        reference="Standley et al., Which Tasks Should Be Learned Together, ICML 2020, section 3",
    )

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise UsageError(f"fraction must be above 0 and at most 1, not {self.fraction}.")

    def experiment(self, experiment: Experiment) -> Experiment:
        """Return the experiment with a part of the epochs and without patience."""
        # The product of a fraction such as 0.1 and a multiple of ten may lie a rounding above a whole number.
        epochs = max(1, math.ceil(round(self.fraction * experiment.settings.epochs, 9)))
        return replace(
            experiment,
            settings=replace(experiment.settings, epochs=epochs, patience=0),
            source="early-stop",
        )

    def train_for_good(
        self,
        experiment: Experiment,
        membership: NDArray[np.bool_],
        serving: Mapping[str, int],
        seed: int,
        folder: Path,
    ) -> TrainedGroups:
        """Refuse.

        Raises
        ------
        UnsupportedError
            Always: a network that was stopped early is not one to serve.
        """
        raise UnsupportedError(
            "The gain source early-stop does not train to the end: train for good with measured."
        )
