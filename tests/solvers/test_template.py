from __future__ import annotations

from engine import GainTensor, Problem, solve
from engine.testing.examples import easy_gains
from solvers.TEMPLATE import BestSingleCover


def test_returns_the_full_group() -> None:
    solution = solve(Problem(easy_gains()), BestSingleCover())
    assert [group.tasks for group in solution.groups] == [("a", "b", "c", "d")]


def test_works_by_path_and_with_options() -> None:
    problem = Problem(easy_gains())
    name = "solvers.TEMPLATE:BestSingleCover"
    assert solve(problem, name).found
    assert not solve(problem, name, options={"limit": 3}).found


def test_takes_the_better_of_two_covers() -> None:
    groups = [{"a": 0.5, "b": 0.1}, {"a": 0.0}, {"b": 0.0}]
    assert solve(Problem(GainTensor.from_groups(groups)), BestSingleCover()).value == 0.6
