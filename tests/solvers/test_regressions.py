"""Cases in which a certificate was once false."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import engine
from engine.problem.objectives import Aggregate, Sense
from engine.testing.oracle import optimum
from solvers.branch_and_bound import BranchAndBound
from solvers.cpsat import CpSat, _CpsatRun
from solvers.milp import Milp

EXACT = [BranchAndBound(), BranchAndBound(compiled=True), CpSat(), CpSat("radius"), Milp()]


@dataclass(frozen=True, eq=False)
class Priced(engine.Objective):
    """Gains, and a price of its own for every group."""

    prices: np.ndarray

    def coefficients(self, gains: engine.GainTensor) -> engine.Coefficients:
        return engine.Coefficients(gains.values, self.prices)


class WorstLoss(engine.Objective):
    sense: ClassVar[Sense] = "minimize"
    aggregate: ClassVar[Aggregate] = "min"

    def coefficients(self, gains: engine.GainTensor) -> engine.Coefficients:
        return engine.Coefficients(gains.values)


def _tensor(groups: list[dict[str, float]], **attributes: object) -> engine.GainTensor:
    return engine.GainTensor.from_groups(groups, single_task_baseline=False, **attributes)


def _random_gains(seed: int, n_tasks: int = 5, n_groups: int = 11, **attributes: object) -> engine.GainTensor:
    rng = np.random.default_rng(seed)
    member = np.unique(rng.random((n_groups, n_tasks)) < 0.5, axis=0)
    member = np.unique(np.vstack([member[member.any(axis=1)], np.ones((1, n_tasks), dtype=bool)]), axis=0)
    values = np.where(member, rng.normal(size=member.shape), 0.0)
    names = [f"t{task}" for task in range(n_tasks)]
    return engine.GainTensor.from_dense(names, member, values, single_task_baseline=False, **attributes)


def _agree(problem: engine.Problem, solver: engine.Solver) -> None:
    best = optimum(problem)
    solution = engine.solve(problem, solver)
    if best is None:
        assert solution.status is engine.Status.INFEASIBLE
        return
    assert solution.status is engine.Status.OPTIMAL, solution.certificate.problems
    assert solution.value == pytest.approx(best, abs=1e-6 * problem.program.scale)


@pytest.mark.parametrize("solver", EXACT, ids=repr)
@pytest.mark.parametrize("seed", range(12))
def test_a_least_number_of_groups_at_a_price(seed: int, solver: engine.Solver) -> None:
    gains = _random_gains(seed)
    prices = np.random.default_rng(seed).normal(-0.5, 1.0, gains.n_groups)
    limits = [engine.GroupCount(at_least=2 + seed % 3, at_most=5), engine.MembershipLimit(4 - seed % 2)]
    _agree(engine.Problem(gains, Priced(prices), limits), solver)


@pytest.mark.parametrize("solver", EXACT, ids=repr)
def test_a_mandatory_group_below_the_level_of_a_partition(solver: engine.Solver) -> None:
    gains = _tensor(
        [{"a": -0.5, "b": 0.4}, {"a": 0.2}, {"b": 0.3}, {"c": 0.1}, {"a": 0.0, "b": 0.1, "c": 0.2}]
    )
    demands = [engine.Partition(), engine.Mandatory(["a", "b"])]
    _agree(engine.Problem(gains, engine.WorstGain(), demands), solver)


@pytest.mark.parametrize("solver", [*EXACT, "brute-force"], ids=repr)
def test_the_largest_loss_is_minimised(solver: engine.Solver | str) -> None:
    gains = _tensor([{"a": 0.1, "b": 0.4}, {"a": 0.2}, {"b": 0.2}], quantity="loss")
    solution = engine.solve(engine.Problem(gains, WorstLoss(), [engine.Budget(2)]), solver)
    assert solution.status is engine.Status.OPTIMAL
    assert solution.value == pytest.approx(0.2)


@pytest.mark.parametrize(
    "solver", [BranchAndBound(), BranchAndBound(compiled=True), CpSat(), Milp()], ids=repr
)
def test_a_diverged_run_does_not_loosen_the_proof(solver: engine.Solver) -> None:
    losses = [{"a": 0.5, "b": 1e9}, {"a": 0.7}, {"b": 0.4, "c": 0.3}, {"a": 0.6, "c": 0.2}]
    problem = engine.Problem(_tensor(losses, quantity="loss"), constraints=[engine.Budget(2)])
    solution = engine.solve(problem, solver)
    assert solution.status is engine.Status.OPTIMAL
    assert solution.value == pytest.approx(optimum(problem), abs=1e-9)
    assert solution.bound == pytest.approx(solution.value, abs=1e-6)


@pytest.mark.parametrize("solver", EXACT, ids=repr)
@pytest.mark.parametrize("denominator", [3, 6, 7])
def test_costs_that_are_no_decimals(denominator: int, solver: engine.Solver) -> None:
    gains = _random_gains(denominator, 4, 9)
    cost = np.random.default_rng(denominator).integers(1, 2 * denominator, gains.n_groups) / denominator
    costed = engine.GainTensor(
        gains.tasks, gains.indptr, gains.members, gains.values, cost=cost, single_task_baseline=False
    )
    for budget in (1.0, 5 / denominator + 1.0, float(cost[:3].sum()), float(cost.sum())):
        _agree(engine.Problem(costed, constraints=[engine.Budget(budget)]), solver)


@pytest.mark.parametrize("solver", EXACT, ids=repr)
def test_gains_far_below_any_decimal_grid(solver: engine.Solver) -> None:
    gains = _tensor([{"a": 4e-14, "b": 0.0}, {"a": 0.0}, {"b": 4e-14}])
    problem = engine.Problem(gains, constraints=[engine.Budget(2)])
    assert engine.solve(problem, solver).value == pytest.approx(8e-14, rel=1e-6)


@pytest.mark.parametrize("presolve", [True, False])
def test_cpsat_without_an_answer_claims_nothing(presolve: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before it has a bound, CP-SAT leaves a 0 where the bound would stand."""
    gains = _random_gains(3, 6, 13)
    prices = np.abs(np.random.default_rng(3).normal(size=gains.n_groups))
    problem = engine.Problem(gains, Priced(prices), [engine.Budget(4), engine.MembershipLimit(2)])
    original = _CpsatRun.__init__

    def hurried(self: _CpsatRun, *arguments: object) -> None:
        original(self, *arguments)  # type: ignore[arg-type]
        self._solver.parameters.max_time_in_seconds = 1e-9

    monkeypatch.setattr(_CpsatRun, "__init__", hurried)
    solution = engine.solve(problem, CpSat(), presolve=presolve)
    best = optimum(problem)
    assert best is not None
    assert solution.bound is not None
    assert solution.bound >= best - 1e-6
    if solution.status is engine.Status.OPTIMAL:
        assert solution.value == pytest.approx(best, abs=1e-6)


def test_the_digest_of_a_problem_is_the_same_in_every_run() -> None:
    gains = _random_gains(1)
    one, other = (engine.Problem(gains, Priced(np.ones(gains.n_groups))) for _ in range(2))
    assert one.digest == other.digest
    assert one.digest != engine.Problem(gains, Priced(np.zeros(gains.n_groups))).digest


@pytest.mark.parametrize(
    ("solver", "options"),
    [("beam", {"width": 2.5}), ("random", {"draws": "x"}), ("brute-force", {"max_sets": None})],
)
def test_an_option_of_the_wrong_kind_is_refused(solver: str, options: dict[str, object]) -> None:
    with pytest.raises(engine.UsageError, match="like its default"):
        engine.solve(engine.Problem(_random_gains(0)), solver, options=options)


def test_a_node_limit_is_not_told_as_completed() -> None:
    rng = np.random.default_rng(3)
    member = rng.random((60, 12)) < 0.4
    member = np.unique(member[member.sum(axis=1) > 1], axis=0)
    values = np.where(member, rng.normal(0.1, 0.2, member.shape), np.nan)
    gains = engine.GainTensor.from_dense(
        tuple(f"t{task}" for task in range(12)),
        np.vstack([np.eye(12, dtype=bool), member]),
        np.vstack([np.where(np.eye(12, dtype=bool), 0.0, np.nan), values]),
        single_task_baseline=False,
    )
    problem = engine.Problem(gains).with_budget(4)
    for nodes in (0, 1, 2):
        limited = engine.solve(problem, BranchAndBound(max_nodes=nodes), presolve=False)
        assert limited.status in (engine.Status.FEASIBLE, engine.Status.NONE)
        assert limited.certificate.termination is engine.Termination.NODE_LIMIT
    free = engine.solve(problem, BranchAndBound(), presolve=False)
    assert free.status is engine.Status.OPTIMAL
    assert free.certificate.termination is engine.Termination.COMPLETED
