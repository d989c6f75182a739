"""Problems: checked at the door, compiled once, described in words."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, replace

import numpy as np
import pytest

from engine import (
    Budget,
    Coefficients,
    DataError,
    GainTensor,
    GroupCount,
    GroupSize,
    Mandatory,
    MembershipLimit,
    Objective,
    Partition,
    Problem,
    SetFunction,
    TotalGain,
    UsageError,
    WorstGain,
    frontier,
    solve,
)
from engine.problem.kinds import Feature
from engine.testing import PricedGain, optimum, random_problem
from engine.testing.examples import easy_gains, easy_problem, feature_problem, number_of_members
from engine.testing.transforms import renamed, reordered, scaled

GAINS = easy_gains()


def test_parts_are_checked() -> None:
    with pytest.raises(UsageError, match="gains must be a GainTensor, not dict"):
        Problem({})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a class needs parentheses"):
        Problem(GAINS, TotalGain)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="constraints must hold Constraint objects, not 3"):
        Problem(GAINS, constraints=(3,))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"constraints must be a list: .* not Budget\(limit=2\)"):
        Problem(GAINS, constraints=Budget(2))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="constraints must be a list"):
        Problem(GAINS, constraints=2)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="No group covers task 'b'"):
        Problem(GainTensor.from_groups([{"a": 0.0}], tasks=["a", "b"]))
    with pytest.raises(FrozenInstanceError):
        Problem(GAINS).gains = GAINS  # type: ignore[misc]


@dataclass
class Returning(Objective):
    result: object
    sense: str = "maximize"  # type: ignore[assignment]

    def coefficients(self, gains: GainTensor) -> Coefficients:
        return self.result  # type: ignore[return-value]


def test_what_an_objective_returns_is_checked() -> None:
    assert solve(Problem(GAINS, Returning(GAINS.gains)), "greedy").found
    for nothing in (None, 3, [1, 2]):
        with pytest.raises(UsageError, match=r"coefficients\(\) of Returning returned .*engine.Coefficients"):
            solve(Problem(GAINS, Returning(nothing)), "greedy")
    with pytest.raises(UsageError, match="serve coefficients are not an array of numbers"):
        solve(Problem(GAINS, Returning(Coefficients("x"))), "greedy")
    with pytest.raises(UsageError, match="Returning has sense 'max'"):
        Problem(GAINS, Returning(None, "max"))


def test_only_a_problem_can_be_solved() -> None:
    with pytest.raises(UsageError, match=r"must be an engine.Problem, not GainTensor\. Write engine.Problem"):
        solve(GAINS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Problem, not str"):
        frontier("toy4", [1])  # type: ignore[arg-type]


def test_any_iterable_of_constraints_will_do() -> None:
    assert Problem(GAINS, constraints=[Budget(2)]).constraints == (Budget(2),)


@pytest.mark.parametrize("feature", list(Feature))
def test_features_follow_from_the_parts(feature: Feature) -> None:
    features = feature_problem(feature).features
    assert feature in features
    assert features <= {feature, Feature.SUM}


def test_features_do_not_overstate() -> None:
    assert Problem(GAINS).features == {Feature.SUM}
    assert Problem(GAINS, PricedGain(0.0)).features == {Feature.SUM}
    assert Problem(GAINS, constraints=(GroupCount(3), GroupSize(2))).features == {Feature.SUM}
    assert Problem(GAINS, WorstGain(), (MembershipLimit(1),)).features == {Feature.WORST, Feature.PARTITION}


def test_budget_is_the_tightest_and_can_be_replaced() -> None:
    problem = Problem(GAINS, constraints=(Budget(3), Partition(), Budget(2)))
    assert problem.budget == 2
    assert problem.program.max_groups == 2
    other = problem.with_budget(1)
    assert other.constraints == (Partition(), Budget(1))
    assert other.program.max_groups == 1
    assert other.program.serve is problem.program.serve
    assert Problem(GAINS).budget is None


def test_description_and_digest() -> None:
    problem = Problem(GAINS, constraints=(Budget(2), Partition()))
    assert problem.describe() == "maximize total gain subject to a budget of 2; disjoint groups"
    assert len(problem.digest) == 64
    assert problem.digest == Problem(easy_gains(), constraints=(Budget(2), Partition())).digest
    changed = [
        problem.with_budget(3),
        replace(problem, objective=WorstGain()),
        replace(problem, gains=GAINS.select(np.arange(15)[::-1])),
    ]
    assert len({problem.digest, *(one.digest for one in changed)}) == 4


def test_pickles() -> None:
    problem = easy_problem()
    assert pickle.loads(pickle.dumps(problem)).digest == problem.digest


def test_no_more_groups_than_can_be_of_use() -> None:
    assert Problem(GAINS).program.max_groups == 4
    assert Problem(GAINS, constraints=(Mandatory(["a"]),)).program.max_groups == 5
    # Where choosing a group is worth something by itself, all may be of use.
    assert Problem(GAINS, PricedGain(-0.1)).program.max_groups == 15
    assert Problem(GAINS, SetFunction(number_of_members)).program.max_groups == 15
    assert solve(Problem(GAINS, SetFunction(number_of_members)), "brute-force").value == 32


def test_grid_is_the_coarsest_decimal_step() -> None:
    def grid(value: float) -> float:
        gains = GainTensor.from_groups([{"a": value, "b": 0.0}, {"a": 0.0}])
        return Problem(gains).program.grid

    assert grid(0.25) == pytest.approx(0.01)
    assert grid(3.0) == 1.0
    assert grid(1e-6) == pytest.approx(1e-6)
    assert grid(np.pi) == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_worth_does_not_depend_on_names_order_or_unit(seed: int) -> None:
    problem = random_problem(seed, max_tasks=4, max_groups=7)
    best = optimum(problem)
    names = {name: f"task {name}" for name in problem.gains.tasks}
    for other, factor in (
        (renamed(problem, names), 1.0),
        (reordered(problem, np.random.default_rng(seed)), 1.0),
        (scaled(problem, 8.0), 8.0),
    ):
        again = optimum(other)
        assert (again is None) == (best is None)
        if best is not None:
            assert again == pytest.approx(best * factor, abs=1e-12)
