"""The frontier: every budget certified, bounds and optima handed down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from engine import (
    Budget,
    Claim,
    Control,
    Event,
    GainTensor,
    GroupSize,
    Observer,
    Partition,
    Problem,
    Solution,
    Solver,
    SolverInfo,
    Status,
    Termination,
    UnsupportedError,
    UsageError,
    frontier,
    solve,
)
from engine.problem.kinds import Feature
from engine.testing import check_solution, random_problem
from engine.testing.examples import easy_gains, infeasible_problem


@pytest.mark.parametrize("seed", range(20))
def test_equals_solving_each_budget(seed: int) -> None:
    problem = random_problem(seed)
    budgets = (3, 1, 1.5, 2)
    solutions = frontier(problem, budgets, "brute-force")
    assert list(solutions) == [1, 1.5, 2, 3]
    values = []
    for budget, solution in solutions.items():
        bounded = problem.with_budget(budget)
        check_solution(bounded, solution)
        alone = solve(bounded, "brute-force")
        assert solution.status is alone.status
        if alone.value is not None:
            assert solution.value == pytest.approx(alone.value, abs=1e-9)
            values.append(problem.program.sign * alone.value)
    assert values == sorted(values)


def test_the_problems_own_budget_is_replaced() -> None:
    problem = Problem(easy_gains(), constraints=(Budget(1), GroupSize(3)))
    assert len(frontier(problem, [4], "brute-force")[4].groups) > 1


def test_budgets_below_feasibility_are_infeasible_not_missing() -> None:
    solutions = frontier(infeasible_problem(), [1, 2, 3], "brute-force")
    assert [one.status for one in solutions.values()] == ["INFEASIBLE", "OPTIMAL", "OPTIMAL"]


@dataclass(frozen=True)
class Counting(Solver):
    """Brute force by proxy; writes down what it is asked."""

    info: ClassVar[SolverInfo] = SolverInfo("counts", True, frozenset({Feature.SUM}))
    asked: ClassVar[list[tuple[float, float]]] = []

    def solve(self, problem: Problem, control: Control) -> Claim:
        self.asked.append((problem.budget or 0.0, control.bound))
        control.memory["runs"] = control.memory.get("runs", 0) + 1
        found = solve(problem, "brute-force")
        rows = np.array([problem.gains.find(group.tasks)[0] for group in found.groups])
        return Claim(rows, bound=float(found.value or 0.0), details={"runs": control.memory["runs"]})


def test_hands_down_bounds_optima_and_memory() -> None:
    Counting.asked.clear()
    problem = Problem(easy_gains())
    solutions = frontier(problem, [1, 2, 3, 4], Counting())
    # Two groups are best, so that budgets 4 and 3 and 2 share one solution.
    assert [budget for budget, _ in Counting.asked] == [4, 1]
    assert Counting.asked[1][1] == pytest.approx(solutions[2].value)
    assert solutions[1].details == {"runs": 2}
    assert {one.status for one in solutions.values()} == {Status.OPTIMAL}


def test_an_interrupt_keeps_the_budgets_solved() -> None:
    class Impatient(Observer):
        def __init__(self) -> None:
            self.seen = 0

        def on_incumbent(self, event: Event) -> None:
            self.seen += 1
            if self.seen == 2:
                raise KeyboardInterrupt

    # No three groups hold every task at its best, so that no budget is proven by the one above.
    gains = GainTensor.from_groups(
        [
            {"a": 0.1, "b": 0.1},
            {"a": 0.2, "c": 0.1},
            {"b": 0.5},
            {"c": 0.3, "d": 0.0},
            {"d": 0.4},
            dict.fromkeys("abcd", 0.0),
        ],
        single_task_baseline=False,
    )
    solutions = frontier(Problem(gains), [1, 2, 3], "greedy", observers=[Impatient()])
    assert list(solutions) == [2, 3]
    assert solutions[2].certificate.termination is Termination.INTERRUPTED
    assert solutions[2].found


class Diary(Observer):
    def __init__(self) -> None:
        self.told: list[tuple[str, float | None]] = []
        self.budget: float | None = None

    def on_start(self, problem: Problem, solver: str) -> None:  # type: ignore[override]
        self.budget = problem.budget
        self.told.append(("start", problem.budget))

    def on_bound(self, event: Event) -> None:
        self.told.append(("bound", self.budget))

    def on_end(self, solution: Solution) -> None:
        self.told.append(("end", self.budget))


def test_observers_see_every_budget_start_and_end_inherited_or_not() -> None:
    diary = Diary()
    solutions = frontier(Problem(easy_gains()), [1, 2, 3, 4], "brute-force", observers=[diary])
    ends = [told for told in diary.told if told[0] != "bound"]
    assert ends == [(what, budget) for budget in (4, 3, 2, 1) for what in ("start", "end")]
    assert diary.told[0] == ("start", 4)
    assert all(solution.status is Status.OPTIMAL for solution in solutions.values())


def test_a_stop_rule_ends_each_budget() -> None:
    asked: list[Event] = []

    def at_once(event: Event) -> bool:
        asked.append(event)
        return event.value is not None

    solutions = frontier(random_problem(3, max_tasks=6), [1, 2, 3], "local-search", stop=at_once)
    assert asked
    assert Termination.STOP_RULE in {one.certificate.termination for one in solutions.values()}


def test_mistakes_are_told_before_anything_runs() -> None:
    problem = Problem(easy_gains())
    for wrong in (5, "1-3", {1: 2}, None):
        with pytest.raises(UsageError, match="budgets must be a list of numbers, for instance"):
            frontier(problem, wrong, "greedy")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least one number"):
        frontier(problem, [], "greedy")
    with pytest.raises(UsageError, match="budget must be a number above 0, not '2'"):
        frontier(problem, [1, "2"], "greedy")  # type: ignore[list-item]
    with pytest.raises(UsageError, match="budget must be a number above 0"):
        frontier(problem, [0], "greedy")
    with pytest.raises(UsageError, match=r"Unknown solver 'gredy'\. Did you mean 'greedy'"):
        frontier(problem, [1], "gredy")
    with pytest.raises(UsageError, match="time limit must be a finite number"):
        frontier(problem, [1], "greedy", time_limit=0)
    with pytest.raises(UnsupportedError, match="does not support partitions"):
        frontier(Problem(easy_gains(), constraints=(Partition(),)), [1], "beam")
