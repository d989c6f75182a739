"""Gated recurrent units over a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, series_shape


class LastState(nn.Module):
    """The last hidden state of the uppermost layer of a recurrent network.

    Parameters
    ----------
    channels
        Of the series.
    hidden
        Width of the state.
    layers
        Stacked layers.
    """

    def __init__(self, channels: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, hidden, layers, batch_first=True)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return the last state, shape (batch, hidden), of series (batch, time, channels)."""
        state: torch.Tensor = self.gru(series)[1][-1]
        return state


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
