"""What constraints leave of a lattice is what they leave of a table of all groups."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from engine import (
    Apart,
    Budget,
    Constraint,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    LatticeLimits,
    LatticeProblem,
    Limits,
    Mandatory,
    MembershipLimit,
    Partition,
    Together,
    UnsupportedError,
    UsageError,
    all_groups,
)
from engine.testing import lattice_optimum, lattice_problems
from engine.testing.random_lattices import NotOfSize

TASKS = ("a", "b", "c", "d")


def limits_of(*constraints: Constraint, quantity: str = "gain") -> LatticeLimits:
    limits = LatticeLimits.of(TASKS, quantity)  # type: ignore[arg-type]
    for constraint in constraints:
        constraint.restrict_lattice(limits)
    return limits


def labels(limits: LatticeLimits) -> set[str]:
    member = all_groups(len(limits.tasks))
    return {"".join(np.array(limits.tasks)[group]) for group in member[limits.admitted(member)]}


def test_without_constraints_everything_goes() -> None:
    limits = limits_of()
    assert len(labels(limits)) == 15
    assert (limits.min_size, limits.max_size, limits.min_groups) == (1, 4, 0)
    assert (limits.max_groups, limits.max_memberships) == (None, None)
    assert limits.floor.tolist() == [-np.inf] * 4
    assert limits_of(quantity="loss").floor.tolist() == [np.inf] * 4
    assert limits.reasons() == ()


@pytest.mark.parametrize(
    ("constraints", "admitted"),
    [
        ([GroupSize(1)], {"a", "b", "c", "d"}),
        ([GroupSize(4, 3), GroupSize(3)], {"abc", "abd", "acd", "bcd"}),
        ([Apart(["a", "b", "c"])], {"a", "b", "c", "d", "ad", "bd", "cd"}),
        ([Together(["a", "b", "c"])], {"d", "abc", "abcd"}),
        ([Together(["a", "b"]), Together(["b", "c"])], {"d", "abc", "abcd"}),
        ([Together(["a", "b"]), Apart(["b", "c"]), GroupSize(2)], {"ab", "c", "d", "cd"}),
        ([GroupSize(4, 4), Forbidden(["d", "c", "b", "a"])], set()),
        ([GroupSize(1), Forbidden(["b"], cost=1.0), Forbidden(["c"], cost=2.0)], {"a", "c", "d"}),
    ],
)
def test_admits_the_groups_that_may_be_chosen(constraints: list[Constraint], admitted: set[str]) -> None:
    assert labels(limits_of(*constraints)) == admitted


def test_numbers_are_the_tightest_of_all_demands() -> None:
    limits = limits_of(
        Budget(3.9), GroupCount(5, 1), GroupCount(None, 2), MembershipLimit(3), MembershipLimit(2)
    )
    assert (limits.min_groups, limits.max_groups, limits.max_memberships) == (2, 3, 2)
    assert limits_of(Budget(0.5)).max_groups == 0
    assert limits_of(Budget(3 - 1e-12)).max_groups == 3
    assert limits_of(MembershipLimit(2), Partition()).max_memberships == 1


def test_floors_rise_and_ceilings_of_losses_fall() -> None:
    both = (Floor(0.1), Floor(0.5, ["b"]), Floor(0.3, ["b", "d"]))
    assert limits_of(*both).floor.tolist() == [0.1, 0.5, 0.1, 0.3]
    assert limits_of(*both, quantity="loss").floor.tolist() == [0.1, 0.1, 0.1, 0.1]


@pytest.mark.parametrize(
    ("constraints", "reason"),
    [
        ([Budget(0.5)], "not a single group is affordable"),
        (
            [Mandatory(["a"]), Mandatory(["b", "a"]), Budget(1)],
            "2 groups are mandatory, but at most 1 group is affordable",
        ),
        ([GroupCount(None, 3), Budget(2)], "3 groups are demanded, but at most 2 groups are affordable"),
        ([Mandatory(["a", "b"]), Apart(["b", "a"])], "group a|b is mandatory but not allowed"),
        ([Mandatory(["d"]), Forbidden(["d"])], "group d is mandatory but not allowed"),
        ([GroupSize(2), GroupSize(4, 3)], "no group has at least 3 and at most 2 tasks"),
        ([GroupSize(9, 5)], "no group has at least 5 and at most 4 tasks"),
        ([Mandatory(["a"], cost=2.0)], "a gain model holds no group a at cost 2: its groups cost 1"),
    ],
)
def test_tells_why_demands_clash(constraints: list[Constraint], reason: str) -> None:
    assert limits_of(*constraints).reasons() == (reason,)


def test_the_same_mandatory_group_twice_is_one() -> None:
    assert limits_of(Mandatory(["a", "b"]), Mandatory(["b", "a"], cost=1.0), Budget(1)).reasons() == ()


def test_unknown_tasks_are_named() -> None:
    with pytest.raises(UsageError, match="Unknown task 'e'"):
        limits_of(Together(["a", "e"]))


def test_a_users_constraint_needs_a_list_unless_it_says_more() -> None:
    with pytest.raises(UnsupportedError, match=r"NotOfSize \(no group of 2\) .* define restrict_lattice"):
        limits_of(NotOfSize(2))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(lattice_problems())
def test_agrees_with_the_limits_of_a_table_of_all_groups(problem: LatticeProblem) -> None:
    """Group by group, entry by entry and number by number."""
    limits, gains = problem.limits, problem.listed.gains
    table = Limits.of(gains)
    for constraint in problem.constraints:
        constraint.restrict(table)
    assert np.array_equal(limits.admitted(gains.membership), table.allowed)
    values, floor = gains.values, limits.floor[gains.members]
    serving = values >= floor if gains.quantity == "gain" else values <= floor
    assert np.array_equal(serving, table.may_serve)
    forced = {gains.group(int(row)) for row in np.flatnonzero(table.mandatory)}
    assert {tuple(problem.tasks[task] for task in sorted(one)) for one in limits.mandatory} == forced
    assert limits.min_groups == table.min_groups
    assert limits.max_memberships == table.max_memberships
    assert bool(limits.unreachable) == bool(table.unreachable)
    affordable = [count for count in range(1, 9) if count <= min(table.max_groups or 9, table.max_cost)]
    assert affordable == [
        count for count in range(1, 9) if limits.max_groups is None or count <= limits.max_groups
    ]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(lattice_problems())
def test_reasons_are_true(problem: LatticeProblem) -> None:
    """What is contradictory on its face has no grouping."""
    if problem.reasons():
        assert lattice_optimum(problem) is None


def test_admitted_is_about_groups_only() -> None:
    """Floors, numbers and memberships do not concern it."""
    limits = limits_of(Floor(5.0), Budget(0.5), Partition(), GroupCount(None, 4), Mandatory(["a"]))
    assert limits.admitted(np.array(list(product([False, True], repeat=4)))[1:]).all()
