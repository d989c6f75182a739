"""Objectives: what they say they do, against sums done by hand and brute force."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from engine import (
    OBJECTIVES,
    Coefficients,
    GainTensor,
    GroupCount,
    GroupSize,
    LowerConfidenceGain,
    MembershipAverage,
    Objective,
    Problem,
    SetFunction,
    Status,
    TotalGain,
    TotalLoss,
    UsageError,
    WeightedGain,
    WorstGain,
    all_groups,
    solve,
)
from engine.problem.kinds import Feature
from engine.testing import PricedGain

GAINS = GainTensor.from_groups(
    [{"a": 0.1, "b": -0.2}, {"b": 0.3, "c": 0.1}, {"a": 0.4, "c": -0.1}, {"a": 0.0}, {"b": 0.0}, {"c": 0.0}]
)
LOSSES = GainTensor.from_groups(
    [{"a": 0.5, "b": 0.9}, {"b": 0.4, "c": 0.6}, {"a": 0.45}, {"b": 0.7}, {"c": 0.5}], quantity="loss"
)


def test_total_gain_is_the_default_for_gains_and_total_loss_for_losses() -> None:
    assert Problem(GAINS).objective == TotalGain()
    assert Problem(LOSSES).objective == TotalLoss()
    assert solve(Problem(GAINS), "brute-force").value == pytest.approx(0.8)
    assert solve(Problem(LOSSES), "brute-force").value == pytest.approx(0.45 + 0.4 + 0.5)
    assert solve(Problem(LOSSES).with_budget(2), "brute-force").value == pytest.approx(0.45 + 0.4 + 0.6)


def test_weighted_gain_multiplies_and_leaves_the_others_at_one() -> None:
    coefficients, _ = WeightedGain({"b": 3.0}).coefficients(GAINS).entries(GAINS)
    np.testing.assert_allclose(coefficients[:4], [0.1, -0.6, 0.9, 0.1])
    solution = solve(Problem(GAINS, WeightedGain({"b": 3.0})), "brute-force")
    assert solution.value == pytest.approx(0.4 + 0.9 + 0.1)
    # The report still tells plain gains.
    assert solution.mean == pytest.approx(0.8 / 3)


def test_weights_may_be_zero_or_negative_but_must_name_tasks() -> None:
    solution = solve(Problem(GAINS, WeightedGain({"a": 0.0, "c": -1.0})), "brute-force")
    assert solution.value == pytest.approx(0.3 + 0.1)
    with pytest.raises(UsageError, match=r"Unknown task 'bb'\. Did you mean 'b'"):
        _ = Problem(GAINS, WeightedGain({"bb": 1.0})).program


def test_worst_gain_is_the_least_served() -> None:
    solution = solve(Problem(GAINS, WorstGain()), "brute-force")
    assert solution.value == pytest.approx(0.1)
    assert min(solution.task_values.values()) == pytest.approx(0.1)


def test_lower_confidence_subtracts_standard_errors() -> None:
    gains = GainTensor.from_dense(
        ["a", "b"],
        np.ones((2, 2)) * [[1, 1], [1, 0]],
        [[0.3, 0.2], [0.0, 0.0]],
        std=[[0.1, np.nan], [0.05, np.nan]],
    )
    coefficients, _ = LowerConfidenceGain(2.0).coefficients(gains).entries(gains)
    np.testing.assert_allclose(coefficients, [0.1, 0.2, -0.1])


def test_lower_confidence_prefers_measured_to_predicted() -> None:
    member = [[1, 1], [1, 1], [1, 0], [0, 1]]
    values = [[0.5, 0.5], [0.45, 0.45], [0.0, 0.0], [0.0, 0.0]]
    gains = GainTensor.from_dense(
        ["a", "b"], member[:1] + member[2:], values[:1] + values[2:], measured=np.array([False, True, True])
    )
    spread = float(np.std([0.5, 0.0]))
    coefficients, _ = LowerConfidenceGain().coefficients(gains).entries(gains)
    np.testing.assert_allclose(coefficients, [0.5 - spread, 0.5 - spread, 0.0, 0.0])
    assert solve(Problem(gains, LowerConfidenceGain(3.0)), "brute-force").gains["predicted_servings"] == 0
    assert solve(Problem(gains, LowerConfidenceGain(0.0)), "brute-force").gains["predicted_servings"] == 2
    with pytest.raises(UsageError, match="kappa must be 0 or more"):
        LowerConfidenceGain(-1.0)


def test_parameters_are_checked() -> None:
    with pytest.raises(UsageError, match="kappa must be 0 or more, and finite, not 'x'"):
        LowerConfidenceGain("x")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="weight of task 'a' must be a finite number, not 'x'"):
        WeightedGain({"a": "x"})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="takes a mapping"):
        WeightedGain([1, 2])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="takes a function"):
        SetFunction(3)  # type: ignore[arg-type]


def test_membership_average_counts_every_membership() -> None:
    """Wang, Pan and Yu's objective, with exactly n groups, against an enumeration of its own."""
    rng = np.random.default_rng(4)
    pair_gains = rng.normal(size=(4, 4))
    member = all_groups(4)
    # Σ_i S_ik is the gain of k in g, so that the mean gain of g is the published (1/|g|) Σ_ik S_ik.
    values = np.where(member, member @ pair_gains, 0.0)
    gains = GainTensor.from_dense(list("abcd"), member, values, single_task_baseline=False)
    for count in (1, 2, 3):
        best = max(
            sum(pair_gains[np.ix_(member[row], member[row])].sum() / member[row].sum() for row in rows)
            for rows in combinations(range(15), count)
            if member[list(rows)].any(axis=0).all()
        )
        problem = Problem(gains, MembershipAverage(), (GroupCount(count, count),))
        assert Feature.OPENING in problem.features
        solution = solve(problem, "brute-force")
        assert solution.value == pytest.approx(best)
        assert len(solution.groups) == count


def test_membership_average_differs_from_the_total() -> None:
    gains = GainTensor.from_groups(
        [{"a": 0.5, "b": 0.5}, {"a": 0.8, "c": -0.4}, {"c": 0.0}, {"b": 0.4, "c": 0.1}]
    )
    demand = GroupCount(2, 2)
    average = solve(Problem(gains, MembershipAverage(), (demand,)), "brute-force")
    assert average.value == pytest.approx(0.5 + 0.25)
    assert [group.tasks for group in average.groups] == [("a", "b"), ("b", "c")]
    total = solve(Problem(gains, constraints=(demand,)), "brute-force")
    assert total.value == pytest.approx(0.8 + 0.4 + 0.1)


@dataclass(frozen=True)
class HelpedShare(Objective):
    """A user's own objective: the number of tasks that gain at least ``least``, minus a price per group."""

    least: float = 0.1
    price: float = 0.25

    def coefficients(self, gains: GainTensor) -> Coefficients:
        return Coefficients(gains.gains >= self.least, np.full(gains.n_groups, -self.price))


@pytest.mark.parametrize(
    "solver", ["brute-force", "branch-and-bound", "cpsat", "milp", "greedy", "local-search"]
)
def test_ones_own_objective_end_to_end(solver: str) -> None:
    solution = solve(Problem(GAINS, HelpedShare()), solver)
    assert solution.value == pytest.approx(3 - 2 * 0.25)
    assert solution.objective == "maximize HelpedShare"
    assert {group.tasks for group in solution.groups} in (
        {("a", "b"), ("b", "c")},
        {("b", "c"), ("a", "c")},
    )
    if solver in ("brute-force", "branch-and-bound", "cpsat", "milp"):
        assert solution.status is Status.OPTIMAL


def test_ones_own_objective_that_minimises() -> None:
    class SquaredLoss(Objective):
        sense = "minimize"

        def coefficients(self, gains: GainTensor) -> Coefficients:
            return Coefficients(gains.values**2)

    solution = solve(Problem(LOSSES, SquaredLoss()), "brute-force")
    assert solution.value == pytest.approx(0.45**2 + 0.4**2 + 0.5**2)
    assert solution.bound == pytest.approx(solution.value)


def test_malformed_coefficients_are_refused() -> None:
    class Wrong(Objective):
        def __init__(self, *parts: object) -> None:
            self.parts = parts

        def coefficients(self, gains: GainTensor) -> Coefficients:
            return Coefficients(*self.parts)  # type: ignore[arg-type]

    with pytest.raises(UsageError, match=r"serve coefficients have shape \(2,\); give \(6, 3\)"):
        _ = Problem(GAINS, Wrong(np.zeros(2))).program
    with pytest.raises(UsageError, match=r"open coefficients have shape \(3,\); give \(6,\)"):
        _ = Problem(GAINS, Wrong(GAINS.values, np.zeros(3))).program
    with pytest.raises(UsageError, match="must be finite"):
        _ = Problem(GAINS, Wrong(np.full(9, np.inf))).program


def test_worst_aggregates_take_no_opening_values() -> None:
    class Both(WorstGain):
        def coefficients(self, gains: GainTensor) -> Coefficients:
            return Coefficients(gains.values, -np.ones(gains.n_groups))

    with pytest.raises(UsageError, match="aggregated by 'min' cannot have opening values"):
        _ = Problem(GAINS, Both()).program


def test_gain_objectives_refuse_losses_and_the_other_way_round() -> None:
    for objective in (TotalGain(), WeightedGain(), WorstGain(), LowerConfidenceGain(), MembershipAverage()):
        with pytest.raises(UsageError, match="works on a gain tensor, and this one holds losses"):
            _ = Problem(LOSSES, objective).program
    with pytest.raises(UsageError, match="works on a loss tensor"):
        _ = Problem(GAINS, TotalLoss()).program


def test_set_function_sees_names_in_row_order_and_its_value_is_the_solutions() -> None:
    seen: list[Sequence[tuple[str, ...]]] = []

    def value(groups: Sequence[tuple[str, ...]]) -> float:
        seen.append(groups)
        return -len(groups) - 0.1 * sum(map(len, groups))

    solution = solve(Problem(GAINS, SetFunction(value, "few groups")), "brute-force")
    assert solution.value == pytest.approx(-2 - 0.3)
    assert solution.objective == "maximize few groups"
    order = [GAINS.group(row) for row in range(GAINS.n_groups)]
    for groups in seen:
        assert [order.index(group) for group in groups] == sorted(order.index(group) for group in groups)


def test_a_price_per_group_closes_groups() -> None:
    cheap, dear = (solve(Problem(GAINS, PricedGain(price)), "brute-force") for price in (0.01, 0.5))
    assert len(cheap.groups) == 2
    assert len(dear.groups) == 2
    assert dear.value == pytest.approx(0.8 - 1.0)


def test_catalogue_of_objectives() -> None:
    for name in OBJECTIVES.names():
        assert issubclass(OBJECTIVES.load(name), Objective)
        assert OBJECTIVES.load(name)().describe()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("tag_taskonomy_affinity.json", {2: 0.3217, 3: 0.3487}),
        ("cosine_taskonomy_affinity.json", {2: 1.470, 3: 1.604}),
    ],
)
def test_published_task_affinity_groupings(data_dir: Path, file: str, expected: dict[int, float]) -> None:
    """Google's TAG search: group score of a task = mean affinity of its co-members; no singles."""
    path = data_dir / "tag" / file
    if not path.is_file():
        pytest.skip(f"no {path.name} in the published data")
    table = json.loads(path.read_text())
    tasks = list(table)
    # Stored as [recipient][source].
    affinity = np.array([[table[recipient][source] for recipient in tasks] for source in tasks])
    np.fill_diagonal(affinity, 0.0)
    member = all_groups(len(tasks))
    member = member[member.sum(axis=1) > 1]
    scores = (member @ affinity) / (member.sum(axis=1, keepdims=True) - 1)
    gains = GainTensor.from_dense(tasks, member, np.where(member, scores, 0))
    groups = {
        2: {("key_l", "edge2d_l"), ("ss_l", "depth_l", "norm_l")},
        3: {("ss_l", "depth_l"), ("depth_l", "norm_l"), ("key_l", "edge2d_l")},
    }
    for splits, objective in expected.items():
        for solver in ("brute-force", "branch-and-bound"):
            solution = solve(Problem(gains, constraints=(GroupSize(at_least=2),)).with_budget(splits), solver)
            assert solution.status is Status.OPTIMAL
            assert solution.mean == pytest.approx(objective, abs=5.1e-4 if objective > 1 else 5.1e-5)
            assert {group.tasks for group in solution.groups} == groups[splits]
