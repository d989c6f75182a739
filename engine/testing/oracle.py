"""The best value of a small problem, by asking the referee about every set of groups."""

from __future__ import annotations

from itertools import combinations

from engine.errors import UsageError
from engine.problem.table import Problem
from engine.solving.referee import referee

MOST_GROUPS = 14


def optimum(problem: Problem) -> float | None:
    """Return the best value of any grouping, or None for an infeasible problem.

    It reads the gains, the objective and the constraints only, never the integer program, so that
    it checks that too. Takes time proportional to 2^M.

    Parameters
    ----------
    problem
        A problem over at most 14 groups.

    Raises
    ------
    UsageError
        If there are more groups.
    """
    count = problem.gains.n_groups
    if count > MOST_GROUPS:
        raise UsageError(f"The oracle tries all sets of at most {MOST_GROUPS} groups, not of {count}.")
    better = max if problem.objective.sense == "maximize" else min
    best: float | None = None
    for size in range(1, count + 1):
        for rows in combinations(range(count), size):
            verdict = referee(problem, rows)
            if verdict.value is not None and not verdict.problems:
                best = verdict.value if best is None else better(best, verdict.value)
    return best
