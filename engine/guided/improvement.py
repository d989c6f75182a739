"""When to stop: what all further measurements together may be expected to gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import UsageError
from engine.guided.belief import Belief
from engine.guided.question import Question
from engine.problem.table import Problem
from engine.solving.referee import referee
from engine.solving.solution import Solution
from engine.solving.warm_start import named_groups


@dataclass(frozen=True)
class Improvement:
    """A bound on the expected improvement of the decisions by any further measurement.

    Attributes
    ----------
    bound
        Mean over budgets and draws, in the unit of the objective and per task where it is a sum over
        tasks: what a decision would gain if the true gains of all groups that are not measured were
        known at once. No way of measuring can be expected to do better, as far as the belief is right
        (the expected value of perfect information; Raiffa and Schlaifer, "Applied Statistical Decision
        Theory", 1961). Infinite where no budget leaves a choice yet.
    error
        Standard error of the bound, from the draws.
    """

    bound: float
    error: float

    def below(self, tolerance: float) -> bool:
        """Whether the improvement is below a tolerance, two standard errors included."""
        return self.bound + 2.0 * self.error < tolerance


def expected_improvement(
    belief: Belief, question: Question, draws: int, random: np.random.Generator
) -> Improvement:
    """Bound what any further measurement may be expected to gain.

    Parameters
    ----------
    belief
        What is known and believed.
    question
        The problem and the budgets.
    draws
        How many times true gains are drawn from the belief; the proven bound of each solution counts,
        so that an interrupted search makes the result larger, not smaller.
    random
        Source of randomness.
    """
    if draws < 1:
        raise UsageError(f"Draw once or more, not {draws} times.")
    if belief.gains.measured.all():
        return Improvement(0.0, 0.0)
    current = question.solutions(belief.gains)
    current |= question.solutions(belief.gains.select(belief.gains.measured))
    if not current:
        return Improvement(float("inf"), float("inf"))
    gains = []
    for _ in range(draws):
        problem = question.problem(belief.drawn(random))
        best = question.solutions(problem.gains, current)
        more = [_gained(problem, current[budget], solution) for budget, solution in best.items()]
        # A budget that no draw leaves a choice, because of a floor, has nothing to gain.
        gains.append(max(sum(more) / len(current), 0.0) / _terms(problem))
    error = float(np.std(gains, ddof=1) / np.sqrt(draws)) if draws > 1 else float("inf")
    return Improvement(float(np.mean(gains)), error)


def _gained(problem: Problem, current: Solution, best: Solution) -> float:
    """Return how much more the best solution of some gains is worth than the current one."""
    now = referee(problem, problem.locate(named_groups(current))).value
    reached = best.value if best.bound is None else best.bound
    return 0.0 if now is None or reached is None else problem.sign * (reached - now)


def _terms(problem: Problem) -> int:
    """Return how many tasks a value is a sum over."""
    return 1 if problem.objective.aggregate == "min" else len(problem.tasks)
