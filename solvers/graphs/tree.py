"""Branch and cut over pairs: together or apart."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from engine.solving.control import Control
from engine.solving.solve import PROOF_TOLERANCE
from solvers.graphs.form import Bools, Floats, Graph, Ints
from solvers.graphs.pairs import Pairs, closure
from solvers.graphs.relaxation import Relaxation
from solvers.graphs.search import Search

REPEATED = 0.05
"""A part is bounded again where this share of its open pairs was fixed."""

REMEMBERED = 2000
"""So many open parts remember where their relaxation may begin; the memory of more could run out."""


@dataclass(order=True)
class Part:
    """A part of the search tree: the partitions that agree with some decisions on pairs.

    Attributes
    ----------
    bound
        Proven for the part, without ``graph.base``; negated, so that the largest comes first.
    number
        Breaks ties.
    together, apart
        Shape (n, n): what is decided.
    state
        Where its relaxation may begin.
    """

    bound: float
    number: int
    together: Bools = field(compare=False)
    apart: Bools = field(compare=False)
    state: Any = field(compare=False)


class CutTree:
    """Search all partitions, best bound first, diving from each branching.

    Parameters
    ----------
    graph
        What to partition.
    control
        Told of bounds and partitions; ends the search early.
    search
        Holds the best partition so far, and looks for better ones around the relaxation's optima.
    """

    def __init__(self, graph: Graph, control: Control, search: Search) -> None:
        self.graph = graph
        self.pairs = Pairs(graph.n)
        self.search = search
        self.control = control
        self.numbers = count()
        start = closure(graph, np.zeros_like(graph.apart), graph.apart)
        self.open = [] if start is None else [Part(-np.inf, next(self.numbers), *start, None)]
        self.parts = 0
        self.level = -np.inf
        self.grid = _grid(graph)

    @property
    def worthless(self) -> float:
        """A bound of this or less, without ``graph.base``, leaves nothing to find."""
        if self.search.labels is None:
            return -float(np.abs(self.graph.weights).sum()) - 1.0
        value = self.search.value - self.graph.base
        if self.grid:
            return value + self.grid * (1 - 2e-3)
        return value + 0.1 * PROOF_TOLERANCE * self.graph.problem.scale

    def bound(self, current: float = -np.inf) -> float:
        """Return what is proven of all partitions, in program form.

        Parameters
        ----------
        current
            The bound of the part at work.
        """
        widest = max([current, self.level, *(-part.bound for part in self.open[:1])])
        if self.search.labels is None:
            return widest + self.graph.base
        value = self.search.value - self.graph.base
        if self.grid and widest <= value + self.grid * (1 - 1e-3):  # no value lies between
            widest = value
        return max(widest, value) + self.graph.base

    def run(self, relaxation: Relaxation, most: float = np.inf) -> bool:
        """Search on until nothing is open; return whether that was reached.

        Parameters
        ----------
        relaxation
            Bounds the parts; those that another one left open are bounded from scratch.
        most
            Give up after so many parts.
        """
        self.relaxation = relaxation
        for part in self.open:
            part.state = None
        first: Part | None = None
        while first is not None or self.open:
            part = heapq.heappop(self.open) if first is None else first
            if self.control.should_stop() or self.parts >= most:
                heapq.heappush(self.open, part)
                return False
            self.parts += 1
            first = self._explore(part)
            if first is not None or self.open or self.search.labels is not None:
                self.control.tighten(self.bound(-first.bound if first else -np.inf))
        return True

    def _cut(self, bound: float) -> bool:
        """Whether a bound leaves nothing to find; if so, it is noted."""
        if bound > self.worthless:
            return False
        self.level = max(self.level, bound if self.search.labels is not None else -np.inf)
        return True

    def _explore(self, part: Part) -> Part | None:
        """Bound a part, fix what can be fixed, and branch; return the half to go on with."""
        together, apart, state = part.together, part.apart, part.state
        bound = -part.bound
        while True:
            if self._cut(bound):
                return None
            free = ~self.pairs.vector(together | apart)
            if not free.any():
                self._decided(together)
                return None
            lower = self.pairs.vector(together.astype(np.float64))
            upper = 1.0 - self.pairs.vector(apart.astype(np.float64))

            def told(now: float, x: Floats, known: float = bound) -> bool:
                if self.parts == 1:
                    self.control.tighten(self.bound(min(now, known)))
                return self.control.should_stop()

            relaxed = self.relaxation.solve(state, lower, upper, self.worthless, told)
            state, bound = relaxed.state, min(bound, relaxed.bound)
            if self._cut(bound):
                return None
            self.search.descend(self._rounded(relaxed.x))
            if self.control.should_stop():
                heapq.heappush(self.open, Part(-bound, next(self.numbers), together, apart, state))
                return None
            room = relaxed.bound - self.worthless
            self.level = max(self.level, self.worthless) if self.search.labels is not None else self.level
            one = free & (relaxed.reduced > room)
            zero = free & (relaxed.reduced < -room)
            decided = int((one | zero).sum())
            if not decided:
                break
            closed = self._decide(together, apart, one, zero)
            if closed is None:
                return None
            together, apart = closed
            if decided < REPEATED * int(free.sum()):
                break
        return self._branch(together, apart, relaxed.x, bound, state)

    def _decide(self, together: Bools, apart: Bools, one: Bools, zero: Bools) -> tuple[Bools, Bools] | None:
        joined = together | (self.pairs.matrix(one.astype(np.float64), 0.0) > 0)
        parted = apart | (self.pairs.matrix(zero.astype(np.float64), 0.0) > 0)
        return closure(self.graph, joined, parted)

    def _branch(self, together: Bools, apart: Bools, x: Floats, bound: float, state: Any) -> Part | None:
        free = ~self.pairs.vector(together | apart)
        if not free.any():
            self._decided(together)
            return None
        halves = np.minimum(x, 1.0 - x) + 1e-6
        weight = np.abs(self.pairs.vector(self.graph.weights))
        merit = np.where(free, halves * (weight + 1e-3 * (weight.max() + 1.0)), -1.0)
        place = int(np.argmax(merit))
        chosen = np.zeros(self.pairs.m, dtype=bool)
        chosen[place] = True
        nothing = np.zeros_like(chosen)
        likely = x[place] >= 0.5
        parts = []
        for one, zero in ((chosen, nothing), (nothing, chosen)):
            closed = self._decide(together, apart, one, zero)
            parts.append(None if closed is None else Part(-bound, next(self.numbers), *closed, state))
        near, far = (parts[0], parts[1]) if likely else (parts[1], parts[0])
        if near is None:
            return far
        if far is not None:
            if len(self.open) >= REMEMBERED:
                far.state = None
            heapq.heappush(self.open, far)
        return near

    def _decided(self, together: Bools) -> None:
        self.search.report((together | np.eye(self.graph.n, dtype=bool)).argmax(axis=1))

    def _rounded(self, x: Floats) -> Ints:
        """Return the partition whose groups are linked by pairs of more than one half."""
        matrix = self.pairs.matrix(x, 1.0)
        labels = np.full(self.graph.n, -1)
        for node in np.argsort(-matrix.sum(axis=1), kind="stable"):
            if labels[node] < 0:
                labels[(labels < 0) & (matrix[node] > 0.5)] = node
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _grid(graph: Graph) -> float:
    """Return a number that the values of all partitions are multiples of, up to rounding; 0 for none."""
    weights = graph.weights[np.triu_indices(graph.n, 1)]
    largest = float(np.abs(weights).max(initial=0.0))
    for digits in range(13):
        grid = 0.5 * 10.0**-digits
        if not largest or largest / grid > 1e12:
            break
        astray = float(np.abs(weights - grid * np.round(weights / grid)).sum())
        if 2 * astray + 4 * graph.rounding() < 1e-3 * grid:
            return grid
    return 0.0
