from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine import Budget, Control, GainTensor, GroupCount, Instance, Partition, Problem, UsageError, solve
from engine.testing.examples import easy_gains, infeasible_problem
from solvers.random_draws import RandomDraws, _uniform
from solvers.tables.moves import Moves


def test_reproduces_the_random_baseline(taskonomy5: Instance) -> None:
    problem = Problem(taskonomy5.gains("measured"))
    published = {1: 3.47, 2: 4.73, 3: 6.31, 4: 7.97, 5: 9.99}
    for budget, mean in published.items():
        details = solve(problem.with_budget(budget), "random", options={"draws": 4000}).details
        # The published means are over a few hundred draws only.
        error = 100 * details["std_value"] / 5 / 300**0.5
        assert 100 * details["mean_value"] / 5 == pytest.approx(mean, abs=2 * error + 0.01), budget
        assert details["repaired_draws"] == 0


def test_draws_are_uniform_over_the_sets_that_serve_all() -> None:
    problem = Problem(easy_gains()).with_budget(2)
    moves, control = Moves(problem.program), Control()
    draws = _uniform(moves, control, np.random.default_rng(5))
    counts = Counter(frozenset(next(draws)) for _ in range(20_000))
    # Of the 105 pairs of the 15 groups, 40 serve all four tasks.
    serving = sum(
        len(set(problem.gains.group(first)) | set(problem.gains.group(second))) == 4
        for first in range(15)
        for second in range(first)
    )
    assert len(counts) == serving
    expected = 20_000 / serving
    assert max(abs(count - expected) for count in counts.values()) < 5 * expected**0.5


def test_tells_the_spread_and_returns_the_best() -> None:
    solution = solve(Problem(easy_gains()).with_budget(2), "random", options={"draws": 50})
    details = solution.details
    assert details["draws"] == 50
    assert details["max_value"] == pytest.approx(solution.value)
    assert details["min_value"] <= details["mean_value"] <= details["max_value"]
    assert details["std_value"] > 0


def test_losses_keep_their_sign() -> None:
    gains = GainTensor.from_groups([{"a": 0.5, "b": 0.7}, {"a": 0.4}, {"b": 0.6}], quantity="loss")
    details = solve(Problem(gains).with_budget(2), "random").details
    assert 0 < details["min_value"] <= details["mean_value"]


def test_seed_decides() -> None:
    problem = Problem(easy_gains()).with_budget(2)
    first, again, other = (solve(problem, "random", seed=seed).details for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("demand", [Partition(), GroupCount(3, 3), Budget(1)])
def test_meets_demands(demand: object) -> None:
    problem = Problem(easy_gains(), constraints=(demand,))  # type: ignore[arg-type]
    assert solve(problem, "random", options={"draws": 20}).found


def test_rare_covers_are_found_by_repair() -> None:
    rng = np.random.default_rng(0)
    crowd = {tuple(sorted(rng.choice(20, 3, replace=False).tolist())) for _ in range(400)}
    names = [f"t{index}" for index in range(20)]
    blocks = [tuple(range(start, start + 5)) for start in range(0, 20, 5)]
    gains = GainTensor.from_groups(
        [{names[task]: 0.1 for task in group} for group in (*sorted(crowd), *blocks)], tasks=names
    )
    solution = solve(Problem(gains).with_budget(4), "random", options={"draws": 3})
    assert solution.found
    assert solution.details["repaired_draws"] == 3


def test_none_where_nothing_serves_all() -> None:
    solution = solve(infeasible_problem(), "random")
    assert not solution.found
    assert solution.details == {}


def test_draws_must_be_positive() -> None:
    with pytest.raises(UsageError, match="draws must be 1 or more"):
        RandomDraws(draws=0)
