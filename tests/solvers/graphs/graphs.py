"""Random signed graphs with random demands."""

from __future__ import annotations

import numpy as np

from engine import (
    Affinity,
    Apart,
    Budget,
    Constraint,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    LatticeProblem,
    Mandatory,
    Together,
    graph_problem,
)


def affinity(n: int, seed: int, *, digits: int | None = None) -> Affinity:
    """Directed effects, part structure and part noise; rounded, and then with ties, if asked for."""
    rng = np.random.default_rng([seed, 7])
    hidden = rng.normal(size=(n, 2))
    matrix = hidden @ hidden.T + rng.normal(0.0, 0.7, size=(n, n))
    if digits is not None:
        matrix = np.round(matrix, digits)
    return Affinity(tuple(f"t{column}" for column in range(n)), matrix)


def demands(n: int, seed: int) -> list[Constraint]:
    """Up to three random demands, which may contradict one another."""
    rng = np.random.default_rng([seed, 8])
    names = [f"t{column}" for column in range(n)]

    def some(low: int, high: int) -> list[str]:
        count = int(rng.integers(low, min(high, n) + 1))
        return [names[task] for task in rng.choice(n, count, replace=False)]

    made: list[Constraint] = []
    for kind in rng.choice(9, int(rng.integers(1, 4)), replace=False):
        if kind == 0:
            made.append(GroupSize(at_most=int(rng.integers(1, n + 1))))
        elif kind == 1:
            made.append(GroupSize(at_least=int(rng.integers(2, max(3, n // 2 + 1)))))
        elif kind == 2:
            count = int(rng.integers(1, n + 1))
            made.append(GroupCount(at_most=count, at_least=count))
        elif kind == 3:
            made.append(Budget(int(rng.integers(1, n + 1))))
        elif kind == 4:
            made.append(Together(some(2, 3)))
        elif kind == 5:
            made.append(Apart(some(2, 4)))
        elif kind == 6:
            made.append(Mandatory(some(1, 3)))
        elif kind == 7:
            made.append(Forbidden(some(1, 3)))
        else:
            made.append(Floor(float(rng.normal(-0.5, 0.6)), some(1, n)))
    return made


def random_graph(seed: int) -> LatticeProblem:
    """A graph of three to eight tasks; every third one without demands, every fourth one with ties."""
    n = 3 + seed % 6
    asked = [] if seed % 3 == 0 else demands(n, seed)
    return graph_problem(affinity(n, seed, digits=1 if seed % 4 == 0 else None), asked)
