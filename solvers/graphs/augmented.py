"""A first-order relaxation: pairs form a positive semidefinite matrix and meet violated inequalities.

The matrix with 1 where two nodes share a group is a sum of outer products of 0/1 vectors, one per
group; so it is positive semidefinite with ones on the diagonal, and with at most k groups it exceeds
the matrix of 1/k in that order. Together with triangle and 2-partition inequalities this bounds dense
graphs far more tightly, and for more than some dozen nodes far faster, than their linear program. It
is solved by the alternating direction method of multipliers, the inequalities by coordinate ascent on
their multipliers (Hildreth, 1957). Any multipliers prove a bound, so none depends on convergence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.solving.control import Control
from solvers.graphs.form import Floats, Graph
from solvers.graphs.pairs import Pairs
from solvers.graphs.relaxation import RelaxedGraph
from solvers.graphs.rows import Rows, demand_rows, dual_bound
from solvers.graphs.separation import violated_stars, violated_triangles
from solvers.graphs.spanning import violated_trees
from solvers.kernels.loading import loading

CHECKED = 10
"""So many steps lie between two looks at the bound."""

FIXED_FROM, FIXED = 40, 0.15
"""From so many steps on, the work pauses for this share of the open pairs to be fixed."""

STEP = 1.6
"""Of the multipliers of the matrix; below the golden ratio the method converges (Glowinski, 1984)."""


@dataclass(frozen=True, eq=False)
class AugmentedState:
    """Where the method stands: values, multipliers of the matrix, rows, their multipliers, step size."""

    matrix: Floats
    dual: Floats
    rows: Rows
    multipliers: Floats
    weight: float


class Augmented:
    """The relaxation of one graph.

    Parameters
    ----------
    graph, pairs
        What to bound.
    control
        Told of compiling, which its time limit does not count.
    """

    def __init__(self, graph: Graph, pairs: Pairs, control: Control) -> None:
        with loading(control):
            from solvers.kernels.inequalities import sweep
        self.sweep = sweep
        self.graph = graph
        self.pairs = pairs
        self.cost = graph.weights / 2
        self.shift = 1.0 / graph.max_groups
        self.demands = Rows.of(demand_rows(graph, pairs))

    def solve(
        self,
        state: AugmentedState | None,
        lower: Floats,
        upper: Floats,
        target: float,
        told: Callable[[float, Floats], bool],
    ) -> RelaxedGraph:
        """Bound a part; see :class:`~solvers.graphs.relaxation.Relaxation`."""
        run = _AugmentedRun(self, state or self._start(), lower, upper)
        patience = 100 + (10 if state is None else 1) * self.pairs.n
        history: list[float] = []
        steps = 0
        while True:
            for _ in range(CHECKED):
                run.step()
            steps += CHECKED
            run.look()
            history.append(run.bound)
            if run.bound <= target or told(run.bound, run.x):
                break
            fresh = run.separate(steps)
            run.balance()
            # Too slow to reach the target, and nothing new to learn.
            past = history[-6] if len(history) > 6 else np.inf
            room = run.bound - target
            if steps >= FIXED_FROM and run.decided(room) >= FIXED:
                break
            if len(history) > 6 and (past - run.bound) * patience / (5 * CHECKED) < room and fresh < 20:
                break
        return RelaxedGraph(run.bound, run.x, run.reduced, run.state())

    def _start(self) -> AugmentedState:
        n = self.graph.n
        scale = float(np.linalg.norm(self.cost)) / n or 1.0
        return AugmentedState(np.eye(n), np.zeros((n, n)), self.demands, np.zeros(len(self.demands)), scale)


class _AugmentedRun:
    """One part of the tree, step by step."""

    def __init__(self, relaxation: Augmented, state: AugmentedState, lower: Floats, upper: Floats) -> None:
        self.of = relaxation
        self.pairs = relaxation.pairs
        self.lower, self.upper = lower, upper
        self.matrix = state.matrix
        self.dual = state.dual
        self.rows = state.rows
        self.squares = state.rows.squares()
        self.multipliers = state.multipliers.copy()
        self.weight = state.weight
        self.bound = np.inf
        self.x = self.pairs.vector(self.matrix)
        self.reduced = np.zeros(self.pairs.m)
        self.residuals = (0.0, 0.0)

    def state(self) -> AugmentedState:
        """Return where to begin a smaller part."""
        keep = (self.multipliers > 0) | (self.rows.keys == 0)
        return AugmentedState(
            self.matrix, self.dual, self.rows.select(keep), self.multipliers[keep], self.weight
        )

    def step(self) -> None:
        """Take one step: project on the cone, then on bounds and inequalities, then the multipliers."""
        shift, weight = self.of.shift, self.weight
        middle = self.matrix + (self.of.cost - self.dual) / weight - shift
        values, vectors = np.linalg.eigh(middle)
        kept = values > 0
        if 2 * int(kept.sum()) < len(values):
            inside = (vectors[:, kept] * values[kept]) @ vectors[:, kept].T
        else:
            inside = middle - (vectors[:, ~kept] * values[~kept]) @ vectors[:, ~kept].T
        inside += shift
        raw = self.pairs.vector(inside + self.dual / weight) - self.rows.weighted(
            self.multipliers, self.pairs.m
        )
        rows = self.rows
        self.of.sweep(
            raw,
            self.lower,
            self.upper,
            rows.indptr,
            rows.columns,
            rows.coefficients,
            rows.limits,
            self.squares,
            self.multipliers,
            2,
        )
        self.x = np.clip(raw, self.lower, self.upper)
        before, self.matrix = self.matrix, self.pairs.matrix(self.x, 1.0)
        apart = inside - self.matrix
        self.dual = self.dual + STEP * weight * apart
        self.residuals = (
            float(np.linalg.norm(apart)),
            weight * float(np.linalg.norm(self.matrix - before)),
        )

    def look(self) -> None:
        """Compute the bound that the multipliers prove, and keep it if it is the best so far."""
        n, shift = self.pairs.n, self.of.shift
        rest = self.of.cost - self.dual
        top = float(np.linalg.eigvalsh(rest)[-1])
        room = 2.3e-16 * n * float(np.linalg.norm(rest)) * n
        # The trace of the matrix less that of the shift is n (1 − shift).
        cone = n * (1.0 - shift) * top + shift * float(rest.sum()) + float(np.trace(self.dual))
        rest_bound, reduced = dual_bound(
            2.0 * self.pairs.vector(self.dual),
            self.rows,
            2.0 * self.weight * self.multipliers,
            self.lower,
            self.upper,
        )
        bound = cone + room + 1e-15 * n * float(np.abs(rest).sum()) + rest_bound
        if bound < self.bound:
            self.bound, self.reduced = bound, reduced

    def decided(self, room: float) -> float:
        """Return the share of the open pairs that the bound decides."""
        free = self.lower < self.upper
        return float((np.abs(self.reduced[free]) > room).mean()) if free.any() else 1.0

    def separate(self, steps: int) -> int:
        """Add inequalities that the values violate; return how many."""
        n = self.pairs.n
        found = violated_triangles(self.pairs, self.matrix, 1e-3, 12 * n)
        if len(found) < 2 * n or steps == 1:
            found = found.join(violated_stars(self.pairs, self.matrix, 2e-3, 2 * n))
        if self.of.graph.min_groups > 1:
            found = found.join(violated_trees(self.pairs, self.matrix, self.of.graph.min_groups, 1e-2))
        new = ~np.isin(found.keys, self.rows.keys)
        if steps % (5 * CHECKED) == 0 and len(self.rows):
            keep = (self.multipliers > 0) | (self.rows.keys == 0)
            self.rows, self.multipliers = self.rows.select(keep), self.multipliers[keep]
        count = int(new.sum())
        if count:
            self.rows = self.rows.join(found.select(new))
            self.multipliers = np.concatenate([self.multipliers, np.zeros(count)])
        self.squares = self.rows.squares()
        return count

    def balance(self) -> None:
        """Change the weight of the penalty where one residual falls much behind the other."""
        primal, dual = self.residuals
        factor = 1.5 if primal > 5 * dual else 1 / 1.5 if dual > 5 * primal else 1.0
        self.weight *= factor
        self.multipliers = self.multipliers / factor
