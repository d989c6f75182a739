"""Our own exact solver: presolve, then a compiled depth-first search with Lagrangian bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.problem.table import PROGRAM_FEATURES, Problem
from engine.solving.control import Control
from engine.solving.solution import Termination
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.kernels.in_time import compiled_in_time
from solvers.tables.bottleneck import solve_worst
from solvers.tables.cover import Cover, find_cover
from solvers.tables.moves import Moves
from solvers.tables.partition_annealing import refined
from solvers.tables.presolve import Presolved, presolve
from solvers.tables.presolve.interface import Multipliers, compiling_pays, uncovered_worth

Ints = NDArray[np.int64]

NODES_BETWEEN_POLLS = 50
SECONDS_BETWEEN_POLLS = 0.1

FIRST_LEVELS = 256
"""The search has room for so many levels at first."""

ENTRIES_PER_SECOND = 1e6
"""How many member entries a tree search can bound at its root, at least, in a second."""

PLAIN_COVER_NODES = 300
"""So many nodes a cover is sought in NumPy before the compiled search takes over."""

SEARCHED_AT_ONCE = 64
"""Up to so many groups, presolve costs more than the compiled search itself."""


@dataclass(frozen=True)
class BranchAndBound(Solver):
    """Branch and bound on groups.

    Attributes
    ----------
    compiled
        Use machine code in the presolve too; by default for large problems only. The tree search
        itself is always compiled, once per machine (10 to 20 seconds), and only starts where the
        presolve leaves a gap.
    max_nodes
        Stop after so many nodes; None for no limit.
    """

    compiled: bool | None = None
    max_nodes: int | None = None

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Lagrangian presolve, then branch and bound on groups",
        exact=True,
        features=PROGRAM_FEATURES,
        requires=("numba",),
        rank=0,
        reference="Lagrangian relaxation with Polyak steps and reduced-cost fixing",
    )

    def solve(self, problem: Problem, control: Control) -> Outcome:
        """Solve a problem to proven optimality, or as far as the time allows."""
        return self.solve_program(problem.program, control)

    def solve_program(self, program: Program, control: Control) -> Outcome:
        """Solve an integer program; the rows of the outcome are ``program.rows``."""
        if program.aggregate == "min":
            return solve_worst(program, control, self._cover)
        return self._solve_sum(program, control)

    def _solve_sum(self, program: Program, control: Control) -> Outcome:
        if self.compiled and control.presolve and program.n_groups <= SEARCHED_AT_ONCE:
            found = self._search_at_once(program, control)
            if found is not None:
                return found
        with control.stage("presolve"):
            reduced = self._presolve(program, control)
        if control.presolve:
            reduced = refined(
                program, reduced, control, lambda start: self._presolve(program, control, start)
            )
        if reduced.chosen is None:
            with control.stage("cover"):
                cover = self._cover(program, control)
            if cover.groups is None:
                gave_up = not (cover.decided or _worth_a_start(program, control))
                why = Termination.TIME_LIMIT if gave_up else control.termination()
                return Outcome(None, control.bound, why, infeasible=cover.decided)
            with control.stage("presolve"):
                reduced = self._presolve(program, control, cover.groups)
        details: dict[str, Any] = {"core_groups": reduced.core.n_groups, "nodes": 0}
        if not reduced.closed and not control.should_stop():
            core = replace(reduced.core, mandatory=reduced.forced)
            tree = Tree(core, reduced.multipliers, reduced.value, np.full(core.n_tasks, np.inf))
            if not _worth_a_start(core, control):
                return Outcome(control.rows, control.bound, Termination.TIME_LIMIT, details=details)
            if tree.compile(control):
                with control.stage("search"):
                    self._search(tree, reduced.value, control)
            details["nodes"] = tree.nodes
        return Outcome(control.rows, control.bound, control.termination(), details=details)

    def _search_at_once(self, program: Program, control: Control) -> Outcome | None:
        """Search a tiny program without presolve; None where no solution turns up at once."""
        at = Multipliers(program.best_values, np.zeros(program.n_tasks))
        unserved = float(uncovered_worth(program).sum())
        tree = Tree(program, at, unserved, np.full(program.n_tasks, np.inf))
        if not tree.compile(control):
            return None
        with control.stage("search"):
            done = tree.explore(NODES_BETWEEN_POLLS)
        if not done or not len(tree.solution):
            return None
        control.incumbent(program.rows[tree.solution], tree.value)
        control.tighten(tree.value if program.grid else program.strictly_better(tree.value))
        return Outcome(control.rows, control.bound, details={"nodes": tree.nodes})

    def _compiles(self, program: Program) -> bool:
        return compiling_pays(program) if self.compiled is None else self.compiled

    def _presolve(self, program: Program, control: Control, start: Ints | None = None) -> Presolved:
        if control.presolve:
            compiled = self._compiles(program)
            # Without compiled kernels, closing the gap here saves the user the wait for a compiler.
            return presolve(program, control, compiled=compiled, start=start, thorough=not compiled)
        at = Multipliers(program.best_values, np.zeros(program.n_tasks))
        value = -np.inf if start is None else program.value(start)
        if start is not None:
            control.incumbent(program.rows[start], value)
        return Presolved(program, program.mandatory, start, value, control.bound, at, closed=False)

    def _search(self, tree: Tree, known: float, control: Control) -> None:
        """Search a core for something better than ``known``, until it is exhausted or time is up."""
        core = tree.core
        limit = self.max_nodes or np.iinfo(np.int64).max
        while True:
            done = tree.explore_briefly(limit - tree.nodes)
            if tree.value > known:
                control.incumbent(core.rows[tree.solution], core.value(tree.solution))
            if done:
                best = max(tree.value, known)
                control.tighten(best if core.grid else core.strictly_better(best))
                return
            control.tighten(max(tree.bound, control.value))
            if control.should_stop() or tree.nodes >= limit:
                return

    def _cover(self, program: Program, control: Control) -> Cover:
        """Find a choice that serves every task, or prove that there is none."""
        if program.is_partition and not _sizes_add_up(program):
            return Cover(None)
        if not self._compiles(program):
            cover = find_cover(Moves(program), control, nodes=PLAIN_COVER_NODES)
            if cover.decided:
                return cover
        plain = replace(
            program,
            serve=np.where(np.isfinite(program.serve), 0.0, -np.inf),
            open=np.zeros(program.n_groups),
            grid=1.0,
            scale=1.0,
            largest=1.0,
        )
        start = Multipliers(np.zeros(program.n_tasks), np.zeros(program.n_tasks))
        tree = Tree(plain, start, -program.n_tasks - 1.0, np.ones(program.n_tasks))
        if not (_worth_a_start(plain, control) and tree.compile(control)):
            return Cover(None, decided=False)
        while not tree.explore_briefly():
            if tree.value >= 0:
                break
            if control.should_stop():
                return Cover(None, decided=False)
        return Cover(np.sort(tree.solution) if tree.value >= 0 else None)


def _worth_a_start(core: Program, control: Control) -> bool:
    """Whether the time may do for the root of a search, which nothing can interrupt."""
    return len(core.members) <= ENTRIES_PER_SECOND * control.remaining()


def _sizes_add_up(program: Program) -> bool:
    """Whether some number of groups, of the sizes there are, has as many members as there are tasks.

    A necessary condition for a partition, and one that a linear relaxation does not see.
    """
    sizes = np.unique(np.diff(program.indptr))
    reached = {0}
    for _ in range(min(program.max_groups, program.n_tasks)):
        reached |= {total + int(size) for total in reached for size in sizes}
        reached = {total for total in reached if total <= program.n_tasks}
    return program.n_tasks in reached


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
