from __future__ import annotations

import sys
import time
from dataclasses import FrozenInstanceError, replace
from types import ModuleType

import pytest

import engine
from engine import Floor, MembershipAverage, Partition, Problem, UsageError, compare, frontier, solve
from engine.plugins import SOLVERS
from engine.solving.comparison import UNSUPPORTED, Case, Comparison, Row
from tests.engine.fakes import (
    Cheat,
    Crash,
    Interrupted,
    Lacking,
    Liar,
    Narrow,
    Nothing,
    Singles,
    ToyLoss,
    gains,
)

BUDGETS = (1, 2, 3)


def rows(comparison: Comparison, solver: str) -> list[Row]:
    return [row for row in comparison.rows if row.solver == solver]


def test_rows_hold_the_certified_numbers() -> None:
    problem, judged = Problem(gains()), gains(1, split="test")
    comparison = compare([Case("toy", problem, judged)], ["brute-force"], BUDGETS)
    for row, (budget, solution) in zip(
        comparison.rows, frontier(problem, BUDGETS, "brute-force").items(), strict=True
    ):
        assert (row.instance, row.source, row.solver, row.budget) == (
            "toy",
            "measured",
            "brute-force",
            budget,
        )
        assert (row.value, row.bound, row.gap) == (solution.value, solution.bound, solution.gap)
        assert (row.status, row.groups) == ("OPTIMAL", len(solution.groups))
        assert row.mean == solution.mean
        scores = solution.evaluate(judged)
        assert (row.evaluation_mean, row.optimism) == (scores.mean, scores.optimism)
        assert (row.agreement, row.flag, row.reason) == (1.0, "", "")
        assert (row.predicted_servings, row.evaluation_predicted_servings) == (0, 0)
        assert row.seconds >= 0


def test_predicted_evaluations_are_counted() -> None:
    problem, judged = Problem(gains()), gains(1, split="test", measured=False)
    (row,) = compare([Case("toy", problem, judged)], ["brute-force"], [2]).rows
    assert (row.predicted_servings, row.evaluation_predicted_servings) == (0, 4)


def test_loading_libraries_is_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    class Loading(Singles):
        def solve(self, problem, control):
            with control.preparing("load"):
                monkeypatch.setitem(sys.modules, "a_library", ModuleType("a_library"))
                now[0] += 8.0
            now[0] += 0.5
            return super().solve(problem, control)

    (row,) = compare({"toy": Problem(gains())}, [Loading()], [2]).rows
    assert (row.load_seconds, row.seconds) == (8.0, 0.5)


def test_exact_solvers_agree_and_nothing_is_flagged() -> None:
    comparison = compare({"toy": Problem(gains())}, ["brute-force", "greedy", "local-search"], BUDGETS)
    assert not comparison.flagged
    best = {row.budget: row.value for row in rows(comparison, "brute-force")}
    for row in comparison.rows:
        assert row.value <= best[row.budget] + 1e-12
        assert 0 <= row.agreement <= 1


def test_agreement_counts_tasks_served_by_the_same_group() -> None:
    problem = Problem(gains())
    comparison = compare({"toy": problem}, ["brute-force", Singles()], [3])
    best = solve(problem.with_budget(3), "brute-force")
    same = sum(len(best.groups[group].tasks) == 4 for group in best.serving.values())
    assert rows(comparison, "Singles")[0].agreement == same / 4


def test_a_bound_that_a_verified_value_beats_is_flagged() -> None:
    comparison = compare({"toy": Problem(gains())}, [Liar(), "brute-force"], BUDGETS)
    flagged = [row for row in comparison.rows if row.flag]
    assert {row.solver for row in flagged} == {"Liar"}
    assert [row.budget for row in flagged][-1] == 3
    assert "beaten by" in flagged[-1].flag
    assert "brute-force" in flagged[-1].flag
    assert comparison.flagged == tuple(flagged)


def test_a_smaller_budget_refutes_too() -> None:
    problem = Problem(gains())
    two, three = (
        compare({"toy": problem}, [Liar(), "brute-force"], budgets).flagged for budgets in ([2, 3], [3])
    )
    assert {row.budget for row in two} >= {row.budget for row in three}


def test_losses_are_flagged_downwards() -> None:
    problem = Problem(ToyLoss("toy").recorded("measured", "all"))

    class LossLiar(Liar):
        def solve(self, problem, control):
            outcome = super().solve(problem, control)
            return replace(outcome, bound=-outcome.bound)

    comparison = compare({"toy": problem}, [LossLiar(), "brute-force"], [1, 1.5, 2])
    assert {row.solver for row in comparison.flagged} == {"LossLiar"}
    assert all(row.quantity == "loss" for row in comparison.rows)


def test_a_refuted_claim_is_flagged() -> None:
    (row,) = compare({"toy": Problem(gains())}, [Cheat()], [2]).rows
    assert row.status == "ERROR"
    assert row.flag.startswith("refuted: ")


def test_a_false_claim_of_infeasibility_is_flagged() -> None:
    class Denier(Nothing):
        def solve(self, problem, control):
            return replace(super().solve(problem, control), infeasible=True)

    comparison = compare({"toy": Problem(gains())}, [Denier(), "brute-force"], [2])
    (row,) = comparison.flagged
    assert (row.solver, row.status) == ("Denier", "INFEASIBLE")
    assert row.flag.startswith("infeasibility beaten by")


def test_an_infeasible_problem_is_no_flag() -> None:
    comparison = compare({"toy": Problem(gains(), constraints=[Floor(9)])}, ["brute-force"], [2])
    (row,) = comparison.rows
    assert (row.status, row.flag, row.agreement) == ("INFEASIBLE", "", None)
    assert "worse than 9" in row.reason


def test_what_a_solver_cannot_express_is_told_and_the_others_go_on() -> None:
    problem = Problem(gains(), constraints=[Partition()])
    comparison = compare({"toy": problem}, [Narrow(), Crash(), Lacking(), "brute-force"], BUDGETS)
    narrow, crash = rows(comparison, "Narrow"), rows(comparison, "Crash")
    assert [row.status for row in narrow] == [UNSUPPORTED] * 3
    assert "does not support" in narrow[0].reason
    assert [(row.status, row.reason) for row in crash] == [("ERROR", "RuntimeError: boom")] * 3
    assert [row.status for row in rows(comparison, "brute-force")] == ["OPTIMAL"] * 3


def test_a_missing_library_is_told() -> None:
    SOLVERS.register("lacking", Lacking)
    try:
        comparison = compare({"toy": Problem(gains())}, ["lacking", "brute-force"], [1])
    finally:
        SOLVERS.unregister("lacking")
    assert [row.status for row in comparison.rows] == [UNSUPPORTED, "OPTIMAL"]
    assert "no_such_library" in comparison.rows[0].reason


def test_an_objective_that_does_not_fit_the_gains_is_told() -> None:
    losses = ToyLoss("toy").recorded("measured", "all")
    problems = {"losses": Problem(losses, MembershipAverage()), "gains": Problem(gains())}
    comparison = compare(problems, ["brute-force"], [1])
    assert [row.status for row in comparison.rows] == [UNSUPPORTED, "OPTIMAL"]


def test_an_interrupt_keeps_what_is_done() -> None:
    comparison = compare(
        {"one": Problem(gains()), "two": Problem(gains(1))}, ["brute-force", Interrupted()], BUDGETS
    )
    assert comparison.interrupted
    assert {row.instance for row in comparison.rows} == {"one"}
    assert len(rows(comparison, "brute-force")) == 3
    assert [row.termination for row in rows(comparison, "Interrupted")] == ["INTERRUPTED"]


def test_mistakes_raise_before_anything_runs() -> None:
    problems = {"toy": Problem(gains())}
    with pytest.raises(UsageError, match="Did you mean 'brute-force'"):
        compare(problems, [Crash(), "brute-forse"], [1])
    with pytest.raises(UsageError, match="no budgets"):
        compare(problems, ["brute-force"])
    with pytest.raises(UsageError, match="option of solver"):
        compare(problems, ["brute-force"], [1], options={"brute-force": {"x": 1}})
    with pytest.raises(UsageError, match="not among"):
        compare(problems, ["brute-force"], [1], options={"greedy": {}})
    with pytest.raises(UsageError, match="time limit"):
        compare(problems, ["brute-force"], [1], time_limit=0)


def test_options_and_seeds_reach_the_solver() -> None:
    comparison = compare({"toy": Problem(gains())}, ["random"], [2], seed=3, options={"random": {"draws": 1}})
    (row,) = comparison.rows
    assert row.value == solve(Problem(gains()).with_budget(2), "random", seed=3, options={"draws": 1}).value


def test_exports() -> None:
    comparison = engine.compare({"toy": Problem(gains())}, ["greedy"], [1, 2])
    assert isinstance(comparison, engine.Comparison)
    data = comparison.to_dict()
    assert [row["budget"] for row in data["rows"]] == [1, 2]
    (problem,) = data["problems"]
    assert (problem["instance"], problem["split"], problem["evaluation_split"]) == ("toy", "valid", None)
    assert problem["problem"] == "maximize total gain"
    frame = comparison.to_frame()
    assert frame["value"].tolist() == [row.value for row in comparison.rows]
    assert Comparison(()).to_frame().columns.tolist() == frame.columns.tolist()
    with pytest.raises(FrozenInstanceError):
        comparison.rows[0].value = 1
