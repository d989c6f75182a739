"""Infeasible problems name the smallest conflicting set of demands, in the user's words."""

from __future__ import annotations

import pytest

from engine import (
    Apart,
    Budget,
    Constraint,
    Floor,
    Forbidden,
    GainTensor,
    GroupCount,
    GroupSize,
    Mandatory,
    MembershipLimit,
    Partition,
    Problem,
    Status,
    Together,
    solve,
)
from engine.infeasible import contradictory
from engine.testing.examples import easy_gains

GAINS = easy_gains()


@pytest.mark.parametrize(
    ("demands", "conflict"),
    [
        # On their face.
        ([Together(["a", "b"]), Apart(["a", "b"]), Budget(3)], {"'a' and 'b' together", "'a' and 'b' apart"}),
        ([Budget(2), Mandatory(["a"]), Mandatory(["b"]), Mandatory(["c"])], None),
        ([Mandatory(["a"]), Forbidden(["a"])], {"group a mandatory", "group a forbidden"}),
        ([Floor(1.0, ["d"]), Budget(4)], {"none of d worse than 1"}),
        ([GroupCount(at_least=16)], {"at least 16 groups"}),
        # Only by search.
        ([Budget(1), GroupSize(2), Partition()], {"a budget of 1", "groups of at most 2 tasks"}),
        (
            [GroupSize(3, 3), Partition(), Budget(3)],
            {"groups of at least 3 and at most 3 tasks", "disjoint groups"},
        ),
        (
            [Mandatory(["a", "b"]), Mandatory(["b", "c"]), Partition()],
            {"group a|b mandatory", "group b|c mandatory", "disjoint groups"},
        ),
        (
            [GroupCount(at_least=5), MembershipLimit(1), Budget(9)],
            {"at least 5 groups", "each task in at most 1 group"},
        ),
    ],
)
def test_names_a_smallest_conflict(demands: list[Constraint], conflict: set[str] | None) -> None:
    problem = Problem(GAINS, constraints=tuple(demands))
    solution = solve(problem, "brute-force")
    assert solution.status is Status.INFEASIBLE
    assert not solution.found
    named = set(solution.conflict)
    if conflict is not None:
        assert conflict <= named
    # Besides the demands, only what they leave unreachable is told.
    for demand in problem.constraints:
        if demand.describe() in named and conflict is not None:
            assert demand.describe() in conflict


def test_feasible_demands_name_none() -> None:
    solution = solve(Problem(GAINS, constraints=(Partition(), Budget(2))), "brute-force")
    assert solution.conflict == ()


def test_contradictory_is_only_what_shows_without_search() -> None:
    assert contradictory(Problem(GAINS, constraints=(Together(["a", "b"]), Apart(["a", "b"]))))
    assert not contradictory(Problem(GAINS, constraints=(Budget(1), GroupSize(2))))


def test_a_task_without_allowed_group_is_named() -> None:
    problem = Problem(GAINS, constraints=(Floor(0.01, ["d"]),))
    assert problem.program.unreachable == ("no allowed group serves 'd'",)
    solution = solve(problem, "greedy")
    assert solution.status is Status.INFEASIBLE
    assert "no allowed group serves 'd'" in solution.conflict


def test_explaining_never_raises_where_smaller_sets_of_demands_are_too_much_for_the_solver() -> None:
    groups = [{f"t{task}": 0.0} for task in range(9)]
    groups += [{f"t{one}": 0.1, f"t{two}": 0.1} for one in range(9) for two in range(one)]
    problem = Problem(GainTensor.from_groups(groups), constraints=(Floor(-1.0), GroupCount(3), Partition()))
    solution = solve(problem, "brute-force", options={"max_sets": 20_000})
    assert solution.status is Status.INFEASIBLE
    assert "at most 3 groups" in solution.conflict
