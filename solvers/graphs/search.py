"""Iterated local search over partitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from engine.solving.control import Control
from solvers.graphs.chains import chain, compiled_chain
from solvers.graphs.form import Graph, Ints
from solvers.graphs.moves import Penalties, best_merge, best_swap, splits
from solvers.kernels.loading import loading

COMPILED_NODES = 40
"""From so many nodes on, compiled chains repay the wait for the compiler."""

Chain = Callable[[Penalties, Ints, int], float]


class Search:
    """Chains of moves, swaps, mergers and splits of groups, with perturbed restarts.

    The moves of Kernighan and Lin (1970) for any number of groups, iterated as by Lourenço, Martin
    and Stützle (2003).

    Parameters
    ----------
    graph
        What to partition.
    control
        Told of every better partition that meets the demands.
    rng
        Decides the perturbations.
    compiled
        Whether chains are compiled; by default for large graphs, so that small ones need no compiler.
    """

    def __init__(
        self, graph: Graph, control: Control, rng: np.random.Generator, compiled: bool | None = None
    ) -> None:
        self.graph = graph
        self.control = control
        self.rng = rng
        self.penalties = Penalties.of(graph)
        self.labels: Ints | None = None
        self.value = -np.inf
        self._compiled = graph.n >= COMPILED_NODES if compiled is None else compiled

    @cached_property
    def chain(self) -> Chain:
        """The walk, compiled where that is wanted."""
        if not self._compiled:
            return chain
        with loading(self.control):
            import solvers.kernels.chains  # noqa: F401
        return compiled_chain

    def run(self, iterations: int, starts: Sequence[Ints] = ()) -> Ints | None:
        """Search; return the best partition found that meets the demands, None without one.

        Parameters
        ----------
        iterations
            Perturbations to try.
        starts
            Partitions, shape (n,), to begin from; by default all nodes alone, and a random one.
        """
        begun = list(starts) or [np.arange(self.graph.n), self._random()]
        for start in begun:
            self.report(start)
        found = [self.descend(start) for start in begun]
        scores = [self.penalties.score(labels) for labels in found]
        current, score = found[int(np.argmax(scores))], max(scores)
        best, top = current, score
        for _ in range(iterations):
            if self.control.should_stop():
                break
            other = self.descend(self._perturbed(current))
            other_score = self.penalties.score(other)
            if other_score >= score - self.penalties.tolerance:
                current, score = other, other_score
                if score > top + self.penalties.tolerance:
                    best, top = current, score
            elif self.rng.random() < 0.1:
                current, score = best, top
        return self.labels

    def descend(self, start: Ints) -> Ints:
        """Return the local optimum reached from a partition, and report it if it meets the demands.

        Parameters
        ----------
        start
            Shape (n,).
        """
        labels = np.unique(start, return_inverse=True)[1].astype(np.int64)
        patience = max(10, self.graph.n // 3)
        while not self.control.should_stop():
            while self.chain(self.penalties, labels, patience) > 0 and not self.control.should_stop():
                pass
            better = self._regrouped(labels)
            if better is None:
                break
            labels = better
        self.report(labels)
        return labels

    def report(self, labels: Ints) -> bool:
        """Keep a partition if it meets the demands and is the best so far; return whether it was."""
        value = self.graph.value(labels)
        if value <= self.value or not self.graph.feasible(labels):
            return False
        self.labels, self.value = labels.copy(), value
        self.control.incumbent(self.graph.membership(labels), value)
        return True

    def _regrouped(self, labels: Ints) -> Ints | None:
        """Return a better partition by a swap, a merger or a split, None where there is none."""
        score = self.penalties.score(labels)
        for move in (best_swap, best_merge):
            other = move(self.penalties, labels)
            if other is not None and self.penalties.score(other) > score + self.penalties.tolerance:
                return other
        for other in splits(self.penalties, labels):
            if self.penalties.score(other) > score + self.penalties.tolerance:
                return other
        return None

    def _random(self) -> Ints:
        graph, rng = self.graph, self.rng
        most = min(graph.max_groups, max(2, graph.n // 4))
        groups = max(graph.min_groups, int(rng.integers(1, most + 1)))
        labels = np.arange(graph.n) % groups
        return rng.permutation(labels)

    def _perturbed(self, labels: Ints) -> Ints:
        """Return a partition nearby: some nodes moved, two groups merged, one dissolved, or a new start."""
        rng, n = self.rng, self.graph.n
        groups = int(labels.max()) + 1
        kind = int(rng.integers(8))
        changed = labels.copy()
        if kind == 0 and groups > 1:
            one, other = rng.choice(groups, 2, replace=False)
            changed[changed == one] = other
        elif kind == 1 and groups > 1:
            held = labels == int(rng.integers(groups))
            changed[held] = rng.integers(0, groups + 1, int(held.sum()))
        elif kind == 2:
            return self._random()
        else:
            count = int(rng.integers(1, max(3, n // 6) + 1))
            moved = rng.choice(n, min(count, n), replace=False)
            changed[moved] = rng.integers(0, groups + 1, len(moved))
        return changed
