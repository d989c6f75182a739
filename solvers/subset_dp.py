"""Dynamic programming over all sets of tasks: exact for few tasks, whatever the values."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from engine.errors import UnsupportedError, UsageError
from engine.plugins import SOLVERS
from engine.problem.lattice import LatticeProblem
from engine.problem.program import Program
from engine.problem.table import Feature, Kind, Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.kernels.in_time import compiled_in_time
from solvers.tables.subset_choice import choose_groups
from solvers.tables.subset_partition import Choice, split_tasks

PLAIN_TASKS = 12
"""Up to so many tasks, served sets are split in NumPy as fast as a compiler starts."""

PLAIN_WORK = 200_000_000
"""Up to so many additions, groups are chosen in NumPy."""


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

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Outcome:
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
        choice = self._solve(program, control)
        if choice.groups is None:
            return Outcome(None, control.bound, control.termination(), infeasible=choice.complete)
        value = program.value(choice.groups)
        if choice.complete:
            control.tighten(max(value, choice.value) + _rounding(program, value))
            if program.aggregate == "min":
                choice = self._with_larger_total(program, value, choice, control)
        rows = program.rows[choice.groups]
        chosen = table.gains.membership[rows] if isinstance(problem, LatticeProblem) else rows
        control.incumbent(chosen, value)
        return Outcome(chosen, control.bound, control.termination())

    def _check_size(self, problem: Problem | LatticeProblem) -> None:
        count = len(problem.tasks)
        if count > self.max_tasks:
            raise UsageError(
                f"subset-dp lists all sets of at most max_tasks={self.max_tasks} tasks, and there are "
                f"{count}. {_others(problem)}"
            )

    def _solve(self, program: Program, control: Control) -> Choice:
        base = program.mandatory
        rewarded = program.open > 0
        if not program.is_partition and program.max_groups >= program.n_groups:
            base = base | rewarded  # nothing is lost by choosing them all
        count = int(base.sum())
        charged = bool(program.open[~base].any())
        # Any groups may fill up to the least number where that is free; else they must be chosen well.
        short = program.min_groups > max(1, count)
        knapsack = not program.is_partition and charged and (bool((rewarded & ~base).any()) or short)
        compiled = self._compiles(program, knapsack)
        if compiled and not _compiled(control):
            return Choice(None, -np.inf, complete=False)
        with control.stage("search"):
            if knapsack:
                return choose_groups(program, base, control, compiled=compiled)
            choice = split_tasks(program, base, control, compiled=compiled)
        if choice.groups is None or program.is_partition:
            return choice
        others = np.setdiff1d(np.arange(program.n_groups), choice.groups)
        filling = others[: max(0, program.min_groups - len(choice.groups))]
        return replace(choice, groups=np.union1d(choice.groups, filling))

    def _compiles(self, program: Program, knapsack: bool) -> bool:
        if self.compiled is not None:
            return self.compiled
        if knapsack:
            return bool(len(program.members) * program.max_groups << program.n_tasks > PLAIN_WORK)
        return program.n_tasks > PLAIN_TASKS

    def _with_larger_total(self, program: Program, level: float, choice: Choice, control: Control) -> Choice:
        """Return, of all groupings whose worst value is the best, one with the largest total."""
        fine = replace(
            program, aggregate="sum", serve=np.where(program.serve >= level, program.serve, -np.inf)
        )
        found = self._solve(fine, control)
        return choice if found.groups is None else found


def _compiled(control: Control) -> bool:
    from solvers.kernels.subset_dp import compile_kernels, take_groups

    if take_groups.signatures:  # type: ignore[attr-defined]
        return True
    with control.stage("compile"):
        return compiled_in_time(compile_kernels, control)


def _rounding(program: Program, value: float) -> float:
    """Return how far the sums of any grouping worth ``value`` or more can be off.

    Its positive terms are at most the tasks' best values and the opening values that help; so the
    negative ones are no more than what these exceed the value by.
    """
    if program.aggregate == "min":
        return 0.0
    helping = np.maximum(program.best_values, 0.0).sum() + np.maximum(program.open, 0.0).sum()
    terms = 2 * program.n_tasks + program.max_groups + 2
    return float(terms * np.finfo(np.float64).eps * max(2.0 * helping - value, 0.0))


def _others(problem: Problem | LatticeProblem) -> str:
    """Return which exact solvers take a problem, in words."""
    able = []
    for name in SOLVERS.names():
        with suppress(UsageError):
            cls: type[Solver] = SOLVERS.load(name)
            if cls is not SubsetDp and cls.info.exact and not cls.info.lacks(problem):
                able.append(name)
    return f"Solvers that may: {', '.join(able) or 'none'}."
