"""Linear rows over the pairs: inequalities ``Σ coefficient · x ≤ limit``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.graphs.form import Bools, Floats, Graph, Ints
from solvers.graphs.pairs import Pairs

Row = tuple[Ints, Floats, float]
"""Variables, coefficients and limit."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as arrays.

    Attributes
    ----------
    indptr, columns, coefficients
        Row r holds the entries ``indptr[r]:indptr[r + 1]``.
    limits
        Shape (r,).
    keys
        Shape (r,): tells equal rows; rows with key 0 are demands and always kept.
    """

    indptr: Ints
    columns: Ints
    coefficients: Floats
    limits: Floats
    keys: Ints

    @classmethod
    def of(cls, rows: Sequence[Row], keys: Sequence[int] | None = None) -> Rows:
        """Store some rows; as demands if they have no keys."""
        lengths = [len(columns) for columns, _, _ in rows]
        return cls(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([np.zeros(0, np.int64), *(columns for columns, _, _ in rows)]).astype(np.int64),
            np.concatenate([np.zeros(0), *(coefficients for _, coefficients, _ in rows)]),
            np.array([limit for _, _, limit in rows], dtype=np.float64),
            np.zeros(len(rows), np.int64) if keys is None else np.array(keys, dtype=np.int64),
        )

    @classmethod
    def triangles(cls, pairs: Pairs, corners: Ints) -> Rows:
        """Return the rows x_ij + x_jk − x_ik ≤ 1.

        Parameters
        ----------
        pairs
            The variables.
        corners
            Shape (r, 3): i, k and the centre j.
        """
        i, k, j = corners.T
        columns = np.stack([pairs.number[i, j], pairs.number[j, k], pairs.number[i, k]], axis=1)
        count = len(corners)
        return cls(
            np.arange(0, 3 * count + 1, 3, dtype=np.int64),
            columns.ravel(),
            np.tile([1.0, 1.0, -1.0], count),
            np.ones(count),
            1 + (np.minimum(i, k) * pairs.n + np.maximum(i, k)) * pairs.n + j,
        )

    def __len__(self) -> int:
        return len(self.limits)

    def select(self, keep: Bools) -> Rows:
        """Return some of the rows."""
        lengths = np.diff(self.indptr)
        entries = np.repeat(keep, lengths)
        return Rows(
            np.concatenate([[0], np.cumsum(lengths[keep])]),
            self.columns[entries],
            self.coefficients[entries],
            self.limits[keep],
            self.keys[keep],
        )

    def join(self, other: Rows) -> Rows:
        """Return these rows and then others."""
        return Rows(
            np.concatenate([self.indptr, self.indptr[-1] + other.indptr[1:]]),
            np.concatenate([self.columns, other.columns]),
            np.concatenate([self.coefficients, other.coefficients]),
            np.concatenate([self.limits, other.limits]),
            np.concatenate([self.keys, other.keys]),
        )

    def squares(self) -> Floats:
        """Return the squared norm of each row."""
        return np.add.reduceat(np.append(self.coefficients**2, 0.0), self.indptr[:-1])[: len(self)]

    def weighted(self, multipliers: Floats, variables: int) -> Floats:
        """Return the sum of the rows, each times its multiplier, shape (variables,)."""
        spread = np.repeat(multipliers, np.diff(self.indptr)) * self.coefficients
        total: Floats = np.bincount(self.columns, spread, minlength=variables).astype(np.float64)
        return total

    def crowd(self) -> int:
        """Return the largest number of rows that hold one variable."""
        return int(np.bincount(self.columns, minlength=1).max())


def dual_bound(
    objective: Floats, rows: Rows, multipliers: Floats, lower: Floats, upper: Floats
) -> tuple[float, Floats]:
    """Return an upper bound on the objective within rows and bounds, and the reduced objective.

    Weak duality holds for any non-negative multipliers, so nothing here depends on how good they are;
    what rounding may take is added.

    Parameters
    ----------
    objective
        Shape (m,).
    rows, multipliers
        The inequalities, and a number ≥ 0 for each.
    lower, upper
        Shape (m,): bounds of the variables.
    """
    reduced = objective - rows.weighted(multipliers, len(objective))
    bound = float(multipliers @ rows.limits) + float(np.maximum(reduced * lower, reduced * upper).sum())
    magnitude = float(np.abs(objective).sum() + np.abs(multipliers * rows.limits).sum())
    magnitude += float((np.repeat(multipliers, np.diff(rows.indptr)) * np.abs(rows.coefficients)).sum())
    return bound + 2.3e-16 * (rows.crowd() + 40) * magnitude, reduced


def demand_rows(graph: Graph, pairs: Pairs) -> list[Row]:
    """Return the demands on sizes, numbers of groups, floors and forbidden groups as rows.

    They are necessary; with every pair decided and transitive, :meth:`Graph.feasible` decides.

    Parameters
    ----------
    graph, pairs
        The demands and the variables.
    """
    rows: list[Row] = []
    n, sizes = graph.n, graph.sizes.astype(np.float64)
    for node in range(n):
        others = np.delete(np.arange(n), node)
        columns, weights = pairs.number[node, others], sizes[others]
        if graph.max_size < sizes.sum():
            rows.append((columns, weights, graph.max_size - sizes[node]))
        if graph.min_size > sizes[node]:
            rows.append((columns, -weights, sizes[node] - graph.min_size))
    for group in graph.forbidden:
        members = np.flatnonzero(group)
        for centre in members:
            others = np.delete(np.arange(n), centre)
            signs = np.where(group[others], 1.0, -1.0)
            rows.append((pairs.number[centre, others], signs, float(len(members) - 2)))
    floors = graph.floors
    for one, node in enumerate(floors.node):
        others = np.delete(np.arange(n), node)
        limit = floors.constant[one] - floors.least[one] + floors.slack[one]
        rows.append((pairs.number[node, others], -floors.effect[one, others], float(limit)))
    every = np.arange(pairs.m)
    if graph.max_groups < n:
        quotient, rest = divmod(n, graph.max_groups)
        fewest = rest * (quotient + 1) * quotient // 2
        fewest += (graph.max_groups - rest) * quotient * (quotient - 1) // 2
        rows.append((every, -np.ones(pairs.m), -float(fewest)))
    if graph.min_groups > 1:
        largest = n - graph.min_groups + 1
        rows.append((every, np.ones(pairs.m), largest * (largest - 1) / 2))
    return rows


def representative_rows(graph: Graph, pairs: Pairs) -> list[Row]:
    """Return rows that count groups by their first nodes; those are n further variables.

    Node i is the first of its group where no earlier node is with it (Grötschel and Wakabayashi's
    variables, extended by Ales, Knippel and Pauchet, 2016).

    Parameters
    ----------
    graph, pairs
        The demands and the variables.
    """
    n, first = graph.n, pairs.m
    rows: list[Row] = []
    for node in range(n):
        earlier = pairs.number[node, :node]
        rows.append((np.append(earlier, first + node), -np.ones(node + 1), -1.0))
        rows += [(np.array([pair, first + node]), np.ones(2), 1.0) for pair in earlier]
    every = first + np.arange(n)
    rows.append((every, np.ones(n), float(graph.max_groups)))
    rows.append((every, -np.ones(n), -float(graph.min_groups)))
    return rows
