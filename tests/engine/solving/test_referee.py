"""The referee and the scoring on another split."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from engine import (
    Control,
    DataError,
    GainTensor,
    GroupCount,
    Outcome,
    Problem,
    Solver,
    SolverInfo,
    Status,
    Termination,
    TotalLoss,
    referee,
    solve,
)
from engine.problem.kinds import Feature
from engine.testing import check_solution
from engine.testing.examples import easy_gains, easy_problem

GAINS = GainTensor.from_groups([{"a": 0.3, "b": 0.1}, {"b": 0.1, "c": 0.2}, {"a": 0.3, "c": 0.0}])


def test_each_task_is_served_where_it_is_worth_most() -> None:
    verdict = referee(Problem(GAINS), [0, 1])
    assert verdict.value == pytest.approx(0.3 + 0.1 + 0.2)
    # The tie of b falls to the first row, whatever the order of the choice.
    assert verdict.serving == {"a": 0, "b": 0, "c": 1}
    assert referee(Problem(GAINS), [1, 0]).serving == verdict.serving
    assert verdict.problems == ()


def test_unserved_tasks_leave_no_value() -> None:
    verdict = referee(Problem(GAINS), [0])
    assert verdict.value is None
    assert verdict.problems == ("no chosen group serves c",)


def test_a_group_chosen_twice_is_a_problem() -> None:
    assert referee(Problem(GAINS), [0, 1, 1]).problems == ("a group is chosen twice",)


def test_losses_are_served_where_they_are_least() -> None:
    losses = GainTensor.from_groups([{"a": 0.3, "b": 0.2}, {"a": 0.1}], quantity="loss")
    verdict = referee(Problem(losses, TotalLoss()), [0, 1])
    assert verdict.serving == {"a": 1, "b": 0}
    assert verdict.value == pytest.approx(0.3)


def test_sums_are_exact() -> None:
    names = [f"t{index}" for index in range(12)]
    values = [1e15, 0.01, -1e15, 0.01, *[0.1] * 8]
    gains = GainTensor.from_dense(names, np.ones((1, 12)), [values], single_task_baseline=False)
    assert sum(values) != math.fsum(values)
    assert referee(Problem(gains), [0]).value == math.fsum(values)


@dataclass(frozen=True)
class Claimant(Solver):
    """Claims what it is told to claim."""

    rows: tuple[int, ...] | None = None
    bound: float = np.inf
    infeasible: bool = False

    info: ClassVar[SolverInfo] = SolverInfo("claims", True, frozenset({Feature.SUM, Feature.MIN_GROUPS}))

    def solve(self, problem: Problem, control: Control) -> Outcome:
        rows = None if self.rows is None else np.array(self.rows)
        return Outcome(rows, self.bound, infeasible=self.infeasible)


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        (Claimant((0,)), "no chosen group serves c"),
        (Claimant((0, 1, 2)), "3 groups chosen, not at most 2 groups"),
        (Claimant((0, 1), bound=0.55), "lies beyond the claimed bound"),
        (Claimant((0, 1), infeasible=True), "claims infeasibility and yet returns a grouping"),
        (Claimant((0, 0, 1)), "a group is chosen twice"),
    ],
)
def test_false_claims_become_errors(claim: Claimant, problem: str) -> None:
    solution = solve(Problem(GAINS, constraints=(GroupCount(2),)), claim)
    assert solution.status is Status.ERROR
    assert not solution.certificate.verified
    assert any(problem in found for found in solution.certificate.problems)
    with pytest.raises(AssertionError):
        check_solution(Problem(GAINS, constraints=(GroupCount(2),)), solution)


def test_a_true_claim_is_optimal_only_with_its_bound() -> None:
    gains = GainTensor.from_groups([{"a": 0.3, "b": 0.1}, {"b": 0.2}], single_task_baseline=False)
    problem = Problem(gains, constraints=(GroupCount(1),))
    assert solve(problem, Claimant((0,))).status is Status.FEASIBLE
    assert solve(problem, Claimant((0,), bound=0.45)).status is Status.FEASIBLE
    proven = solve(problem, Claimant((0,), bound=0.4))
    assert proven.status is Status.OPTIMAL
    assert proven.gap == pytest.approx(0, abs=1e-9)


def test_idle_groups_are_left_out_unless_demanded() -> None:
    assert len(solve(Problem(GAINS), Claimant((0, 1, 2))).groups) == 2
    demanding = Problem(GAINS, constraints=(GroupCount(at_least=3),))
    assert len(solve(demanding, Claimant((0, 1, 2))).groups) == 3


def test_scores_on_another_split() -> None:
    problem = easy_problem()
    solution = solve(problem, "brute-force")
    gains = easy_gains()
    test = GainTensor(gains.tasks, gains.indptr, gains.members, gains.values * 0.5, split="test")
    scores = solution.evaluate(test)
    assert scores.split == "test"
    assert scores.total == pytest.approx(0.5 * (solution.value or 0))
    assert scores.mean == pytest.approx(scores.total / 4)
    assert scores.optimism == pytest.approx(0.5 * (solution.mean or 0))


def test_scores_tell_measured_from_predicted() -> None:
    source = GainTensor.from_groups([{"a": 0.2, "b": 0.3}, {"c": 0.1}], single_task_baseline=False)
    judged = GainTensor(
        source.tasks,
        source.indptr,
        source.members,
        source.values,
        measured=np.array([True, False]),
        single_task_baseline=False,
    )
    scores = solve(Problem(source), "brute-force").evaluate(judged)
    assert scores.measured == {"a": True, "b": True, "c": False}
    assert scores.predicted == 1


def test_a_group_at_two_costs_is_judged_at_its_own() -> None:
    members = {"a": 0.2, "b": 0.3}
    source = GainTensor.from_groups([members, members], cost=[0.5, 1.0])
    judged = GainTensor.from_groups([members, {"a": 0.1, "b": 0.1}], cost=[1.0, 0.5], measured=[True, False])
    scores = solve(Problem(source).with_budget(0.5), "brute-force").evaluate(judged)
    assert scores.task_values == {"a": 0.1, "b": 0.1}
    assert scores.measured == {"a": False, "b": False}


def test_the_serving_decision_stays_on_the_other_split() -> None:
    source = GainTensor.from_groups(
        [{"a": 0.2, "b": 0.2}, {"a": 0.3}, {"b": 0.1}], single_task_baseline=False
    )
    other = GainTensor.from_groups([{"a": 0.9, "b": 0.2}, {"a": 0.1}], single_task_baseline=False)
    solution = solve(Problem(source), "brute-force")
    # a is served by its own model, though on the other split the pair would serve it better.
    assert solution.evaluate(other).task_values == {"a": 0.1, "b": 0.2}


def test_optimism_of_losses_is_positive_where_the_promise_is_not_kept() -> None:
    promised = GainTensor.from_groups([{"a": 0.3, "b": 0.2}], quantity="loss")
    realised = GainTensor.from_groups([{"a": 0.4, "b": 0.4}], quantity="loss")
    assert solve(Problem(promised), "brute-force").evaluate(realised).optimism == pytest.approx(0.15)


def test_evaluation_gains_must_fit() -> None:
    solution = solve(easy_problem(), "brute-force")
    gains = easy_gains()
    with pytest.raises(DataError, match="lack the group"):
        solution.evaluate(gains.select(gains.sizes == 1))
    with pytest.raises(DataError, match="over other tasks: d, e"):
        solution.evaluate(GainTensor(("a", "b", "c", "e"), gains.indptr, gains.members, gains.values))
    nothing = solve(Problem(GAINS), Claimant(None))
    with pytest.raises(DataError, match="no grouping to score"):
        nothing.evaluate(GAINS)


@pytest.mark.parametrize("bound", [np.inf, 0.45])
def test_an_exact_solver_that_proves_nothing_has_not_completed(bound: float) -> None:
    gains = GainTensor.from_groups([{"a": 0.3, "b": 0.1}, {"b": 0.2}], single_task_baseline=False)
    problem = Problem(gains, constraints=(GroupCount(1),))
    claimed = solve(problem, Claimant((0,), bound=bound))
    assert claimed.status is Status.FEASIBLE
    assert claimed.certificate.termination is Termination.UNKNOWN
