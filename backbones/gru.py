"""Gated recurrent units over a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, series_shape
from backbones.network.last_state import LastState


@dataclass(frozen=True)
class Gru(Backbone):
    """Gated recurrent units; the tasks share the last state.

    Attributes
    ----------
    hidden
        Width of the state.
    layers
        Stacked layers.
    """

    hidden: int = 32
    layers: int = 1
    info = BackboneInfo(
        summary="gated recurrent units, last state",
        inputs="series",
        reference="Cho et al.: Learning phrase representations using RNN encoder-decoder, EMNLP 2014",
    )

    def __post_init__(self) -> None:
        check_options("gru", self, {"hidden": 1, "layers": 1})

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the recurrent network."""
        _, channels = series_shape("gru", shape, dtype)
        return LastState(channels, self.hidden, self.layers), self.hidden
