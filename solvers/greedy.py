"""Greedy construction: the group with the largest improvement, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.problem.kinds import PROGRAM_FEATURES
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.tables.completion import Rule, complete
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

    def solve(self, problem: Problem, control: Control) -> Outcome:
        """Run each rule and return the best grouping."""
        construct(Moves(problem.program), control)
        return Outcome(control.rows, termination=control.termination())


def construct(moves: Moves, control: Control) -> list[int] | None:
    """Return the best grouping of all greedy rules that fit the program, reporting each to the control.

    Parameters
    ----------
    moves
        The scores.
    control
        Told of every feasible grouping.
    """
    program = moves.program
    rules: list[Rule] = ["improvement"]
    if np.isfinite(program.max_cost):
        rules.append("per cost")
    if program.is_partition or np.isfinite(program.max_cost):
        rules.append("per task")
    best: list[int] | None = None
    for rule in rules:
        groups = complete(moves, [], control, rule)
        if groups is None:
            continue
        control.incumbent(program.rows[groups], program.value(np.array(groups)))
        if best is None or moves.total(groups) > moves.total(best):
            best = groups
    return best
