"""Constraints: what solvers may not do and what the referee refuses are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

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
    Limits,
    Mandatory,
    MembershipLimit,
    Partition,
    Problem,
    Together,
    UsageError,
    referee,
    solve,
)
from engine.problem.kinds import Feature
from engine.testing.examples import easy_gains

GAINS = easy_gains()
LOSSES = GainTensor.from_groups(
    [{"a": 0.5, "b": 0.9}, {"b": 0.4}, {"a": 0.45}, {"a": 0.2, "c": 1.0}, {"b": 0.6, "c": 0.3}],
    quantity="loss",
)


def groups_of(problem: Problem) -> set[tuple[str, ...]]:
    return {group.tasks for group in solve(problem, "brute-force").groups}


@pytest.mark.parametrize(
    "demand",
    [
        Budget(2),
        GroupCount(2),
        GroupCount(3, 3),
        GroupCount(at_least=2),
        GroupSize(2),
        GroupSize(3, 2),
        Together(["a", "d"]),
        Apart(["a", "b", "d"]),
        Mandatory(["b", "c"]),
        Forbidden(["a", "b", "c", "d"]),
        Partition(),
        MembershipLimit(2),
        Floor(0.0),
        Floor(-0.02, ["d"]),
        Floor(0.03, ["a", "b"]),
    ],
    ids=lambda demand: demand.describe(),
)
def test_the_program_allows_exactly_what_the_referee_accepts(demand: Constraint) -> None:
    problem = Problem(GAINS, constraints=(demand,))
    program = problem.program
    position = {int(row): index for index, row in enumerate(program.rows)}
    for size in (1, 2, 3):
        for rows in combinations(range(GAINS.n_groups), size):
            verdict = referee(problem, rows)
            chosen = [position[row] for row in rows if row in position]
            allowed = len(chosen) == size and program.value(np.array(chosen)) > -np.inf
            if allowed:
                held = np.isin(program.entry_groups, chosen)
                most = np.bincount(program.members[held]).max()
                allowed = (
                    program.min_groups <= size <= program.max_groups
                    and program.cost[chosen].sum() <= program.max_cost
                    and (program.max_memberships is None or most <= program.max_memberships)
                    and set(np.flatnonzero(program.mandatory)) <= set(chosen)
                )
            assert allowed == (not verdict.problems), (rows, verdict.problems)


def test_budget_counts_costs() -> None:
    costs = np.where(GAINS.sizes == 1, 0.5, 1.0)
    gains = GainTensor(GAINS.tasks, GAINS.indptr, GAINS.members, GAINS.values, cost=costs)
    problem = Problem(gains, constraints=(Budget(1.5),))
    assert Feature.COST in problem.features
    solution = solve(problem, "brute-force")
    assert solution.cost <= 1.5
    assert groups_of(problem) == {("a", "b", "c", "d"), ("d",)}
    verdict = referee(problem, [14, 0, 1])
    assert verdict.problems == ("the groups cost 2, more than 1.5",)


def test_equal_costs_become_a_number_of_groups() -> None:
    gains = GainTensor(GAINS.tasks, GAINS.indptr, GAINS.members, GAINS.values, cost=np.full(15, 0.1))
    problem = Problem(gains, constraints=(Budget(0.3),))
    assert problem.program.max_groups == 3
    assert problem.features == {Feature.SUM}


def test_exact_number_of_groups_keeps_idle_ones() -> None:
    solution = solve(Problem(GAINS, constraints=(GroupCount(4, 4),)), "brute-force")
    assert len(solution.groups) == 4
    with pytest.raises(UsageError, match="No number of groups is at least 3 and at most 2"):
        GroupCount(2, 3)


def test_sizes() -> None:
    assert {len(tasks) for tasks in groups_of(Problem(GAINS, constraints=(GroupSize(2, 2),)))} == {2}
    with pytest.raises(UsageError, match="No group size is at least 3"):
        GroupSize(2, 3)


def test_together_and_apart() -> None:
    for tasks in groups_of(Problem(GAINS, constraints=(Together(["a", "d"]),))):
        assert ("a" in tasks) == ("d" in tasks)
    for tasks in groups_of(Problem(GAINS, constraints=(Apart(("a", "b")),))):
        assert not {"a", "b"} <= set(tasks)
    assert Together(["a", "b", "a"]).tasks == ("a", "b")
    for bad in (["a"], ["a", "a"]):
        with pytest.raises(UsageError, match="needs two task names"):
            Apart(bad)
    with pytest.raises(UsageError, match=r"Together takes one list of task names: Together\(\['a', 'b'\]\)"):
        Together("a", "b")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"not the text 'a\|b': write \['a', 'b'\]"):
        Apart("a|b")
    assert repr(Together(["a", "b"])) == "Together(tasks=('a', 'b'))"
    assert replace(Apart(["a", "b"]), tasks=["b", "c"]) == Apart(["b", "c"])


@pytest.mark.parametrize(
    "demand",
    [Together(["a", "e"]), Apart(["a", "e"]), Mandatory(["e"]), Forbidden(["a", "e"]), Floor(0, ["e"])],
    ids=lambda demand: type(demand).__name__,
)
def test_an_unknown_task_is_refused_when_the_problem_is_built(demand: Constraint) -> None:
    with pytest.raises(UsageError, match="Unknown task 'e'"):
        Problem(GAINS, constraints=(demand,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mandatory("cat|dog"), r"Mandatory needs a list .* write \['cat', 'dog'\]"),
        (lambda: Mandatory([]), "Mandatory needs a list of task names"),
        (lambda: Mandatory(3), "Mandatory needs a list of task names, not 3"),
        (lambda: Mandatory(["a"], "b"), "possibly a cost, not 'b'"),
        (lambda: Forbidden([1, 2]), "Forbidden needs a list of task names"),
        (lambda: Budget("2"), "budget must be a number above 0, not '2'"),
        (lambda: Budget(None), "budget must be a number above 0, not None"),
        (lambda: Budget(True), "budget must be a number above 0"),
        (lambda: Floor("x"), "floor must be a finite number, not 'x'"),
        (lambda: Floor(0, "a"), r"Floor needs a list of task names, .*write \['a'\]"),
        (lambda: Together(None), "Together needs a list of task names, not None"),
    ],
)
def test_what_is_no_demand_is_told_so(make: Callable[[], Constraint], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_mandatory_groups_are_chosen_even_if_idle() -> None:
    problem = Problem(GAINS, constraints=(Mandatory(["a"]), Budget(2)))
    assert ("a",) in groups_of(problem)
    assert referee(problem, [14]).problems == ("group a is not chosen",)


def test_a_mandatory_group_that_is_forbidden_or_missing_is_unreachable() -> None:
    both = Problem(GAINS, constraints=(Mandatory(["a"]), Forbidden(["a"])))
    (reason,) = both.program.unreachable
    assert reason.startswith("group a ")
    assert reason.endswith("mandatory but not allowed")
    few = Problem(GAINS.select(GAINS.sizes != 2), constraints=(Mandatory(["a", "b"]),))
    assert few.program.unreachable == ("the gains hold no group a|b",)


def test_the_same_tasks_at_two_costs_are_told_apart() -> None:
    gains = GainTensor.from_groups(
        [{"a": 0.0}, {"a": -0.1}], cost=np.array([1.0, 0.5]), single_task_baseline=False
    )
    with pytest.raises(UsageError, match=r"Group a exists at costs 1, 0\.5: say which is mandatory"):
        _ = Problem(gains, constraints=(Mandatory(["a"]),)).program
    assert solve(Problem(gains, constraints=(Mandatory(["a"], 0.5), Budget(0.5))), "brute-force").cost == 0.5
    assert solve(Problem(gains, constraints=(Forbidden(["a"], 1.0),)), "brute-force").cost == 0.5


def test_partition_is_disjoint_and_each_group_serves_all_its_members() -> None:
    solution = solve(Problem(GAINS, constraints=(Partition(),)), "brute-force")
    assert sum(len(group.tasks) for group in solution.groups) == 4
    program = Problem(GAINS, constraints=(Partition(), Floor(0.0))).program
    assert np.isfinite(program.serve).all()


def test_membership_limit() -> None:
    problem = Problem(GAINS, constraints=(MembershipLimit(2), Budget(3)))
    assert Feature.MEMBERSHIPS in problem.features
    # With two groups at most, no task can be in three.
    assert Problem(GAINS, constraints=(MembershipLimit(2), GroupCount(2))).features == {Feature.SUM}
    verdict = referee(problem, [14, 0, 2])
    assert verdict.problems == ("task 'a' is in 3 groups, more than 2",)


def test_floor_on_gains_protects_all_or_some() -> None:
    nobody = solve(Problem(GAINS, constraints=(Floor(),)).with_budget(2), "brute-force")
    assert min(nobody.task_values.values()) >= 0
    free = solve(Problem(GAINS).with_budget(1), "brute-force")
    assert free.task_values["d"] < 0
    other = solve(Problem(GAINS, constraints=(Floor(tasks=["a"]),)).with_budget(1), "brute-force")
    assert other.value == free.value


def test_floor_on_losses_is_a_ceiling() -> None:
    solution = solve(Problem(LOSSES, constraints=(Floor(0.5),)), "brute-force")
    assert max(solution.task_values.values()) <= 0.5
    assert solution.value == pytest.approx(0.2 + 0.4 + 0.3)
    tight = Problem(LOSSES, constraints=(Floor(0.45),))
    assert solve(tight, "brute-force").task_values == {"a": 0.2, "b": 0.4, "c": 0.3}
    assert referee(tight, [0, 4]).problems[0] == "no chosen group serves a, b"


def test_numbers_are_checked() -> None:
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="budget must be a number above 0"):
            Budget(wrong)
    for make in (
        lambda: GroupCount(0),
        lambda: GroupSize(0),
        lambda: MembershipLimit(0),
        lambda: GroupCount(True),
    ):
        with pytest.raises(UsageError, match="must be a whole number, 1 or more"):
            make()
    with pytest.raises(UsageError, match="floor must be a finite number"):
        Floor(float("nan"))


class NotBoth(Constraint):
    """A user's own constraint: groups with both a and d may not be chosen."""

    def restrict(self, limits: Limits) -> None:
        pair = limits.columns(["a", "d"])
        limits.group_rules.append(lambda groups: groups.counts(pair) < 2)

    def violation(self, grouping: Grouping) -> str | None:
        return "a with d" if any({"a", "d"} <= group for group in grouping.groups) else None

    def describe(self) -> str:
        return "not a with d"


def test_ones_own_constraint() -> None:
    problem = Problem(GAINS, constraints=(NotBoth(),))
    assert not any({"a", "d"} <= set(tasks) for tasks in groups_of(problem))
    assert problem.describe() == "maximize total gain subject to not a with d"


def test_descriptions_read_well() -> None:
    assert GroupCount(2, 2).describe() == "exactly 2 groups"
    assert GroupCount(3, 1).describe() == "at least 1 group and at most 3 groups"
    assert GroupCount().describe() == "any number of groups"
    assert GroupSize(3, 2).describe() == "groups of at least 2 and at most 3 tasks"
    assert Together(["a", "b"]).describe() == "'a' and 'b' together"
    assert Floor().describe() == "no task worse than 0"
    assert Floor(0.1, ["a", "b"]).describe() == "none of a, b worse than 0.1"
