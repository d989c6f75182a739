"""Property tests: every exact solver equals brute force; no solver claims more than it has."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine import SOLVERS, Problem, Status, frontier, solve
from engine.problem.kinds import Feature
from engine.testing import check_solution, problems
from engine.testing.transforms import reordered, scaled

LIGHT = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
EXACT = ["branch-and-bound", "cpsat", "milp"]
HEURISTIC = ["beam", "greedy", "local-search", "random", "spectral"]


def _supported(problem: Problem, name: str) -> bool:
    return bool(problem.features <= SOLVERS.load(name).info.features)


@pytest.mark.parametrize("name", EXACT)
@LIGHT
@given(problem=problems(max_tasks=6, max_groups=12))
def test_exact_solvers_equal_brute_force(name: str, problem: Problem) -> None:
    assume(_supported(problem, name))
    expected = solve(problem, "brute-force")
    for presolve in (True, False):
        found = solve(problem, name, presolve=presolve, threads=1)
        check_solution(problem, found)
        assert found.status is expected.status
        if expected.value is not None:
            assert found.value == pytest.approx(expected.value, rel=0, abs=1e-6 * problem.program.scale)


@pytest.mark.parametrize("name", HEURISTIC)
@LIGHT
@given(problem=problems(max_tasks=6, max_groups=12))
def test_heuristics_stay_within_the_optimum(name: str, problem: Problem) -> None:
    assume(_supported(problem, name))
    best = solve(problem, "brute-force")
    found = solve(problem, name, threads=1)
    check_solution(problem, found)
    if best.value is None:
        assert not found.found
    elif found.value is not None:
        sign, slack = problem.program.sign, 1e-9 * problem.program.scale
        assert sign * (best.value - found.value) >= -slack
        if found.bound is not None:
            assert sign * (found.bound - best.value) >= -1e-6 * problem.program.scale


@LIGHT
@given(
    problem=problems(features={Feature.SUM, Feature.OPENING, Feature.PARTITION, Feature.COST}),
    seed=st.integers(0, 99),
    factor=st.sampled_from([1e-3, 0.5, 3.0, 1e4]),
)
def test_branch_and_bound_ignores_order_and_unit(problem: Problem, seed: int, factor: float) -> None:
    first = solve(problem, "branch-and-bound", threads=1)
    other = scaled(reordered(problem, np.random.default_rng(seed)), factor)
    again = solve(other, "branch-and-bound", threads=1)
    assert again.status is first.status
    if first.value is not None:
        slack = 1e-6 * other.program.scale
        assert again.value == pytest.approx(first.value * factor, rel=0, abs=slack)


@pytest.mark.parametrize("name", ["brute-force", *EXACT])
@settings(parent=LIGHT, max_examples=15)
@given(problem=problems(features={Feature.SUM, Feature.PARTITION, Feature.MEMBERSHIPS}))
def test_frontier_rises_with_the_budget(name: str, problem: Problem) -> None:
    assume(_supported(problem, name))
    solutions = frontier(problem, range(1, problem.gains.n_tasks + 2), name, threads=1)
    sign = problem.program.sign
    slack = 1e-9 * problem.program.scale
    worth = [-np.inf if one.value is None else sign * one.value for one in solutions.values()]
    for smaller, larger in pairwise(worth):
        assert larger >= smaller - slack
    for budget, solution in solutions.items():
        check_solution(problem.with_budget(budget), solution)
        assert solution.status in (Status.OPTIMAL, Status.INFEASIBLE)
