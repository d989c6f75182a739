"""A demand has one meaning: over the members of a table, over a lattice, and in the eyes of the referee."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    Apart,
    Budget,
    Constraint,
    Floor,
    Forbidden,
    GainTensor,
    GroupCount,
    Grouping,
    GroupSize,
    LatticeProblem,
    Limits,
    Mandatory,
    MembershipLimit,
    PairMeanModel,
    Partition,
    Problem,
    Together,
    UnsupportedError,
    UsageError,
    all_groups,
    solve,
)
from engine.problem.limits import Membership
from engine.testing import lattice_optimum, lattice_problems
from engine.testing.random_lattices import NotOfSize

TASKS = ("a", "b", "c", "d")


def limits_of(*constraints: Constraint, quantity: str = "gain") -> Limits:
    limits = Limits.of(TASKS, quantity)  # type: ignore[arg-type]
    for constraint in constraints:
        constraint.restrict(limits)
    return limits.at_unit_cost()


def labels(limits: Limits) -> set[str]:
    member = all_groups(len(limits.tasks))
    admitted = limits.admitted(Membership(member))
    return {"".join(np.array(limits.tasks)[group]) for group in member[admitted]}


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


def test_a_rule_of_ones_own_needs_a_list() -> None:
    limits = limits_of(NotOfSize(2))
    assert limits.need_a_list
    with pytest.raises(UnsupportedError, match="needs a list of them"):
        labels(limits)
    names = tuple(f"t{task}" for task in range(20))
    model = PairMeanModel(names, np.zeros((20, 20)), np.zeros(20))
    with pytest.raises(UnsupportedError, match=r"NotOfSize \(no group of 2\) looks at every group by itself"):
        solve(LatticeProblem(model, constraints=(NotOfSize(2),)), "lattice")


def by_referee(gains: GainTensor, constraint: Constraint) -> list[bool]:
    """Return whether each group by itself meets a demand, read from its check."""
    verdicts = []
    for row in range(gains.n_groups):
        alone = Grouping((frozenset(gains.group(row)),), (float(gains.cost[row]),), {}, {}, gains.quantity)
        verdicts.append(constraint.violation(alone) is None)
    return verdicts


@st.composite
def demands(draw: st.DrawFn) -> Constraint:
    """Any of the demands on single groups."""
    names = st.lists(st.sampled_from(TASKS), min_size=2, max_size=4, unique=True)
    group = st.lists(st.sampled_from(TASKS), min_size=1, max_size=4, unique=True)
    low = draw(st.integers(1, 4))
    return draw(
        st.one_of(
            st.builds(GroupSize, st.integers(low, 4), st.just(low)),
            st.builds(Together, names),
            st.builds(Apart, names),
            st.builds(Forbidden, group, st.sampled_from([None, 1.0, 0.5])),
            st.builds(NotOfSize, st.integers(1, 4)),
        )
    )


@settings(derandomize=True, max_examples=200, deadline=None)
@given(demands())
def test_a_demand_on_groups_means_one_thing_everywhere(constraint: Constraint) -> None:
    """Over a tensor of all groups, over the lattice, and in the eyes of the referee."""
    member = all_groups(4)
    gains = GainTensor.from_dense(TASKS, member, np.where(member, 0.0, np.nan))
    limits = Limits.of(TASKS, "gain")
    constraint.restrict(limits)
    admitted = limits.admitted(gains)
    assert admitted.tolist() == by_referee(gains, constraint)
    if not limits.need_a_list:
        assert np.array_equal(limits.at_unit_cost().admitted(Membership(member)), admitted)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(lattice_problems(listing=True))
def test_agrees_with_the_program_of_a_table_of_all_groups(problem: LatticeProblem) -> None:
    """Group by group, entry by entry and number by number."""
    limits, table = problem.limits, problem.listed
    gains, program = table.gains, table.program
    admitted = limits.admitted(gains)
    if not limits.need_a_list:
        assert np.array_equal(limits.admitted(Membership(gains.membership)), admitted)
    values, floor = gains.values, limits.floor[gains.members]
    able = values >= floor if gains.quantity == "gain" else values <= floor
    serving = limits.serving(gains)
    assert np.array_equal(able, np.ones(len(able), dtype=bool) if serving is None else serving)
    if program.is_partition:
        admitted &= np.logical_and.reduceat(able, gains.indptr[:-1])
    assert program.rows.tolist() == np.flatnonzero(admitted).tolist()
    forced = {gains.group(int(row)) for row in program.rows[program.mandatory]}
    allowed = {gains.group(int(row)) for row in program.rows}
    wanted = {tuple(problem.tasks[task] for task in sorted(tasks)) for tasks, _ in limits.mandatory}
    assert wanted & allowed == forced
    assert wanted <= allowed or program.reasons()
    assert limits.min_groups == program.min_groups
    assert program.max_groups <= (gains.n_groups if limits.max_groups is None else limits.max_groups)
    assert not limits.unreachable or program.unreachable


def large_sparse_tensor() -> GainTensor:
    """Return 20 000 groups of 4 out of 2000 tasks, and every task alone."""
    count, tasks = 20_000, 2000
    rng = np.random.default_rng(0)
    members = rng.integers(0, tasks // 4, (count, 4)) + tasks // 4 * np.arange(4)
    members = np.unique(members, axis=0)
    groups = len(members)
    indptr = np.concatenate([np.arange(tasks), tasks + 4 * np.arange(groups + 1)])
    values = np.concatenate([np.zeros(tasks), rng.normal(0.05, 0.1, 4 * groups)])
    names = tuple(f"t{task}" for task in range(tasks))
    return GainTensor(names, indptr, np.concatenate([np.arange(tasks), members.ravel()]), values)


@pytest.mark.parametrize(
    "constraint",
    [
        Together(["t0", "t7", "t900"]),
        Apart([f"t{task}" for task in range(0, 2000, 3)]),
        GroupSize(4),
        Forbidden(["t1", "t2", "t3"]),
        Floor(0.0),
        Floor(0.1, ["t5"]),
        Mandatory(["t0"]),
        Partition(),
        MembershipLimit(2),
        GroupCount(1500, 1),
        Budget(1500),
    ],
    ids=lambda constraint: type(constraint).__name__,
)
def test_memory_is_proportional_to_the_entries(constraint: Constraint) -> None:
    """Less than 64 bytes for an entry at most, where a matrix of groups and tasks takes some 500."""
    problem = Problem(large_sparse_tensor(), constraints=(constraint,))
    problem.coefficients  # noqa: B018
    tracemalloc.start()
    try:
        problem.program  # noqa: B018
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * len(problem.gains.members)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(lattice_problems())
def test_reasons_are_true(problem: LatticeProblem) -> None:
    """What is contradictory on its face has no grouping."""
    if problem.reasons():
        assert lattice_optimum(problem) is None


def test_admitted_is_about_groups_only() -> None:
    """Floors, numbers and memberships do not concern it."""
    limits = limits_of(Floor(5.0), Budget(0.5), Partition(), GroupCount(None, 4), Mandatory(["a"]))
    assert limits.admitted(Membership(np.array(list(product([False, True], repeat=4)))[1:])).all()
