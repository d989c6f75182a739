"""What it takes to serve every task at all."""

from __future__ import annotations

import numpy as np

from engine.gains.tensor import GainTensor


def cover_cost(gains: GainTensor) -> float:
    """Return the cost of groups that together hold every task, found greedily.

    Parameters
    ----------
    gains
        Every task is in some group.
    """
    lacking = np.ones(gains.n_tasks, dtype=bool)
    cost = np.maximum(gains.cost, 1e-12)  # of several free groups, the one that holds more
    total = 0.0
    while lacking.any():
        held = np.add.reduceat(lacking[gains.members], gains.indptr[:-1], dtype=np.int64)
        best = int(np.argmax(held / cost))
        lacking[gains.members[gains.row(best)]] = False
        total += float(gains.cost[best])
    return total
