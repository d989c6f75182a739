"""What a relaxation of a graph problem tells about a part of the search tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from solvers.graphs.form import Floats


@dataclass(frozen=True, eq=False)
class RelaxedGraph:
    """What is known of the partitions within some bounds on the pairs.

    Attributes
    ----------
    bound
        Proven upper bound on their value, without ``graph.base``; −inf where there is none.
    x
        Shape (m,): how far each pair stands together, in 0…1; near an optimum of the relaxation.
    reduced
        Shape (m,): by how much the bound falls, at least, per unit that a pair moves against its sign.
    state
        Where a relaxation of a smaller part may begin.
    """

    bound: float
    x: Floats
    reduced: Floats
    state: Any


class Relaxation(Protocol):
    """Bounds parts of the search tree."""

    def solve(
        self, state: Any, lower: Floats, upper: Floats, target: float, told: Callable[[float, Floats], bool]
    ) -> RelaxedGraph:
        """Bound the partitions whose pairs lie within ``lower`` and ``upper``, shape (m,).

        Parameters
        ----------
        state
            Of a larger part, or None.
        lower, upper
            Bounds of the pairs.
        target
            A bound of this or less is good enough.
        told
            Told the bound and the values of the pairs now and then; True ends the work.
        """
        ...
