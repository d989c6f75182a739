"""A check that the Pyomo and the Python form of one's own terms and demands agree."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.problem.constraint import Constraint
from engine.problem.constraints import GroupCount, Mandatory
from engine.problem.extension import PyomoConstraint
from engine.problem.table import Problem
from engine.solving.certificate import Status
from engine.solving.referee import referee
from engine.solving.solve import solve
from engine.solving.solver import choose_solver


def check_extension(
    problem: Problem,
    solver: str | None = None,
    *,
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 1e-6,
) -> None:
    """Assert that the Pyomo and the Python form of every extra term and demand agree.

    Random groupings that serve every task are fixed one by one, whatever the budget, and solved; the
    solver's model must find them feasible where the referee does, and prove the referee's value.

    Parameters
    ----------
    problem
        A problem with extra terms or demands.
    solver
        One that builds the Pyomo form, by name; by default the preferred one for the problem.
    samples, seed
        How many groupings to try, and what decides them.
    tolerance
        Of the value, relative to what a good solution holds.

    Raises
    ------
    AssertionError
        If the two forms differ on a grouping; UsageError where the solver itself says so.
    """
    rng = np.random.default_rng(seed)
    gains, name = problem.gains, choose_solver(problem) if solver is None else solver
    kept = [one for one in problem.constraints if _is_told_by_the_whole(one)]
    for _ in range(samples):
        rows = _random_cover(problem, rng)
        fixed: list[Constraint] = [Mandatory(gains.group(row), float(gains.cost[row])) for row in rows]
        fixed.append(GroupCount(len(rows), len(rows)))
        alone = replace(problem, constraints=(*kept, *fixed))
        verdict = referee(alone, rows)
        solution = solve(alone, name)
        groups = ", ".join("|".join(gains.group(row)) for row in rows)
        if verdict.problems or verdict.value is None:
            assert solution.status is Status.INFEASIBLE, (
                f"{groups}: feasible in Pyomo, but {verdict.problems}"
            )
            continue
        assert solution.status is not Status.INFEASIBLE, f"{groups}: infeasible in Pyomo, feasible in Python"
        assert not solution.certificate.problems, f"{groups}: {solution.certificate.problems}"
        slack = tolerance * max(problem.program.scale, abs(verdict.value))
        assert solution.bound is not None
        assert math.isclose(solution.bound, verdict.value, rel_tol=0, abs_tol=slack), (
            f"{groups}: {solution.bound:.9g} in Pyomo, {verdict.value:.9g} in Python"
        )


def _is_told_by_the_whole(constraint: Constraint) -> bool:
    """Whether a demand is an extra one, or decides who may serve whom."""
    decides = type(constraint).may_serve is not Constraint.may_serve
    return decides or isinstance(constraint, PyomoConstraint)


def _random_cover(problem: Problem, rng: np.random.Generator) -> list[int]:
    """Return rows that hold every task, some of them superfluous."""
    membership = problem.gains.membership
    held = np.zeros(problem.gains.n_tasks, dtype=bool)
    rows: list[int] = []
    for row in rng.permutation(problem.gains.n_groups).tolist():
        if (membership[row] & ~held).any() or rng.random() < 0.1:
            rows.append(row)
            held |= membership[row]
    return sorted(rows)
