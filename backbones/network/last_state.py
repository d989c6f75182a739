"""Recurrence over a series, ended in one vector."""

from __future__ import annotations

import torch
from torch import nn


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
