"""Our own exact solver: presolve, then a compiled depth-first search with Lagrangian bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.problem.kinds import PROGRAM_FEATURES
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.tables.group_branching import GroupBranching


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
        return GroupBranching(self.compiled, self.max_nodes).solve(problem.program, control)
