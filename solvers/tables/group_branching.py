"""Branch and bound on the groups of a program: presolve, then a compiled depth-first search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from engine.solving.solution import Termination
from engine.solving.solver import Outcome
from solvers.tables.bottleneck import solve_worst
from solvers.tables.cover import Cover, find_cover
from solvers.tables.moves import Moves
from solvers.tables.partition_annealing import refined
from solvers.tables.presolve import Presolved, presolve
from solvers.tables.presolve.interface import Multipliers, compiling_pays, uncovered_worth
from solvers.tables.tree import NODES_BETWEEN_POLLS, Tree

Ints = NDArray[np.int64]

ENTRIES_PER_SECOND = 1e6
"""How many member entries a tree search can bound at its root, at least, in a second."""

PLAIN_COVER_NODES = 300
"""So many nodes a cover is sought in NumPy before the compiled search takes over."""

SEARCHED_AT_ONCE = 64
"""Up to so many groups, presolve costs more than the compiled search itself."""


@dataclass(frozen=True)
class GroupBranching:
    """Branch and bound with Lagrangian bounds, groups being taken or left out.

    Attributes
    ----------
    compiled
        Use machine code in the presolve too; by default for large programs only.
    max_nodes
        Stop after so many nodes; None for no limit.
    """

    compiled: bool | None = None
    max_nodes: int | None = None

    def solve(self, program: Program, control: Control) -> Outcome:
        """Solve a program to proven optimality, or as far as the limits allow.

        Parameters
        ----------
        program
            The rows of the outcome are ``program.rows``.
        control
            Limits, and where groupings and bounds are reported.
        """
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
        exhausted = True
        if not reduced.closed and not control.should_stop():
            core = replace(reduced.core, mandatory=reduced.forced)
            tree = Tree(core, reduced.multipliers, reduced.value, np.full(core.n_tasks, np.inf))
            if not _worth_a_start(core, control):
                return Outcome(control.rows, control.bound, Termination.TIME_LIMIT, details=details)
            if tree.compile(control):
                with control.stage("search"):
                    exhausted = self._search(tree, reduced.value, control)
            details["nodes"] = tree.nodes
        why = control.termination()
        if why is Termination.COMPLETED and not exhausted:
            why = Termination.NODE_LIMIT
        return Outcome(control.rows, control.bound, why, details=details)

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

    def _search(self, tree: Tree, known: float, control: Control) -> bool:
        """Search a core for something better than ``known``; return whether nothing was left to look at."""
        core = tree.core
        limit = np.iinfo(np.int64).max if self.max_nodes is None else self.max_nodes
        while True:
            done = tree.explore_briefly(limit - tree.nodes)
            if tree.value > known:
                control.incumbent(core.rows[tree.solution], core.value(tree.solution))
            if done:
                best = max(tree.value, known)
                control.tighten(best if core.grid else core.strictly_better(best))
                return True
            control.tighten(max(tree.bound, control.value))
            if control.should_stop() or tree.nodes >= limit:
                return False

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
