"""The best grouping of few tasks, by dynamic programming over all sets of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.subset_choice import choose_groups
from solvers.tables.subset_partition import SubsetChoice, split_tasks

PLAIN_TASKS = 12
"""Up to so many tasks, served sets are split in NumPy as fast as a compiler starts."""

PLAIN_WORK = 200_000_000
"""Up to so many additions, groups are chosen in NumPy."""


@dataclass(frozen=True)
class SubsetProgramming:
    """Dynamic programming over all sets of tasks, whatever the values.

    Attributes
    ----------
    compiled
        Use machine code; by default where that pays for the compiler.
    """

    compiled: bool | None = None

    def solve(self, program: Program, control: Control) -> tuple[SubsetChoice, float]:
        """Return the best choice of candidates with its value, and a proven bound.

        Parameters
        ----------
        program
            Without a limit on cost or on memberships, other than that groups are disjoint.
        control
            Gives the time; told of stages only.
        """
        if program.reasons():
            return SubsetChoice(None, -np.inf, complete=True), -np.inf
        choice = self._choose(program, control)
        if choice.groups is None:
            return choice, -np.inf if choice.complete else np.inf
        value, bound = program.value(choice.groups), np.inf
        if choice.complete:
            bound = max(value, choice.value) + _rounding(program, value)
            if program.aggregate == "min":
                choice = self._with_larger_total(program, value, choice, control)
        return replace(choice, value=value), bound

    def _choose(self, program: Program, control: Control) -> SubsetChoice:
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

    def _with_larger_total(
        self, program: Program, level: float, choice: SubsetChoice, control: Control
    ) -> SubsetChoice:
        """Return, of all groupings whose worst value is the best, one with the largest total."""
        fine = replace(
            program, aggregate="sum", serve=np.where(program.serve >= level, program.serve, -np.inf)
        )
        found = self._choose(fine, control)
        return choice if found.groups is None else found


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
