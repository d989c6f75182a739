"""The question that measurements are to answer: the user's own problem, for the budgets of interest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError, unknown_name
from engine.gains.tensor import GainTensor
from engine.guided.belief import Belief
from engine.problem.constraint import Constraint
from engine.problem.constraints import Budget
from engine.problem.limits import Limits
from engine.problem.objectives import Objective, TotalGain
from engine.problem.parts import check_parts
from engine.problem.table import Problem
from engine.solving.certificate import Termination
from engine.solving.frontier import frontier
from engine.solving.solution import Solution
from engine.solving.warm_start import named_groups

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """An objective, demands and budgets; what is asked of every set of gains.

    Attributes
    ----------
    tasks
        N names.
    budgets
        The budgets of interest, ascending; at least one.
    objective
        By default the total gain, or the total loss.
    constraints
        Demands, without a budget.
    solver
        By name; by default the preferred one that can prove the problem.
    time_limit
        Seconds per budget. What is found by then will do: a guided collection asks many questions.
    """

    tasks: tuple[str, ...]
    budgets: tuple[float, ...]
    objective: Objective | None = None
    constraints: tuple[Constraint, ...] = ()
    solver: str | None = None
    time_limit: float = 10.0
    weights: Numbers = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.budgets, (str, int, float)) or not isinstance(self.budgets, Iterable):
            raise UsageError(
                f"Give the budgets of interest as a list, for instance [4], not {self.budgets!r}."
            )
        object.__setattr__(self, "budgets", tuple(self.budgets))
        if not self.budgets:
            raise UsageError("Name the budgets of interest, for instance 4 or 2,4,8.")
        for constraint in check_parts(self.objective or TotalGain(), self.constraints):
            for name in constraint.mentioned():
                if name not in self.tasks:
                    raise unknown_name("task", name, self.tasks)
        if any(isinstance(constraint, Budget) for constraint in self.constraints):
            raise UsageError("Give the budgets of interest as budgets, not as a constraint.")
        object.__setattr__(self, "budgets", tuple(sorted({Budget(limit).limit for limit in self.budgets})))
        weights = None if self.objective is None else self.objective.task_weights(self.tasks)
        object.__setattr__(self, "weights", np.ones(len(self.tasks)) if weights is None else weights)

    def problem(self, gains: GainTensor) -> Problem:
        """Return the problem on some gains, without a budget."""
        return Problem(gains, self.objective, self.constraints)  # type: ignore[arg-type]

    def choosable(self, membership: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which groups the demands let be chosen at all, whatever they gain.

        Parameters
        ----------
        membership
            Shape (M, N).
        """
        if not len(membership):
            return np.zeros(0, dtype=bool)
        groups = GainTensor.from_dense(self.tasks, membership, np.where(membership, 0.0, np.nan))
        limits = Limits.of(groups.tasks, groups.quantity)
        for constraint in self.constraints:
            constraint.restrict(limits)
        return limits.admitted(groups)

    def solutions(self, gains: GainTensor, budgets: Iterable[float] | None = None) -> dict[float, Solution]:
        """Return the solutions that hold a grouping, by budget, ascending.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C ended a search: a solver keeps it to itself.
        """
        asked = self.budgets if budgets is None else tuple(budgets)
        if gains.uncovered or not asked:
            return {}
        solutions = frontier(self.problem(gains), asked, self.solver, time_limit=self.time_limit)
        if any(each.certificate.termination is Termination.INTERRUPTED for each in solutions.values()):
            raise KeyboardInterrupt
        return {budget: solution for budget, solution in solutions.items() if solution.found}

    def solved(self, gains: GainTensor) -> Iterator[tuple[NDArray[np.int64], list[tuple[int, float]]]]:
        """Yield the chosen rows of each budget, and the serving row and value of each task.

        Raises
        ------
        DataError
            If no budget leaves a solution.
        """
        solutions = self.solutions(gains)
        if not solutions:
            raise DataError(
                "No choice of groups meets the demands within any of the budgets "
                f"{', '.join(f'{budget:g}' for budget in self.budgets)}, not even among groups not measured "
                "yet."
            )
        upward = 1.0 if gains.quantity == "gain" else -1.0
        problem = self.problem(gains)
        for solution in solutions.values():
            rows = problem.locate(named_groups(solution))
            values = [
                (int(rows[index]), upward * solution.task_values[task])
                for task, index in solution.serving.items()
            ]
            yield rows, values

    def served(self, belief: Belief) -> list[Completion]:
        """Return, for every budget, what the measured groups offer with one group less."""
        measured = belief.gains.select(belief.gains.measured)
        upward = 1.0 if measured.quantity == "gain" else -1.0
        fewer = {budget: budget - 1 for budget in self.budgets if budget > 1}
        solutions = self.solutions(measured, {*fewer, *fewer.values()}) if fewer else {}
        values = {
            budget: upward * np.array([solution.task_values[task] for task in self.tasks])
            for budget, solution in solutions.items()
        }
        usable = [
            (values[more], values[less]) for more, less in fewer.items() if less in values and more in values
        ]
        if not usable:
            # Too few groups for any budget: every gain above that alone counts.
            return [Completion(_best(measured), 0.0)]
        return [Completion(less, float(self.weights @ (more - less))) for more, less in usable]


@dataclass(eq=False)
class Completion:
    """The best solution with one group less, to be completed by a group not measured yet.

    Attributes
    ----------
    without_last
        Shape (N,): value of each task, positive is better.
    worth_of_last
        What the last group of the best measured solution adds.
    """

    without_last: Numbers
    worth_of_last: float

    def measure(self, gains: Numbers, weights: Numbers, upward: float) -> None:
        """Count a group as measured at these gains, shape (N,), NaN off the membership."""
        added = np.fmax(upward * gains - self.without_last, 0.0)
        self.worth_of_last = max(self.worth_of_last, float(np.nansum(added * weights)))


def _best(gains: GainTensor) -> Numbers:
    """Return the best measured value of each task, positive is better.

    A task without any gains nothing; its loss counts as the largest of any task.
    """
    upward = 1.0 if gains.quantity == "gain" else -1.0
    table = np.where(np.isnan(gains.gains), -np.inf, upward * gains.gains)
    best = table.max(axis=0, initial=-np.inf)
    none = 0.0 if gains.quantity == "gain" else float(np.min(-gains.values, initial=0.0))
    return np.asarray(np.where(np.isfinite(best), best, none))
