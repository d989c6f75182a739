"""The frontier: every budget certified, bounds and optima handed down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from engine import (
    Budget,
    Control,
    Event,
    GainTensor,
    GroupSize,
    Observer,
    Outcome,
    Partition,
    Problem,
    Solver,
    SolverInfo,
    Status,
    Termination,
    UnsupportedError,
    UsageError,
    frontier,
    solve,
)
from engine.problem import Feature
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

    def solve(self, problem: Problem, control: Control) -> Outcome:
        self.asked.append((problem.budget or 0.0, control.bound))
        control.memory["runs"] = control.memory.get("runs", 0) + 1
        found = solve(problem, "brute-force")
        rows = np.array([problem.gains.find(group.tasks)[0] for group in found.groups])
        return Outcome(rows, float(found.value or 0.0), details={"runs": control.memory["runs"]})


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

    gains = GainTensor.from_groups(
        [{"a": 0.1, "b": 0.1}, {"a": 0.2, "c": 0.1}, {"b": 0.5}, {"a": 0.0, "b": 0.0, "c": 0.0}],
        single_task_baseline=False,
    )
    solutions = frontier(Problem(gains), [1, 2, 3], "greedy", observers=[Impatient()])
    assert list(solutions) == [2, 3]
    assert solutions[2].certificate.termination is Termination.INTERRUPTED
    assert solutions[2].found


def test_mistakes_are_told_before_anything_runs() -> None:
    problem = Problem(easy_gains())
    with pytest.raises(UsageError, match="budget must be a number above 0"):
        frontier(problem, [0], "greedy")
    with pytest.raises(UsageError, match=r"Unknown solver 'gredy'\. Did you mean 'greedy'"):
        frontier(problem, [1], "gredy")
    with pytest.raises(UsageError, match="time limit must be a finite number"):
        frontier(problem, [1], "greedy", time_limit=0)
    with pytest.raises(UnsupportedError, match="does not support partitions"):
        frontier(Problem(easy_gains(), constraints=(Partition(),)), [1], "beam")
