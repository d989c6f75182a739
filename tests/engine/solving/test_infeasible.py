"""Infeasible problems name the smallest conflicting set of demands, in the user's words."""

from __future__ import annotations

from dataclasses import replace

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
    Solution,
    Status,
    Together,
    solve,
)
from engine.solving.infeasible import contradictory
from engine.testing.examples import easy_gains, infeasible_problem

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
    assert len(set(solution.conflict)) == len(solution.conflict)
    assert set(solution.conflict) <= {demand.describe() for demand in demands}
    if conflict is not None:
        assert set(solution.conflict) == conflict
    assert Solution.from_json(solution.to_json()).reasons == solution.reasons


def test_feasible_demands_name_none() -> None:
    solution = solve(Problem(GAINS, constraints=(Partition(), Budget(2))), "brute-force")
    assert solution.conflict == solution.reasons == ()


def test_contradictory_is_only_what_shows_without_search() -> None:
    assert contradictory(Problem(GAINS, constraints=(Together(["a", "b"]), Apart(["a", "b"]))))
    assert not contradictory(Problem(GAINS, constraints=(Budget(1), GroupSize(2))))


def test_a_task_without_allowed_group_is_named() -> None:
    problem = Problem(GAINS, constraints=(Floor(0.01, ["d"]),))
    assert problem.program.unreachable == ("no allowed group serves 'd'",)
    solution = solve(problem, "greedy")
    assert solution.status is Status.INFEASIBLE
    assert solution.conflict == ("none of d worse than 0.01",)
    assert solution.reasons == ("no allowed group serves 'd'",)


@pytest.mark.parametrize(
    ("demands", "reason"),
    [
        ([Mandatory(["a", "b"]), Mandatory(["b", "a"])], "the gains hold no group a|b"),
        ([Mandatory(["a"], 0.5)], "the gains hold no group a at cost 0.5"),
        ([Mandatory(["a"]), Forbidden(["a"])], "mandatory but not allowed"),
        (
            [Budget(2), Mandatory(["a"]), Mandatory(["b"]), Mandatory(["c"])],
            "3 groups are mandatory, but at most 2 groups are affordable and allowed",
        ),
        ([GroupCount(at_least=9)], "9 groups are demanded, but at most 5 groups are affordable and allowed"),
        ([Budget(0.5)], "not a single group is affordable"),
    ],
)
def test_reasons_say_what_makes_the_demands_clash(demands: list[Constraint], reason: str) -> None:
    problem = Problem(GAINS.select(GAINS.sizes != 2).select([0, 1, 2, 3, 8]), constraints=tuple(demands))
    solution = solve(problem, "greedy")
    assert solution.status is Status.INFEASIBLE
    (told,) = solution.reasons
    assert reason in told
    assert set(solution.conflict) <= {demand.describe() for demand in demands}
    assert len(set(solution.conflict)) == len(solution.conflict) > 0


def test_the_same_demand_twice_is_named_once() -> None:
    for demands in ([Budget(1), Budget(1)], [Budget(1)] * 2):
        solution = solve(replace(infeasible_problem(), constraints=tuple(demands)), "brute-force")
        assert solution.conflict == ("a budget of 1",)
        assert solution.reasons == ()


def test_explaining_never_raises_where_smaller_sets_of_demands_are_too_much_for_the_solver() -> None:
    groups = [{f"t{task}": 0.0} for task in range(9)]
    groups += [{f"t{one}": 0.1, f"t{two}": 0.1} for one in range(9) for two in range(one)]
    problem = Problem(GainTensor.from_groups(groups), constraints=(Floor(-1.0), GroupCount(3), Partition()))
    solution = solve(problem, "brute-force", options={"max_sets": 20_000})
    assert solution.status is Status.INFEASIBLE
    assert "at most 3 groups" in solution.conflict
