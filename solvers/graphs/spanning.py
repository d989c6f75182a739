"""Spanning trees: at least k groups leave at most n − k edges of any tree inside groups."""

from __future__ import annotations

import numpy as np

from solvers.graphs.form import Bools, Floats
from solvers.graphs.pairs import Pairs
from solvers.graphs.rows import Row, Rows

TREES = 4
"""So many trees are tried at a time."""

KEYS = -(2**62)
"""Where the keys of these rows begin; far below those of stars."""


def violated_trees(pairs: Pairs, x: Floats, groups: int, least: float) -> Rows:
    """Return inequalities Σ x over the edges of a spanning tree ≤ n − k that a point violates.

    The tree of greatest weight decides whether there is one; others near it help, too.

    Parameters
    ----------
    pairs
        The variables.
    x
        Shape (n, n): their values.
    groups
        k.
    least
        What counts as violated.
    """
    limit = float(pairs.n - groups)
    rng = np.random.default_rng(0)
    rows: dict[bytes, Row] = {}
    for trial in range(TREES):
        weights = x if trial == 0 else x + np.triu(rng.uniform(0.0, 0.05, x.shape), 1)
        edges = heaviest_tree(pairs, np.maximum(weights, weights.T))
        value = float(pairs.vector(x)[edges].sum())
        if value > limit + least:
            columns = np.flatnonzero(edges)
            rows[columns.tobytes()] = (columns, np.ones(len(columns)), limit)
        elif trial == 0:
            break
    return Rows.of(list(rows.values()), [KEYS + hash(tuple(row[0])) // 4 for row in rows.values()])


def heaviest_tree(pairs: Pairs, weights: Floats) -> Bools:
    """Return the pairs of the spanning tree of greatest weight, shape (m,), by Prim's method (1957).

    Parameters
    ----------
    pairs
        The variables.
    weights
        Shape (n, n), symmetric.
    """
    edges = np.zeros(pairs.m, dtype=bool)
    outside = np.ones(pairs.n, dtype=bool)
    outside[0] = False
    near, reach = np.zeros(pairs.n, dtype=np.int64), weights[0].copy()
    for _ in range(pairs.n - 1):
        node = int(np.argmax(np.where(outside, reach, -np.inf)))
        edges[pairs.number[node, near[node]]] = True
        outside[node] = False
        closer = weights[node] > reach
        near[closer], reach[closer] = node, weights[node][closer]
    return edges
