"""Greedy construction: the group with the largest improvement, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.problem.kinds import PROGRAM_FEATURES
from engine.problem.table import Problem
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.tables.construction import construct
from solvers.tables.moves import Moves


@dataclass(frozen=True)
class Greedy(Solver):
    """Add the group with the largest improvement until the budget is spent or nothing improves.

    Serving a task for the first time counts more than any value. A cost budget is also spent by
    improvement per cost (Khuller, Moss and Naor, 1999), and a cost budget or a partition also by mean
    value per task served; the best of these runs is returned. Where a run leaves tasks unserved, a
    bounded search for a cover starts it anew.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Adds the group with the largest improvement until the budget is spent",
        exact=False,
        features=PROGRAM_FEATURES,
        rank=50,
    )

    def solve(self, problem: Problem, control: Control) -> Claim:
        """Run each rule and return the best grouping."""
        construct(Moves(problem.program), control)
        return control.claim()
