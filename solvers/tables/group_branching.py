"""Branch and bound on the groups of a program: presolve, then a compiled depth-first search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.tables.bottleneck import solve_worst
from solvers.tables.cover import Cover, find_cover
from solvers.tables.moves import Moves
from solvers.tables.partition_annealing import refined
from solvers.tables.presolve import Presolved, presolve
from solvers.tables.presolve.choice import compiling_pays
from solvers.tables.presolve.interface import Multipliers, uncovered_worth
from solvers.tables.tree import GroupTree

Ints = NDArray[np.int64]

ENTRIES_PER_SECOND = 1e6
"""How many member entries a tree search can bound at its root, at least, in a second."""

PLAIN_COVER_NODES = 300
"""So many nodes a cover is sought by exact-cover search before branch and bound takes over."""

SEARCHED_AT_ONCE, NODES_AT_ONCE = 64, 50
"""Up to so many groups, presolve costs more than a search of a few nodes."""


@dataclass(frozen=True)
class GroupBranching:
    """Branch and bound with Lagrangian bounds, groups being taken or left out.

    Attributes
    ----------
    compiled
        Use machine code; by default for large programs only, and where a search takes many nodes.
    max_nodes
        Stop after so many nodes; None for no limit.
    thorough
        Whether a presolve without machine code goes on where the gap stays, as a search would.
    """

    compiled: bool | None = None
    max_nodes: int | None = None
    thorough: bool = True

    def solve(self, program: Program, control: Control) -> Claim:
        """Solve a program to proven optimality, or as far as the limits allow.

        Parameters
        ----------
        program
            The rows of the claim are ``program.rows``.
        control
            Limits, and where groupings and bounds are reported.
        """
        if program.aggregate == "min":
            return solve_worst(program, control, self._cover)
        return self._solve_sum(program, control)

    def _solve_sum(self, program: Program, control: Control) -> Claim:
        if self.compiled is not None and control.presolve and program.n_groups <= SEARCHED_AT_ONCE:
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
            if cover.groups is None and cover.decided:
                return Claim(None, infeasible=True)
            if cover.groups is None:
                return control.claim(Termination.TIME_LIMIT)
            with control.stage("presolve"):
                reduced = self._presolve(program, control, cover.groups)
        details: dict[str, Any] = {"core_groups": reduced.core.n_groups, "nodes": 0}
        exhausted = True
        if not reduced.closed and not control.should_stop():
            core = replace(reduced.core, mandatory=reduced.forced)
            if not _worth_a_start(core, control):
                return control.claim(Termination.TIME_LIMIT, details)
            tree = self._tree(core, reduced.multipliers, reduced.value, np.inf, control)
            with control.stage("search"):
                exhausted = self._search(tree, reduced.value, control)
            details["nodes"] = tree.nodes
        return control.claim(Termination.TOLERANCE if exhausted else Termination.NODE_LIMIT, details)

    def _search_at_once(self, program: Program, control: Control) -> Claim | None:
        """Search a tiny program without presolve; None where no solution turns up at once."""
        at = Multipliers(program.best_values, np.zeros(program.n_tasks))
        unserved = float(uncovered_worth(program).sum())
        tree = self._tree(program, at, unserved, np.inf, control)
        with control.stage("search"):
            done = tree.explore(NODES_AT_ONCE)
        if not done or not len(tree.solution):
            return None
        control.incumbent(program.rows[tree.solution], tree.value)
        control.tighten(tree.value if program.grid else program.strictly_better(tree.value))
        return control.claim(Termination.TOLERANCE, {"nodes": tree.nodes})

    def _compiles(self, program: Program) -> bool:
        return compiling_pays(program) if self.compiled is None else self.compiled

    def _tree(
        self, core: Program, start: Multipliers, value: float, penalty: float, control: Control
    ) -> GroupTree:
        """Return a search for something better than a value; leaving a task unserved costs the penalty."""
        penalties = np.full(core.n_tasks, penalty)
        return GroupTree(core, start, value, penalties, control, compiled=self._compiles(core))

    def _presolve(self, program: Program, control: Control, start: Ints | None = None) -> Presolved:
        if control.presolve:
            compiled = self._compiles(program)
            # Without compiled kernels, closing the gap here saves the user the wait for a compiler.
            thorough = self.thorough and not compiled
            return presolve(program, control, compiled=compiled, start=start, thorough=thorough)
        at = Multipliers(program.best_values, np.zeros(program.n_tasks))
        value = -np.inf if start is None else program.value(start)
        if start is not None:
            control.incumbent(program.rows[start], value)
        return Presolved(program, program.mandatory, start, value, control.bound, at, closed=False)

    def _search(self, tree: GroupTree, known: float, control: Control) -> bool:
        """Search a core for something better than ``known``; return whether nothing was left to look at."""
        core = tree.core
        limit = np.iinfo(np.int64).max if self.max_nodes is None else self.max_nodes
        while True:
            done = tree.explore(1)
            if tree.value > known:
                known = tree.value
                control.incumbent(core.rows[tree.solution], core.value(tree.solution))
            if done:
                control.tighten(known if core.grid else core.strictly_better(known))
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
        if not _worth_a_start(plain, control):
            return Cover(None, decided=False)
        tree = self._tree(plain, start, -program.n_tasks - 1.0, 1.0, control)
        while not tree.explore(1):
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
