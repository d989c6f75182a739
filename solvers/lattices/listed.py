"""Problems over the lattice of few tasks, solved over a table of all groups."""

from __future__ import annotations

import numpy as np

from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.tables.group_branching import GroupBranching
from solvers.tables.subset_programming import SubsetProgramming


def solve_listed(problem: LatticeProblem, control: Control) -> Claim:
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
    outcome = _solve_table(table, inner)
    if outcome.rows is not None:
        outcome.rows = table.gains.membership[outcome.rows]
        control.incumbent(outcome.rows, inner.value)
    control.tighten(outcome.bound)
    return outcome


def _solve_table(table: Problem, control: Control) -> Claim:
    """Solve a table of all groups: over sets of tasks where the worst counts, else by branch and bound."""
    program = table.program
    if program.reasons():
        return Claim(None, infeasible=True)
    if program.aggregate == "sum" or program.max_memberships not in (None, 1):
        return GroupBranching().solve(program, control)
    choice, bound = SubsetProgramming().solve(program, control)
    if choice.groups is None:
        return Claim(None, infeasible=True) if choice.complete else control.claim()
    control.tighten(bound)
    control.incumbent(program.rows[choice.groups], choice.value)
    return control.claim(Termination.TOLERANCE if choice.complete else Termination.COMPLETED)
