"""The search tree over the groups of a program: depth first, a Lagrangian bound at each node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.adapter import CompiledKernels
from solvers.tables.presolve.dense import DenseKernels
from solvers.tables.presolve.interface import Ascent, Multipliers, NodeKernels, uncovered_worth

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOT_ITERATIONS = 120
NODE_ITERATIONS = 30
IMPROVEMENTS = 50

PLAIN_NODES = 20
"""Where machine code is not asked for, so many nodes are looked at before it is worth compiling."""

PLAIN_CELLS = 100_000
"""Up to so many groups × tasks nodes are looked at without machine code."""


@dataclass(frozen=True)
class _Level:
    """A node whose second branch, without the group, is still to be looked at."""

    group: int
    bound: float
    state: NDArray[np.int8]
    at: Multipliers


class GroupTree:
    """The state of one search, kept between calls.

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
    control
        Ends what takes long, and is told of compiling.
    compiled
        Whether to use machine code from the first node on.

    Attributes
    ----------
    nodes
        Nodes explored so far.
    value
        The best value known.
    solution
        Core indices of the best solution found by the search, ascending; empty if it found none.
    """

    def __init__(
        self,
        core: Program,
        start: Multipliers,
        value: float,
        penalty: Floats,
        control: Control,
        *,
        compiled: bool,
    ) -> None:
        self.core = core
        self.nodes = 0
        self.value = value
        self.solution: Ints = np.zeros(0, dtype=np.int64)
        self._penalty = penalty
        self._floor = np.where(np.isfinite(penalty), -penalty, uncovered_worth(core))
        self._at = start
        self._control = control
        self._compiled = compiled or core.n_groups * core.n_tasks > PLAIN_CELLS
        self._kernels: NodeKernels = (CompiledKernels if self._compiled else DenseKernels)(core, control)
        self._levels: list[_Level] = []
        self._here = np.inf
        self._exhausted = False

    @property
    def bound(self) -> float:
        """The largest bound among the open nodes, infinite while the root is open."""
        return max([self._here, *(level.bound for level in self._levels)])

    def explore(self, nodes: int) -> bool:
        """Explore so many nodes more, as the time allows; return whether the tree is exhausted."""
        stop_at = self.nodes + nodes
        while not self._exhausted and self.nodes < stop_at:
            if self.nodes and self._control.should_stop():
                break
            self.nodes += 1
            if self.nodes > PLAIN_NODES and not self._compiled:
                self._compile()
            level = self._node()
            if level is None:
                self._retreat()
                continue
            self._levels.append(level)
            self._here = level.bound
            self._kernels.state[level.group] = 1
        return self._exhausted

    def _compile(self) -> None:
        compiled = CompiledKernels(self.core, self._control)
        compiled.state[:] = self._kernels.state
        self._kernels, self._compiled = compiled, True

    def _node(self) -> _Level | None:
        """Bound the current node and choose what to branch on; None where nothing better lies below."""
        kernels, state = self._kernels, self._kernels.state
        if not kernels.settle(self._penalty):
            return None
        leaf = not (state == 0).any()
        if self.nodes == 1:
            self._offer(self._merit(), np.zeros(self.core.n_groups))
        enough = self.core.strictly_better(self.value)
        iterations = ROOT_ITERATIONS if self.nodes == 1 else NODE_ITERATIONS
        ascent = kernels.ascend(self._at, self.value, enough, iterations)
        self._at = ascent.at
        if ascent.bound <= enough:
            return None
        self._offer(ascent.values, ascent.frequency)
        fixing = kernels.fix(ascent, self.core.strictly_better(self.value))
        if fixing is None or leaf:
            return None
        state[~fixing.keep] = -1
        state[fixing.forced] = 1
        if (state == 0).any():
            return _Level(self._branch(ascent), ascent.bound, state.copy(), ascent.at)
        return self._node()  # everything was just fixed: look at the node again, as a leaf

    def _branch(self, ascent: Ascent) -> int:
        """Return the free group that the relaxation is least sure of, among those it favours."""
        free = np.flatnonzero(self._kernels.state == 0)
        share = ascent.frequency[free]
        share = share / max(float(share.max()), 1e-12)
        return int(free[np.argmax(share * (1.02 - share))])

    def _merit(self) -> Floats:
        """Return what each group is worth by member, shape (K,)."""
        core = self.core
        totals = np.bincount(core.entry_groups, core.serve, core.n_groups) + core.open
        merit: Floats = totals / np.maximum(np.diff(core.indptr), 1)
        return merit

    def _offer(self, values: Floats, frequency: Floats) -> None:
        """Make a solution from what the relaxation favours, and keep it if it is the best."""
        core, kernels = self.core, self._kernels
        if core.is_partition:
            chosen = kernels.pack(np.argsort(-values, kind="stable"))
        else:
            everything = np.ones(core.n_groups, dtype=bool)
            chosen = kernels.improve(self._favoured(frequency), everything, self._floor, IMPROVEMENTS)
        value = kernels.worth(chosen, self._penalty)
        if len(chosen) >= core.min_groups and value > self.value:
            self.value, self.solution = value, np.sort(chosen)

    def _favoured(self, frequency: Floats) -> Ints:
        """Return the forced groups and those chosen most often, as far as the limits allow."""
        core, state = self.core, self._kernels.state
        forced = np.flatnonzero(state > 0)
        if core.max_memberships is not None:
            return forced
        free = np.flatnonzero((state == 0) & (frequency > 0))
        free = free[np.argsort(-frequency[free], kind="stable")]
        if np.isinf(core.max_cost):
            return np.concatenate([forced, free[: max(0, core.max_groups - len(forced))]])
        chosen, spent = forced.tolist(), float(core.cost[forced].sum())
        for group in free.tolist():
            if len(chosen) < core.max_groups and spent + core.cost[group] <= core.max_cost:
                chosen.append(group)
                spent += float(core.cost[group])
        return np.array(chosen, dtype=np.int64)

    def _retreat(self) -> None:
        """Go to the open node met last that may hold something better, or end the search."""
        enough = self.core.strictly_better(self.value)
        while self._levels:
            level = self._levels.pop()
            if level.bound > enough:
                self._kernels.state[:] = level.state
                self._kernels.state[level.group] = -1
                self._at, self._here = level.at, level.bound
                return
        self._exhausted = True
