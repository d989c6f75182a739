"""Dynamic programming over all sets of tasks: exact for few tasks, whatever the values."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.errors import UnsupportedError, UsageError
from engine.plugins import SOLVERS
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.tables.subset_programming import SubsetProgramming


@dataclass(frozen=True)
class SubsetDp(Solver):
    """Find the best partition of the tasks into served sets by dynamic programming over all subsets.

    The best that k groups are worth to a set of tasks is the best split into a set that one group
    serves and the rest, which k − 1 groups serve: 3^N / 2 splits for each k. A partition serves each
    group's members; where groups overlap, a set is served by any group that holds it. Where opening
    values reward groups and their number is limited, or a least number must be chosen at a price,
    groups are offered one after the other instead, as in the knapsack problem: N · 2^N steps for each
    group and each k. Nothing is assumed of the values.

    Over a gain model, all 2^N − 1 groups are listed first.

    Attributes
    ----------
    max_tasks
        Refuse problems with more tasks than this; a gain model cannot be listed above 16.
    compiled
        Use machine code; by default where that pays for the compiler.
    """

    max_tasks: int = 16
    compiled: bool | None = None

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Dynamic programming over all sets of tasks: exact for up to 16 tasks",
        exact=True,
        features=frozenset(
            {
                Feature.SUM,
                Feature.WORST,
                Feature.OPENING,
                Feature.MIN_GROUPS,
                Feature.PARTITION,
                Feature.MANDATORY,
            }
        ),
        kinds=frozenset(Kind),
        requires=("numba",),
        rank=80,
        reference="Dynamic programming for set partitioning and coalition structures (Yeh, 1986)",
    )

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Claim:
        """Solve a problem to proven optimality, or as far as the time allows.

        Raises
        ------
        UsageError
            If there are more tasks than ``max_tasks``.
        UnsupportedError
            If the problem limits cost, or memberships otherwise than to one.
        """
        self._check_size(problem)
        with control.stage("list"):
            table = problem.listed if isinstance(problem, LatticeProblem) else problem
            program = table.program
        if np.isfinite(program.max_cost) or program.max_memberships not in (None, 1):
            raise UnsupportedError(
                f"subset-dp expresses neither cost budgets nor membership limits. {_others(problem)}"
            )
        choice, bound = SubsetProgramming(self.compiled).solve(program, control)
        if choice.groups is None:
            return Claim(None, infeasible=True) if choice.complete else control.claim()
        control.tighten(bound)
        rows = program.rows[choice.groups]
        chosen = table.gains.membership[rows] if isinstance(problem, LatticeProblem) else rows
        control.incumbent(chosen, choice.value)
        claim = control.claim(Termination.TOLERANCE if choice.complete else Termination.COMPLETED)
        claim.rows = chosen
        return claim

    def _check_size(self, problem: Problem | LatticeProblem) -> None:
        count = len(problem.tasks)
        if count > self.max_tasks:
            raise UsageError(
                f"subset-dp lists all sets of at most max_tasks={self.max_tasks} tasks, and there are "
                f"{count}. {_others(problem)}"
            )


def _others(problem: Problem | LatticeProblem) -> str:
    """Return which exact solvers take a problem, in words."""
    able = []
    for name in SOLVERS.names():
        with suppress(UsageError):
            cls: type[Solver] = SOLVERS.load(name)
            if cls is not SubsetDp and cls.info.exact and not cls.info.lacks(problem):
                able.append(name)
    return f"Solvers that may: {', '.join(able) or 'none'}."
