"""The pairs of nodes numbered as variables: 1 where both stand in one group."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from solvers.graphs.form import Bools, Floats, Graph, Ints

S = TypeVar("S", bound=np.generic)


class Pairs:
    """Variable numbers of the pairs of n nodes, in the order of the upper triangle.

    Attributes
    ----------
    n
        Number of nodes.
    first, second
        Shape (m,): the nodes of each pair, ``first < second``.
    number
        Shape (n, n): the variable of each pair; the diagonal is not used.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.first, self.second = np.triu_indices(n, k=1)
        self.number: Ints = np.zeros((n, n), dtype=np.int64)
        self.number[self.first, self.second] = np.arange(len(self.first))
        self.number += self.number.T

    @cached_property
    def m(self) -> int:
        """Number of pairs."""
        return len(self.first)

    def vector(self, matrix: NDArray[S]) -> NDArray[S]:
        """Return the entries of a symmetric matrix above the diagonal, shape (m,)."""
        return np.ascontiguousarray(matrix[self.first, self.second])

    def matrix(self, vector: Floats, diagonal: float) -> Floats:
        """Return the symmetric matrix, shape (n, n), of a value per pair."""
        full = np.full((self.n, self.n), diagonal)
        full[self.first, self.second] = vector
        full[self.second, self.first] = vector
        return full


def closure(graph: Graph, together: Bools, apart: Bools) -> tuple[Bools, Bools] | None:
    """Complete decisions on pairs; None where they contradict one another or the demands.

    Parameters
    ----------
    graph
        The demands.
    together, apart
        Shape (n, n), symmetric: what is decided.
    """
    joined = together | np.eye(graph.n, dtype=bool)
    while True:
        reach = joined.astype(np.float32)
        wider = (reach @ reach) > 0
        if (wider == joined).all():
            break
        joined = wider
    reach = joined.astype(np.float32)
    total = reach @ graph.sizes.astype(np.float32)
    too_large = (total[:, None] + total[None, :] > graph.max_size + 0.5) & ~joined
    parted = (reach @ (apart | graph.apart).astype(np.float32) @ reach) > 0
    parted |= too_large
    if (parted & joined).any() or (total > graph.max_size + 0.5).any():
        return None
    if len(np.unique(joined.argmax(axis=1))) < graph.min_groups:
        return None
    np.fill_diagonal(joined, False)
    return joined, parted
