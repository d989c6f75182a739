"""Encoder and decoder layers of the Autoformer."""

from __future__ import annotations

import torch
from torch import nn

from backbones.autoformers.auto_correlation import AutoCorrelation
from backbones.autoformers.decomposition import Decomposition


class FeedForward(nn.Sequential):
    """Two maps of every time step, with GELU between.

    Parameters
    ----------
    width, inner
        Of the features and of the hidden layer.
    dropout
        Probability of dropping a unit while training.
    """

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, inner, bias=False),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(inner, width, bias=False),
            nn.Dropout(dropout),
        )


class SeasonalNorm(nn.Module):
    """Layer normalisation whose mean over time is taken away.

    Parameters
    ----------
    width
        Of the features of a time step.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        # A bias would be taken away again with the mean.
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return the normalised series."""
        normed: torch.Tensor = self.norm(series)
        return normed - normed.mean(dim=1, keepdim=True)


class CircularConvolution(nn.Module):
    """A convolution over three time steps of a series that closes on itself.

    Parameters
    ----------
    entering, leaving
        Channels.
    """

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(entering, leaving, 3, padding=1, padding_mode="circular", bias=False)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return shape (batch, time, leaving) for (batch, time, entering)."""
        values: torch.Tensor = self.convolution(series.transpose(1, 2))
        return values.transpose(1, 2)


class EncoderLayer(nn.Module):
    """Auto-correlation and feed-forward; after each, only the seasonal part goes on.

    Parameters
    ----------
    width, inner, window, factor, dropout
        As in :class:`~backbones.autoformer.Autoformer`.
    """

    def __init__(self, width: int, inner: int, window: int, factor: float, dropout: float) -> None:
        super().__init__()
        self.correlation = AutoCorrelation(width, factor)
        self.forwards = FeedForward(width, inner, dropout)
        self.decomposition = Decomposition(window)
        self.dropout = nn.Dropout(dropout)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return the seasonal features."""
        series, _ = self.decomposition(series + self.dropout(self.correlation(series, series)))
        seasonal: torch.Tensor = self.decomposition(series + self.forwards(series))[0]
        return seasonal


class DecoderLayer(nn.Module):
    """Auto-correlation with itself and with the encoder, feed-forward; the trends are added up.

    Parameters
    ----------
    channels
        Of the series; the trend has as many.
    width, inner, window, factor, dropout
        As in :class:`~backbones.autoformer.Autoformer`.
    """

    def __init__(
        self, channels: int, width: int, inner: int, window: int, factor: float, dropout: float
    ) -> None:
        super().__init__()
        self.own = AutoCorrelation(width, factor)
        self.cross = AutoCorrelation(width, factor)
        self.forwards = FeedForward(width, inner, dropout)
        self.decomposition = Decomposition(window)
        self.dropout = nn.Dropout(dropout)
        self.trend = CircularConvolution(width, channels)

    def forward(self, series: torch.Tensor, encoded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the seasonal features, and what the layer adds to the trend of the channels."""
        series, first = self.decomposition(series + self.dropout(self.own(series, series)))
        series, second = self.decomposition(series + self.dropout(self.cross(series, encoded)))
        series, third = self.decomposition(series + self.forwards(series))
        return series, self.trend(first + second + third)
