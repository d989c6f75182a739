"""When to stop: what all further measurements together may be expected to gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.evaluate import referee
from engine.guided.belief import Belief
from engine.guided.question import Question


@dataclass(frozen=True)
class Improvement:
    """A bound on the expected improvement of the decisions by any further measurement.

    Attributes
    ----------
    bound
        Mean over budgets and draws, per task and in the unit of the objective: what a decision would
        gain if every true gain were known at once. No way of measuring can be expected to do better,
        as far as the belief is right (the expected value of perfect information; Raiffa and
        Schlaifer, "Applied Statistical Decision Theory", 1961).
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
    measured = belief.gains.select(belief.gains.measured)
    current = question.solutions(measured) or question.solutions(belief.gains)
    found = []
    for _ in range(draws):
        problem = question.problem(belief.drawn(random))
        gained = []
        for budget, solution in question.solutions(problem.gains, current).items():
            now = referee(problem, problem.locate(current[budget])).value
            best = solution.value if solution.bound is None else solution.bound
            if now is not None and best is not None:
                gained.append(problem.sign * (best - now))
        found.append(max(float(np.mean(gained)), 0.0) / len(question.tasks))
    error = float(np.std(found, ddof=1) / np.sqrt(draws)) if draws > 1 else float("inf")
    return Improvement(float(np.mean(found)), error)
