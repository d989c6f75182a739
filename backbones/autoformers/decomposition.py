"""Splits a series into its trend and what is left."""

from __future__ import annotations

import torch
from torch import nn


class Decomposition(nn.Module):
    """Moving average over time, the ends repeated.

    Parameters
    ----------
    window
        Odd number of time steps.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.margin = window // 2
        self.average = nn.AvgPool1d(window, stride=1)

    def forward(self, series: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the seasonal part and the trend of series (batch, time, channels)."""
        first = series[:, :1].expand(-1, self.margin, -1)
        last = series[:, -1:].expand(-1, self.margin, -1)
        padded = torch.cat([first, series, last], dim=1)
        trend = self.average(padded.transpose(1, 2)).transpose(1, 2)
        return series - trend, trend
