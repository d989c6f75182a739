"""A naive solver of problems over lattices: list all groups and hand the table to branch and bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine import Claim, Kind, LatticeProblem, Solver, SolverInfo
from engine.solving.control import Control
from engine.testing.random_lattices import LATTICE_FEATURES
from solvers.branch_and_bound import BranchAndBound


@dataclass(frozen=True)
class Listing(Solver):
    """What every solver over a lattice must agree with, as long as all groups can be listed."""

    info: ClassVar[SolverInfo] = SolverInfo(
        "lists all groups",
        exact=True,
        features=LATTICE_FEATURES,
        kinds=frozenset({Kind.LATTICE, Kind.GRAPH}),
    )

    def solve(self, problem: LatticeProblem, control: Control) -> Claim:
        """Solve the table of all groups."""
        table = problem.listed
        if table.reasons():
            return Claim(None, infeasible=True)
        quiet = control.quiet()
        outcome = BranchAndBound().solve(table, quiet)
        if outcome.rows is None:
            return outcome
        membership = table.gains.membership[outcome.rows]
        control.incumbent(membership, table.program.value(np.searchsorted(table.program.rows, outcome.rows)))
        outcome.rows = membership
        outcome.bound = min(outcome.bound, quiet.bound)
        return outcome
