"""The compiled sum of what serving is worth, over a table of predictions."""

from __future__ import annotations

from solvers.kernels.arrays import Floats, OutFloats, Singles2
from solvers.kernels.jit import kernel


@kernel
def add_margins(values: Singles2, prices: Floats, scale: float, worth: OutFloats) -> None:
    """Add to the worth of each lane what serving its tasks is worth beyond their prices.

    Parameters
    ----------
    values
        Shape (N, lanes): the value of each task, far below any price where it may not be served.
    prices
        Shape (N,), in the unit of the values.
    scale
        What a unit of the values is worth.
    worth
        Shape (lanes,), added to.
    """
    for t in range(len(prices)):
        price = prices[t]
        for lane in range(len(worth)):
            worth[lane] += max(values[t, lane] - price, 0.0) * scale
