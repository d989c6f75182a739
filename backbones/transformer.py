"""Transformer encoder over a series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_heads, check_options, series_shape
from engine.errors import unknown_name

POOLINGS = ("mean", "last")


def sinusoids(length: int, width: int) -> torch.Tensor:
    """Return the positional encoding of Vaswani et al., shape (length, width)."""
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
    encoding = torch.zeros(length, width, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(position * rate)
    encoding[:, 1::2] = torch.cos(position * rate[: width // 2])
    return encoding.float()


class SeriesTransformer(nn.Module):
    """Embeds every time step, lets them attend to one another, and pools them.

    Parameters
    ----------
    length, channels
        Of the series.
    options
        Width, layers, heads, dropout, pooling.
    """

    positions: torch.Tensor

    def __init__(self, length: int, channels: int, options: Transformer) -> None:
        super().__init__()
        self.embedding = nn.Linear(channels, options.hidden)
        self.register_buffer("positions", sinusoids(length, options.hidden))
        self.dropout = nn.Dropout(options.dropout)
        # Layers of their own, since nn.TransformerEncoder copies one layer and all would start alike.
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                options.hidden,
                options.heads,
                4 * options.hidden,
                options.dropout,
                batch_first=True,
                norm_first=True,
            )
            for _ in range(options.layers)
        )
        self.norm = nn.LayerNorm(options.hidden)
        self.pooling = options.pooling

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return features (batch, hidden) of series (batch, time, channels)."""
        values = self.dropout(self.embedding(series) + self.positions)
        for layer in self.layers:
            values = layer(values)
        normed: torch.Tensor = self.norm(values)
        return normed.mean(dim=1) if self.pooling == "mean" else normed[:, -1]


@dataclass(frozen=True)
class Transformer(Backbone):
    """Self-attention over the time steps of a series.

    The defaults but for ``dropout`` are the setting of the MIMIC-III tasks of Song et al. (2022).

    Attributes
    ----------
    hidden
        Width of a time step's features.
    layers
        Number of encoder layers.
    heads
        Attention heads; they share ``hidden`` evenly.
    dropout
        Probability of dropping a unit or an attention weight while training.
    pooling
        ``"mean"`` over time, or the ``"last"`` step.
    """

    hidden: int = 128
    layers: int = 2
    heads: int = 2
    dropout: float = 0.1
    pooling: str = "mean"
    info = BackboneInfo(
        summary="Transformer encoder over time steps",
        inputs="series",
        reference="Vaswani et al.: Attention is all you need, NeurIPS 2017",
    )

    def __post_init__(self) -> None:
        check_options("transformer", self, {"hidden": 1, "layers": 1, "heads": 1}, ("dropout",))
        check_heads("transformer", self.hidden, self.heads)
        if self.pooling not in POOLINGS:
            raise unknown_name("pooling of backbone 'transformer':", str(self.pooling), POOLINGS)

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the encoder."""
        length, channels = series_shape("transformer", shape, dtype)
        return SeriesTransformer(length, channels, self), self.hidden
