"""Autoformer backbone: which features tasks share, and the head of a forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from backbones.autoformers.decomposition import Decomposition
from backbones.autoformers.layers import (
    CircularConvolution,
    DecoderLayer,
    EncoderLayer,
    SeasonalNorm,
)
from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, series_shape
from engine import UsageError
from engine.data import Task


class Forecaster(nn.Module):
    """The network that tasks share: features of every step of the horizon.

    Parameters
    ----------
    channels
        Of the series.
    options
        Of the backbone.
    """

    def __init__(self, channels: int, options: Autoformer) -> None:
        super().__init__()
        layer = (options.hidden, options.inner, options.window, options.factor, options.dropout)
        self.horizon, self.label = options.horizon, options.label
        self.decomposition = Decomposition(options.window)
        self.encoder_embedding = CircularConvolution(channels, options.hidden)
        self.decoder_embedding = CircularConvolution(channels, options.hidden)
        self.dropout = nn.Dropout(options.dropout)
        self.encoder_layers = nn.ModuleList(EncoderLayer(*layer) for _ in range(options.encoder_layers))
        self.encoder_norm = SeasonalNorm(options.hidden)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(channels, *layer) for _ in range(options.decoder_layers)
        )
        self.decoder_norm = SeasonalNorm(options.hidden)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return (batch, horizon · (hidden + channels)): seasonal features and trends, step by step."""
        seasonal, trend = self.decomposition(series)
        coming = series.mean(dim=1, keepdim=True).expand(-1, self.horizon, -1)
        trend = torch.cat([trend[:, -self.label :], coming], dim=1)
        seasonal = torch.cat([seasonal[:, -self.label :], torch.zeros_like(coming)], dim=1)
        encoded = self.dropout(self.encoder_embedding(series))
        for layer in self.encoder_layers:
            encoded = layer(encoded)
        encoded = self.encoder_norm(encoded)
        decoded = self.dropout(self.decoder_embedding(seasonal))
        for layer in self.decoder_layers:
            decoded, added = layer(decoded, encoded)
            trend = trend + added
        features = torch.cat([self.decoder_norm(decoded), trend], dim=2)
        return features[:, -self.horizon :].flatten(1)


class ForecastHead(nn.Module):
    """One output per step of the horizon, by one linear map of the features of that step.

    Parameters
    ----------
    horizon
        Steps.
    width
        Features of a step.
    """

    def __init__(self, horizon: int, width: int) -> None:
        super().__init__()
        self.horizon = horizon
        self.step = nn.Linear(width, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (batch, horizon) for (batch, horizon · width)."""
        outputs: torch.Tensor = self.step(features.view(len(features), self.horizon, -1))
        return outputs.squeeze(-1)


@dataclass(frozen=True)
class Autoformer(Backbone):
    """Seasonal-trend decomposition with auto-correlation; all channels are inputs of every task.

    The shared network gives, for every step of the horizon, the decoder's seasonal features (``hidden``)
    and the accumulated trend of every channel. A task with ``horizon`` outputs, the forecast of one
    channel, maps the features of each step to one number, by the same map at all steps: the paper's
    projection of the seasonal part plus the trend. The weight of the trends is learned as well. Where
    ``channels`` names the task's channel it starts as in the paper, at 1 for that channel's trend and 0
    for the others. Any other task has a linear head on all features.

    The paper's embedding of the calendar is left out, since inputs carry no dates; give hour and weekday
    as further channels where they matter. There are no attention heads to choose: delays are found from
    the mean over all features and applied to all, so that splitting them into heads changes nothing.

    Attributes
    ----------
    horizon
        Steps to forecast.
    label
        Last steps of the input that the decoder begins with.
    hidden, inner
        Features of a time step, and of the hidden layer within the feed-forward maps.
    encoder_layers, decoder_layers
        Number of layers.
    window
        Time steps of the moving average; odd.
    factor
        Of L delays, ``factor`` · log L are used.
    dropout
        Probability of dropping a unit while training.
    channels
        Names of the input channels, in order, joined by commas, for tasks of the same names; may be empty.
    """

    horizon: int = 24
    label: int = 48
    hidden: int = 512
    inner: int = 2048
    encoder_layers: int = 2
    decoder_layers: int = 1
    window: int = 25
    factor: float = 3.0
    dropout: float = 0.05
    channels: str = ""
    info = BackboneInfo(
        summary="Autoformer: decomposition and auto-correlation",
        inputs="series",
        reference="Wu, Xu, Wang, Long: Autoformer, NeurIPS 2021",
    )

    def __post_init__(self) -> None:
        sizes = ("horizon", "label", "hidden", "inner", "encoder_layers", "decoder_layers", "window")
        check_options("autoformer", self, dict.fromkeys(sizes, 1), ("dropout",))
        if self.window % 2 == 0:
            raise UsageError(f"Backbone 'autoformer': window must be odd, not {self.window}.")
        if not 0 < self.factor < math.inf:
            raise UsageError(f"Backbone 'autoformer': factor must be above 0, not {self.factor}.")

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.channels.split(",")) if self.channels else ()

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return encoder and decoder up to the features of the horizon."""
        _, channels = series_shape("autoformer", shape, dtype, self.label)
        named = len(self._names)
        if named and named != channels:
            raise UsageError(f"Backbone 'autoformer': {named} channels are named but series have {channels}.")
        return Forecaster(channels, self), self.horizon * (self.hidden + channels)

    def head(self, width: int, task: Task) -> nn.Module:
        """Return one map for all steps where the task has as many outputs, else a linear map."""
        if task.kind != "regression" or task.outputs != self.horizon:
            return super().head(width, task)
        head = ForecastHead(self.horizon, width // self.horizon)
        if task.name in self._names:
            with torch.no_grad():
                head.step.weight[0, self.hidden :] = 0
                head.step.weight[0, self.hidden + self._names.index(task.name)] = 1
                head.step.bias.zero_()
        return head
