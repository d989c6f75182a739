"""Problems over the lattice of few tasks, solved over a table of all groups."""

from __future__ import annotations

import numpy as np

from engine.problem.lattice import LatticeProblem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver
from solvers.branch_and_bound import BranchAndBound
from solvers.subset_dp import SubsetDp


def solve_listed(problem: LatticeProblem, control: Control) -> Outcome:
    """Solve a problem that cannot be said without a list of groups, by listing them all.

    Parameters
    ----------
    problem
        Over at most :data:`~engine.problem.lattice.LISTED_TASKS` tasks.
    control
        Limits, and where the result is told.

    Raises
    ------
    UnsupportedError
        If there are more tasks.
    """
    with control.stage("list"):
        table = problem.listed
    inner = control.quiet()
    if control.rows is not None:
        names = [[problem.tasks[task] for task in np.flatnonzero(row)] for row in control.rows]
        inner.incumbent([table.gains.find(group)[0] for group in names], control.value)
    solver: Solver = SubsetDp() if problem.objective.aggregate == "min" else BranchAndBound()
    if solver.info.lacks(table):
        solver = BranchAndBound()
    outcome = solver.solve(table, inner)
    if outcome.rows is not None:
        outcome.rows = table.gains.membership[outcome.rows]
        control.incumbent(outcome.rows, inner.value)
    control.tighten(outcome.bound)
    return outcome
