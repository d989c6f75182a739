"""The state of a compiled tree search over the groups of a program."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.in_time import compiled_in_time
from solvers.tables.presolve.interface import Multipliers, uncovered_worth

Ints = NDArray[np.int64]

NODES_BETWEEN_POLLS = 50
SECONDS_BETWEEN_POLLS = 0.1

FIRST_LEVELS = 256
"""The search has room for so many levels at first."""


class Tree:
    """The state of one compiled search, kept between calls.

    Parameters
    ----------
    core
        The program to search; its mandatory groups are forced.
    start
        Multipliers to begin with.
    value
        Only better solutions than this one are sought.
    penalty
        Shape (N,): price of leaving a task unserved, infinite where it must be served.
    """

    def __init__(self, core: Program, start: Multipliers, value: float, penalty: NDArray[np.float64]) -> None:
        groups, tasks = core.n_groups, core.n_tasks
        levels = min(groups + 2, FIRST_LEVELS)
        self.core = core
        self._penalty = penalty
        self._floor = np.where(np.isfinite(penalty), -penalty, uncovered_worth(core))
        self._state = core.mandatory.astype(np.int8)
        self._limits = np.array([core.max_groups, core.min_groups, core.max_memberships or 0])
        self._tree = np.zeros(3, dtype=np.int64)
        self._branch = np.zeros(levels, dtype=np.int64)
        self._side = np.zeros(levels, dtype=np.int8)
        self._start = np.zeros(levels, dtype=np.int64)
        self._trail = np.zeros(groups + 1, dtype=np.int64)
        self._bounds = np.full(levels, np.inf)
        self._saved = (np.empty((levels, tasks)), np.empty((levels, tasks)), np.empty(levels))
        self._at = (start.u.copy(), start.mu.copy(), np.array([start.lam]))
        self._best = np.array([value])
        self._solution = np.zeros(groups + 2, dtype=np.int64)
        self._at_once = 1

    @property
    def nodes(self) -> int:
        """Nodes explored so far."""
        return int(self._tree[2])

    @property
    def value(self) -> float:
        """The best value known."""
        return float(self._best[0])

    @property
    def solution(self) -> Ints:
        """Core indices of the best solution found by the search; empty if it found none."""
        return np.sort(self._solution[1 : 1 + self._solution[0]])

    @property
    def bound(self) -> float:
        """The largest bound among the open nodes, infinite while the root is open."""
        depth = int(self._tree[0])
        return float(self._bounds[:depth].max()) if depth else np.inf

    def compile(self, control: Control) -> bool:
        """Compile the kernels, or load what was compiled; return False if the time ends before.

        Compiling takes some ten seconds, once per machine, and cannot be stopped; without time left
        it goes on in the background, for the next run.
        """
        with control.stage("compile"):
            from solvers.kernels.tree_search import search

            if getattr(search, "signatures", None):
                return True
            return compiled_in_time(lambda: self.explore(0), control)

    def explore_briefly(self, most: int = NODES_BETWEEN_POLLS) -> bool:
        """Explore a few nodes more, as the last ones took long or not; return as :meth:`explore`."""
        begin = time.perf_counter()
        done = self.explore(min(self._at_once, most))
        quick = time.perf_counter() - begin < SECONDS_BETWEEN_POLLS
        self._at_once = min(2 * self._at_once, NODES_BETWEEN_POLLS) if quick else 1
        return done

    def explore(self, nodes: int) -> bool:
        """Explore so many nodes more; return whether the tree is exhausted."""
        stop_at = self.nodes + nodes
        while not self._search(stop_at - self.nodes):
            if self._has_room():
                return False
            self._make_room()
        return True

    def _has_room(self) -> bool:
        return int(self._tree[0]) + 1 < len(self._branch)

    def _make_room(self) -> None:
        """Double the number of levels; with as many as groups, most would never be reached."""
        more = len(self._branch)
        self._branch, self._side, self._start = (
            np.concatenate([one, np.zeros(more, dtype=one.dtype)])
            for one in (self._branch, self._side, self._start)
        )
        self._bounds = np.concatenate([self._bounds, np.full(more, np.inf)])
        u, mu, lam = self._saved
        room = np.empty((more, self.core.n_tasks))
        self._saved = (np.vstack([u, room]), np.vstack([mu, room]), np.concatenate([lam, np.empty(more)]))

    def _search(self, nodes: int) -> bool:
        from solvers.kernels.tree_search import search

        core = self.core
        step = core.strictly_better(self.value) - self.value
        return bool(
            search(
                core.indptr,
                core.members,
                core.serve,
                core.open,
                core.cost,
                self._state,
                self._penalty,
                self._floor,
                self._limits,
                core.max_cost,
                core.is_partition,
                step,
                nodes,
                self._tree,
                self._branch,
                self._side,
                self._start,
                self._trail,
                self._bounds,
                *self._saved,
                *self._at,
                self._best,
                self._solution,
            )
        )
