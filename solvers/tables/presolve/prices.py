"""The multipliers of the relaxation as one vector of prices, and the bounds on them."""

from __future__ import annotations

import numpy as np

from engine.problem.program import Program
from solvers.kernels.arrays import fitted
from solvers.kernels.programs import Dual
from solvers.tables.presolve.interface import LARGEST_PRICE, Floats, Multipliers, uncovered_worth


def prices_of(at: Multipliers) -> Floats:
    """Return multipliers as one vector, shape (2 N + 1,)."""
    return np.concatenate([at.u, at.mu, [at.lam]])


def multipliers_of(prices: Floats) -> Multipliers:
    """Return the multipliers in a vector of shape (2 N + 1,)."""
    n_tasks = len(prices) // 2
    return Multipliers(prices[:n_tasks], prices[n_tasks:-1], float(prices[-1]))


def dual_of(program: Program) -> Dual:
    """Return the demands of a program that prices are put on, and the bounds on the prices."""
    floor = uncovered_worth(program)
    capped = np.isfinite(program.max_cost)
    shares = 0 if program.is_partition else program.max_memberships or 0
    supply = [1.0, shares, program.max_cost if capped else 0.0]
    dearest = -LARGEST_PRICE * floor[:1] / program.max_cost if capped else np.zeros(1)
    return fitted(
        Dual,
        supply=np.repeat(supply, [program.n_tasks, program.n_tasks, 1]),
        low=np.concatenate([floor, np.zeros(program.n_tasks + 1)]),
        high=np.concatenate([-floor, -floor, dearest]),
    )
