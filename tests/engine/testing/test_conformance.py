"""The testing tools: random problems cover what they promise, and the checks see what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from engine import Problem, Solution, UsageError, solve
from engine.problem.kinds import Feature
from engine.testing import check_solution, optimum, random_problem
from engine.testing.examples import easy_gains, easy_problem


def test_random_problems_cover_every_feature_and_both_outcomes() -> None:
    found: Counter[str] = Counter()
    for seed in range(300):
        problem = random_problem(seed, features=frozenset(Feature))
        found.update(problem.features)
        found["minimize" if problem.program.sign < 0 else "maximize"] += 1
        found["infeasible" if optimum(problem) is None else "feasible"] += 1
    assert all(found[feature] >= 5 for feature in Feature), found
    assert found["feasible"] > 150
    assert found["infeasible"] > 20
    assert found["minimize"] > 20


def test_random_problems_keep_to_the_features_and_repeat() -> None:
    for seed in range(50):
        problem = random_problem(seed, features={Feature.SUM, Feature.COST})
        assert problem.features <= {Feature.SUM, Feature.COST}
        assert problem.digest == random_problem(seed, features={Feature.SUM, Feature.COST}).digest


def test_the_oracle_knows_its_limits() -> None:
    with pytest.raises(UsageError, match="at most 14 groups, not of 15"):
        optimum(Problem(easy_gains()))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, certificate=replace(one.certificate, value=1.0)),
        lambda one: replace(one, certificate=replace(one.certificate, verified=False)),
        lambda one: replace(one, certificate=replace(one.certificate, bound=0.0)),
        lambda one: replace(one, certificate=replace(one.certificate, bound=None)),
        lambda one: replace(one, serving={**one.serving, "a": 1 - one.serving["a"]}),
        lambda one: replace(one, groups=one.groups[:1]),
        lambda one: replace(one, tasks=one.tasks[::-1]),
    ],
)
def test_the_checks_see_false_solutions(change: object) -> None:
    problem = easy_problem()
    solution = solve(problem, "brute-force")
    check_solution(problem, solution)
    false = change(solution)  # type: ignore[operator]
    assert isinstance(false, Solution)
    with pytest.raises((AssertionError, IndexError)):
        check_solution(problem, false)
