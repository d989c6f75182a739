from __future__ import annotations

import numpy as np
import pytest

from engine import (
    Budget,
    GainTensor,
    GroupCount,
    Mandatory,
    MembershipLimit,
    Partition,
    Problem,
    Status,
    WorstGain,
    solve,
)
from engine.testing import check_solution, random_problem
from engine.testing.examples import easy_problem, infeasible_problem


def test_takes_the_largest_improvement_each_time() -> None:
    gains = GainTensor.from_groups(
        [
            {"a": 0.01, "b": 0.01, "c": 0.01},
            {"a": 0.20, "b": 0.10},
            {"b": 0.15, "c": 0.05},
            {"a": 0.25, "c": -0.9},
        ]
    )
    solution = solve(Problem(gains).with_budget(2), "greedy")
    # After the full group: +0.28 for a|b, +0.18 for b|c, +0.24 for a|c.
    assert [group.tasks for group in solution.groups] == [("a", "b", "c"), ("a", "b")]
    assert solution.status is Status.FEASIBLE
    assert solution.bound == pytest.approx(0.45)  # every task at its best


def test_serving_all_comes_before_any_gain() -> None:
    gains = GainTensor.from_groups(
        [{"a": 9.0, "b": 9.0}, {"a": 9.0}, {"b": -5.0, "c": -5.0}, {"c": -4.0}],
        single_task_baseline=False,
    )
    solution = solve(Problem(gains).with_budget(2), "greedy")
    assert solution.found
    assert solution.value == pytest.approx(9 + 9 - 4)


def test_cost_budget_is_spent_by_improvement_per_cost_too() -> None:
    gains = GainTensor.from_groups(
        [{"a": 0.0, "b": 0.0}, {"a": 0.10, "b": 0.10}, {"a": 0.09}, {"b": 0.09}],
        cost=np.array([0.5, 1.5, 0.3, 0.3]),
        single_task_baseline=False,
    )
    solution = solve(Problem(gains, constraints=(Budget(1.5),)), "greedy")
    assert solution.value == pytest.approx(0.2)
    cheaper = solve(Problem(gains, constraints=(Budget(1.2),)), "greedy")
    assert cheaper.value == pytest.approx(0.18)


def test_exact_cover_needs_backtracking() -> None:
    # The tempting a|b|c leaves d|e without a group that fits; only a|b with c|d|e partitions.
    gains = GainTensor.from_groups(
        [
            {"a": 0.9, "b": 0.9, "c": 0.9},
            {"a": 0.1, "b": 0.1},
            {"c": 0.1, "d": 0.1, "e": 0.1},
            {"a": 0.5, "d": 0.5},
        ]
    )
    problem = Problem(gains, constraints=(Partition(),))
    solution = solve(problem, "greedy")
    check_solution(problem, solution)
    assert {group.tasks for group in solution.groups} == {("a", "b"), ("c", "d", "e")}


def test_partition_by_mean_score() -> None:
    # Serving most tasks first would take the full group; pairs are worth more.
    gains = GainTensor.from_groups(
        [{"a": 0.01, "b": 0.01, "c": 0.01, "d": 0.01}, {"a": 0.2, "b": 0.2}, {"c": 0.2, "d": 0.2}]
    )
    assert solve(Problem(gains, constraints=(Partition(),)), "greedy").value == pytest.approx(0.8)


@pytest.mark.parametrize(
    "demand",
    [GroupCount(at_least=4), GroupCount(4, 4), Mandatory(["d"]), MembershipLimit(2), Partition()],
    ids=lambda demand: demand.describe(),
)
def test_meets_demands(demand: object) -> None:
    problem = easy_problem(None, demand)  # type: ignore[arg-type]
    solution = solve(problem, "greedy")
    check_solution(problem, solution)
    assert solution.found


def test_worst_gain_prefers_the_least_task() -> None:
    gains = GainTensor.from_groups(
        [
            {"a": 0.9, "b": 0.9, "c": -0.5},
            {"a": 0.9, "b": 0.9, "d": 0.05},
            {"a": 0.1, "b": 0.1, "c": 0.1, "d": 0.1},
            {"c": 0.9, "d": 0.9},
        ]
    )
    solution = solve(Problem(gains, WorstGain(), (Budget(2),)), "greedy")
    assert solution.value == pytest.approx(0.1)


def test_finds_nothing_where_nothing_is() -> None:
    solution = solve(infeasible_problem(), "greedy")
    assert (solution.status, solution.found) == (Status.NONE, False)


def test_finds_a_grouping_wherever_there_is_one() -> None:
    for seed in range(60):
        problem = random_problem(seed)
        found = solve(problem, "greedy").found
        assert found == solve(problem, "brute-force").found, seed
