"""Attention over delays instead of time steps."""

from __future__ import annotations

import math

import torch
from torch import nn


def circular_correlation(queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Return the circular correlation over time, by the fast Fourier transform.

    Parameters
    ----------
    queries, keys
        Shape (batch, time, channels).

    Returns
    -------
    Tensor
        Shape (batch, time, channels): entry τ is the sum over t of query (t + τ) times key t.
    """
    length = queries.shape[1]
    spectrum = torch.fft.rfft(queries, dim=1) * torch.fft.rfft(keys, dim=1).conj()
    correlation: torch.Tensor = torch.fft.irfft(spectrum, n=length, dim=1)
    return correlation


class AutoCorrelation(nn.Module):
    """Adds up the values at the delays at which queries and keys agree best.

    The delays are chosen for each sample by itself, in training too, so that the features of a sample
    do not depend on the others of its batch. Heads choose the same delays, as in the paper's code.

    Parameters
    ----------
    width
        Of the features of a time step.
    factor
        c: of L delays, the c · log L best are used.
    """

    def __init__(self, width: int, factor: float) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        # A constant added to all keys shifts every delay's correlation alike, and the softmax undoes it.
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.factor = factor

    def forward(self, series: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return what series (batch, time, width) draws from other (batch, any time, width)."""
        batch, length, width = series.shape
        queries = self.query(series)
        keys, values = (_fit(mapped, length) for mapped in (self.key(other), self.value(other)))
        # Half-precision transforms exist on few devices and for few lengths.
        exact = torch.float64 if queries.dtype == torch.float64 else torch.float32
        scores = circular_correlation(queries.to(exact), keys.to(exact)).mean(dim=2)
        count = min(length, max(1, int(self.factor * math.log(length))))
        best, delays = scores.topk(count, dim=1)
        weights = torch.softmax(best, dim=1).to(values.dtype)
        times = torch.arange(length, device=series.device)
        index = (times[None, None, :] + delays[:, :, None]) % length
        flat = index.reshape(batch, count * length, 1).expand(-1, -1, width)
        delayed = values.gather(1, flat).view(batch, count, length, width)
        drawn: torch.Tensor = self.output((delayed * weights[:, :, None, None]).sum(dim=1))
        return drawn


def _fit(values: torch.Tensor, length: int) -> torch.Tensor:
    """Return the first time steps, or all of them followed by zeros."""
    missing = length - values.shape[1]
    return nn.functional.pad(values, (0, 0, 0, missing)) if missing > 0 else values[:, :length]
