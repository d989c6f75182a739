"""The oracle itself, against an even simpler one."""

from __future__ import annotations

import pytest

from engine import Problem, SetFunction, Status, UsageError, solve
from engine.problem.kinds import Feature
from engine.testing import check_solution, optimum, random_problem
from engine.testing.examples import easy_gains, easy_problem
from solvers.brute_force import count_sets


@pytest.mark.parametrize("seed", range(100, 200))
def test_equals_the_referee_on_every_set(seed: int) -> None:
    problem = random_problem(seed, features=frozenset(Feature), max_tasks=4, max_groups=8)
    solution = solve(problem, "brute-force")
    check_solution(problem, solution)
    best = optimum(problem)
    if best is None:
        assert solution.status is Status.INFEASIBLE
    else:
        assert solution.status is Status.OPTIMAL
        assert solution.value == pytest.approx(best, abs=1e-12)


def test_counts_what_it_tries() -> None:
    problem = easy_problem()
    assert count_sets(problem.program) == 15 + 105
    assert solve(problem, "brute-force").details["sets"] == 120


def test_refuses_too_many_sets_and_says_how_many() -> None:
    with pytest.raises(UsageError, match=r"brute-force would try 120 sets of groups, more than max_sets=100"):
        solve(easy_problem(), "brute-force", options={"max_sets": 100})


def test_set_function() -> None:
    def balance(groups: list[tuple[str, ...]]) -> float:
        return -float(max(map(len, groups)) - min(map(len, groups))) - 0.1 * len(groups)

    problem = Problem(easy_gains(), SetFunction(balance)).with_budget(2)
    solution = solve(problem, "brute-force")
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(-0.1)
    assert [group.tasks for group in solution.groups] == [("a", "b", "c", "d")]


def test_set_function_that_is_not_a_number_is_passed_over() -> None:
    def picky(groups: list[tuple[str, ...]]) -> float:
        return float("nan") if len(groups) == 1 else 1.0

    solution = solve(Problem(easy_gains(), SetFunction(picky)).with_budget(2), "brute-force")
    assert solution.value == 1.0
    assert len(solution.groups) == 2
