"""The dynamic program over subsets, against every set of groups and against the other exact solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import engine
from engine import (
    Affinity,
    Apart,
    Budget,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    LatticeProblem,
    Mandatory,
    MembershipAverage,
    MembershipLimit,
    PairMeanModel,
    Partition,
    Problem,
    Status,
    Together,
    TotalGain,
    UnsupportedError,
    UsageError,
    WorstGain,
    all_groups,
    graph_problem,
    solve,
)
from engine.problem.kinds import Feature
from engine.solving.solve import run
from engine.testing import CountedControl, PricedGain, check_solution, optimum, problems
from solvers.subset_dp import SubsetDp

LIGHT = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
FEATURES = SubsetDp.info.features
OVERLAPPING = FEATURES - {Feature.PARTITION}


@dataclass(frozen=True, eq=False)
class NoisyModel:
    """Gains that follow no rule at all."""

    tasks: tuple[str, ...]
    seed: int
    source: str = "noise"

    def predict(self, membership: np.ndarray) -> np.ndarray:
        member = np.asarray(membership, dtype=bool)
        codes = member @ (1 << np.arange(member.shape[1]))
        values = np.array(
            [np.random.default_rng((self.seed, int(c))).normal(size=member.shape[1]) for c in codes]
        )
        return np.where(member, values.reshape(member.shape), np.nan)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"t{task}" for task in range(count))


def pair_means(count: int, seed: int = 0) -> PairMeanModel:
    pairs = np.random.default_rng(seed).normal(size=(count, count))
    return PairMeanModel(names(count), pairs, np.zeros(count))


def agree(problem: Problem, solution: engine.Solution, best: float | None) -> None:
    check_solution(problem, solution)
    if best is None:
        assert solution.status is Status.INFEASIBLE
        return
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(best, rel=0, abs=1e-9 * problem.program.scale)


@pytest.mark.parametrize("compiled", [False, True])
@LIGHT
@given(problem=problems(features=FEATURES, max_tasks=6, max_groups=12))
def test_it_equals_brute_force(compiled: bool, problem: Problem) -> None:
    best = solve(problem, "brute-force").value
    agree(problem, solve(problem, SubsetDp(compiled=compiled)), best)


@pytest.mark.parametrize("compiled", [False, True])
@settings(parent=LIGHT, max_examples=40)
@given(problem=problems(features=OVERLAPPING, max_tasks=4, max_groups=9))
def test_it_equals_the_referee_on_every_set_of_groups(compiled: bool, problem: Problem) -> None:
    agree(problem, solve(problem, SubsetDp(compiled=compiled)), optimum(problem))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("price", [0.4, -0.4])
@pytest.mark.parametrize(
    "demands",
    [
        [GroupCount(4, 4)],
        [GroupCount(at_least=6)],
        [GroupCount(2)],
        [GroupCount(4, 3), Mandatory(["t0", "t1"])],
        [Partition(), GroupCount(at_least=3)],
        [Partition(), Mandatory(["t1"]), Mandatory(["t0", "t3"]), GroupCount(3)],
    ],
    ids=repr,
)
def test_prices_and_rewards_with_numbers_of_groups(
    demands: Sequence[engine.Constraint], price: float, compiled: bool
) -> None:
    model = NoisyModel(names(4), 3)
    gains = engine.tabulate(model, all_groups(4)[:13], single_task_baseline=False)
    problem = Problem(gains, PricedGain(price), demands)
    agree(problem, solve(problem, SubsetDp(compiled=compiled)), optimum(problem))


@pytest.mark.parametrize("aggregate", [TotalGain(), WorstGain()])
@pytest.mark.parametrize(
    "demands",
    [
        [GroupCount(3)],
        [GroupCount(5, 5)],
        [Partition()],
        [Partition(), GroupCount(4, 4)],
        [Partition(), GroupCount(at_least=6)],
        [Partition(), GroupSize(4, 2)],
        [Partition(), GroupCount(4), Together(["t0", "t1"]), Apart(["t2", "t3", "t4"])],
        [Partition(), Forbidden(["t0", "t1"]), Mandatory(["t2", "t5"]), GroupCount(3)],
        [GroupCount(4), Mandatory(["t2", "t5"]), Floor(-0.5)],
    ],
    ids=repr,
)
def test_it_equals_branch_and_bound_over_all_groups_of_a_model(
    demands: Sequence[engine.Constraint], aggregate: engine.Objective
) -> None:
    problem = LatticeProblem(pair_means(9), aggregate, demands)
    other = solve(problem.listed, "branch-and-bound")
    for compiled in (False, True):
        for one in (problem, problem.listed):
            found = solve(one, SubsetDp(compiled=compiled))
            assert found.status is other.status is Status.OPTIMAL, found.certificate.problems
            assert found.value == pytest.approx(other.value, abs=1e-9)


def test_nothing_is_assumed_of_the_values() -> None:
    problem = LatticeProblem(NoisyModel(names(8), 1), constraints=[GroupCount(3)])
    found, other = solve(problem, "subset-dp"), solve(problem.listed, "branch-and-bound")
    assert found.value == pytest.approx(other.value, abs=1e-9)
    assert solve(problem, SubsetDp(compiled=True)).value == found.value


def test_partitions_of_a_graph() -> None:
    affinity = Affinity(names(8), np.random.default_rng(5).normal(size=(8, 8)))
    problem = graph_problem(affinity)
    assert problem.kind is engine.Kind.GRAPH
    found, other = solve(problem, "subset-dp"), solve(problem.listed, "milp")
    assert found.status is Status.OPTIMAL
    assert found.value == pytest.approx(other.value, abs=1e-9)
    exact = solve(graph_problem(affinity, [GroupCount(2, 2)]), "subset-dp")
    assert len(exact.groups) == 2


def test_sixteen_tasks_are_proven_like_a_graph_of_two_cliques() -> None:
    """Two sets of eight tasks help one another within, and hurt across: the optimum is known."""
    side = np.arange(16) % 2
    matrix = np.where(side[:, None] == side, 1.0, -1.0)
    problem = graph_problem(Affinity(names(16), matrix))
    found = solve(problem, "subset-dp")
    assert found.status is Status.OPTIMAL
    assert found.value == pytest.approx(2 * 8 * 7 / 2)
    three = solve(graph_problem(Affinity(names(16), matrix), [GroupCount(3, 3)]), "subset-dp")
    assert three.value == pytest.approx(2 * 8 * 7 / 2 - 7)


def test_among_equal_worst_values_the_larger_total_counts() -> None:
    gains = engine.GainTensor.from_groups(
        [{"a": 0.1, "c": 0.1}, {"a": 0.1, "b": 0.5}, {"a": 0.1, "b": 0.9, "c": 0.1}, {"c": 0.1}, {"b": 0.2}],
        single_task_baseline=False,
    )
    for demands in ([], [Partition()], [Partition(), GroupCount(2, 2)]):
        found = solve(Problem(gains, WorstGain(), demands), "subset-dp")
        assert found.value == pytest.approx(0.1)
        expected = 0.7 if GroupCount(2, 2) in demands else 1.1
        assert sum(found.task_values.values()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("demands", "conflict"),
    [
        ([Partition(), GroupSize(2, 2), GroupCount(6)], 2),
        ([Partition(), Mandatory(["t0", "t1"]), Mandatory(["t1", "t2"])], 3),
        ([Partition(), Mandatory(["t0", "t1"]), GroupCount(1)], 2),
        ([GroupSize(2), GroupCount(3)], 2),
    ],
    ids=repr,
)
def test_infeasible_demands_are_recognised(demands: Sequence[engine.Constraint], conflict: int) -> None:
    problem = LatticeProblem(pair_means(7), constraints=demands)
    for one in (problem, problem.listed):
        found = solve(one, "subset-dp")
        assert found.status is Status.INFEASIBLE
        assert len(found.conflict) == conflict


def test_more_tasks_are_refused_and_others_named() -> None:
    gains = engine.tabulate(pair_means(18), np.ones((1, 18), dtype=bool))
    with pytest.raises(UsageError, match=r"max_tasks=16 tasks, and there are 18.*branch-and-bound"):
        solve(Problem(gains), "subset-dp")
    assert solve(Problem(gains), "subset-dp", options={"max_tasks": 18}).status is Status.OPTIMAL
    with pytest.raises(UsageError, match="max_tasks=16"):
        solve(LatticeProblem(pair_means(17), constraints=[GroupCount(3)]), "subset-dp")


def test_limits_that_it_does_not_know_are_refused() -> None:
    gains = engine.tabulate(pair_means(4), all_groups(4), cost=np.arange(1, 16) / 2)
    with pytest.raises(UnsupportedError, match="cost budgets"):
        solve(Problem(gains, constraints=[Budget(3)]), "subset-dp")
    with pytest.raises(UnsupportedError, match="membership limits"):
        solve(Problem(gains, constraints=[MembershipLimit(2)]), "subset-dp")
    # As long as the limit means nothing, it is no obstacle; what remains when the budget goes is.
    equal = engine.tabulate(pair_means(4), all_groups(4)[:4])
    demands = [GroupCount(1), MembershipLimit(2)]
    found = solve(Problem(equal, constraints=demands), "subset-dp")
    assert found.status is Status.INFEASIBLE


def test_a_time_limit_returns_at_once_and_claims_nothing_false() -> None:
    problem = LatticeProblem(pair_means(16), constraints=[Partition()])
    problem.listed.program  # noqa: B018
    proven = solve(problem, "subset-dp")
    assert proven.status is Status.OPTIMAL
    assert proven.value is not None
    for readings in (0, 1, 2, 5, 10, 20):
        control = CountedControl(readings, sign=problem.sign)
        found = run(problem, "subset-dp", SubsetDp(), control, {})
        assert found.status in (Status.NONE, Status.FEASIBLE, Status.OPTIMAL)
        if found.status is not Status.OPTIMAL:
            assert control.readings < readings + 20, "it went on when the time was up"
        if found.value is not None:
            assert found.value <= proven.value + 1e-9
        if found.bound is not None:
            assert found.bound >= proven.value - 1e-9


@pytest.mark.parametrize("compiled", [False, True])
def test_a_stop_in_the_middle_keeps_what_is_complete(compiled: bool) -> None:
    """Stopped between two numbers of groups, it returns the best grouping of the numbers done."""
    problem = LatticeProblem(pair_means(6), constraints=[Partition()])
    best = solve(problem, "subset-dp").value
    assert best is not None
    polls = iter(range(100))

    class Impatient(engine.Control):
        def should_stop(self) -> bool:
            return next(polls) >= 3

    outcome = SubsetDp(compiled=compiled).solve(problem, Impatient())
    assert outcome.rows is not None
    assert not np.isfinite(outcome.bound) or outcome.bound >= best
    assert not outcome.infeasible


def test_bounds_hold_where_values_diverge() -> None:
    gains = engine.GainTensor.from_groups(
        [{"a": -1e9, "b": 0.3}, {"a": 0.2}, {"b": 0.1, "c": 0.2}, {"c": -1e12}], single_task_baseline=False
    )
    problem = Problem(gains, constraints=[GroupCount(3)])
    agree(problem, solve(problem, "subset-dp"), optimum(problem))


def test_membership_average_over_a_gain_model() -> None:
    problem = LatticeProblem(pair_means(5), MembershipAverage(), [GroupCount(3, 3)])
    found, other = solve(problem, "subset-dp"), solve(problem.listed, "brute-force")
    assert found.status is Status.OPTIMAL
    assert found.value == pytest.approx(other.value, abs=1e-9)
