"""Problems over all groups of a gain model: checked at the door, described in arrays."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from engine import (
    Affinity,
    Apart,
    Budget,
    Coefficients,
    Constraint,
    DataError,
    Feature,
    Floor,
    Forbidden,
    GainTensor,
    GroupCount,
    GroupSize,
    Kind,
    LatticeProblem,
    LowerConfidenceGain,
    Mandatory,
    MembershipAverage,
    MembershipLimit,
    Objective,
    PairMeanModel,
    PairSumModel,
    Partition,
    Provenance,
    SetFunction,
    TabulatedModel,
    TotalGain,
    TotalLoss,
    UnsupportedError,
    UsageError,
    WeightedGain,
    WorstGain,
    all_groups,
    frontier,
    graph_problem,
    referee,
    solve,
)
from engine.problem.lattice import LISTED_TASKS, check_problem
from engine.solving.warm_start import named_groups
from engine.testing import (
    PricedGain,
    lattice_optimum,
    lattice_problems,
    optimum,
)
from engine.testing.examples import easy_gains, number_of_members
from engine.testing.lattice_examples import easy_graph, easy_model
from engine.testing.random_lattices import NotOfSize
from tests.solvers.listing import Listing

GAINS = easy_gains()
MODEL = easy_model()
LOSSES = PairMeanModel(("a", "b", "c"), np.full((3, 3), 0.5), np.array([0.4, 0.6, 0.7]), quantity="loss")


def model_of(count: int) -> PairMeanModel:
    """Return a model of so many tasks, one that helps everybody."""
    return PairMeanModel(tuple(f"t{task}" for task in range(count)), np.ones((count, count)), np.zeros(count))


def group(*names: str, tasks: tuple[str, ...] = MODEL.tasks) -> np.ndarray:
    return np.array([name in names for name in tasks])


CLAIM = r"task_weights\(\) of Claiming must return None or 4 numbers that, times the gains, are its serve"


class Cubes(Objective):
    """An objective that is no weight times the gain."""

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Cube the gains."""
        return Coefficients(gains.values**3)


@dataclass(frozen=True)
class Claiming(Objective):
    """Total gain, with whatever weights it is told to claim."""

    weights: Any

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Return the gains."""
        return Coefficients(gains.values)

    def task_weights(self, tasks: Any) -> Any:
        """Return the claim."""
        return self.weights


# What may go in


def test_parts_are_checked() -> None:
    with pytest.raises(UsageError, match="model must be a GainModel, not GainTensor: fit a gain source"):
        LatticeProblem(GAINS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a class needs parentheses"):
        LatticeProblem(MODEL, TotalGain)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"constraints must be a list: .* not Budget\(limit=2\)"):
        LatticeProblem(MODEL, constraints=Budget(2))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Unknown task 'z'"):
        LatticeProblem(MODEL, constraints=(Apart(["a", "z"]),))
    with pytest.raises(UsageError, match="known must hold the gains of the model's tasks"):
        LatticeProblem(LOSSES, known=GAINS)
    with pytest.raises(FrozenInstanceError):
        LatticeProblem(MODEL).model = MODEL  # type: ignore[misc]


def test_the_objective_is_the_total_by_default() -> None:
    assert LatticeProblem(MODEL).objective == TotalGain()
    assert LatticeProblem(LOSSES).objective == TotalLoss()
    assert LatticeProblem(LOSSES).sign == -1.0
    assert (LatticeProblem(LOSSES).quantity, LatticeProblem(LOSSES).source) == ("loss", "pair-mean")


@pytest.mark.parametrize(
    ("model", "objective", "message"),
    [
        (LOSSES, TotalGain(), "TotalGain works on a gain tensor"),
        (MODEL, TotalLoss(), "TotalLoss works on a loss tensor"),
        (LOSSES, LowerConfidenceGain(), "LowerConfidenceGain works on a gain tensor"),
        (MODEL, WeightedGain({"z": 2.0}), "Unknown task 'z'"),
        (MODEL, Claiming([1.0, 1.0]), CLAIM),
        (MODEL, Claiming([1.0, 1.0, 1.0, 2.0]), CLAIM),
        (MODEL, Claiming([1.0, 1.0, np.nan, 1.0]), CLAIM),
    ],
)
def test_an_objective_that_does_not_fit_is_refused_before_solving(
    model: PairMeanModel, objective: Objective, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        solve(LatticeProblem(model, objective), Listing())


def test_what_is_no_problem_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match=r"not GainTensor\. Write engine\.Problem\(gains"):
        solve(GAINS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"not PairMeanModel\. Write engine\.LatticeProblem\(model"):
        frontier(MODEL, [1])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"must be an engine\.Problem, not int\.$"):
        check_problem(3)
    check_problem(LatticeProblem(MODEL))


# What it asks of a solver


@pytest.mark.parametrize(
    ("objective", "constraints", "features"),
    [
        (None, [], {Feature.SUM}),
        (None, [Budget(2), GroupSize(3), Apart(["a", "b"]), Floor(0.0), Forbidden(["d"])], {Feature.SUM}),
        (WeightedGain({"a": 0.0}), [GroupCount(3)], {Feature.SUM}),
        (WorstGain(), [GroupCount(None, 2)], {Feature.WORST, Feature.MIN_GROUPS}),
        (None, [Mandatory(["d"]), MembershipLimit(2)], {Feature.SUM, Feature.MANDATORY, Feature.MEMBERSHIPS}),
        (None, [MembershipLimit(2), Partition()], {Feature.SUM, Feature.PARTITION}),
        (Cubes(), [], {Feature.SUM, Feature.OPENING}),
        (MembershipAverage(), [GroupCount(2, 2)], {Feature.SUM, Feature.OPENING, Feature.MIN_GROUPS}),
        (SetFunction(number_of_members), [Budget(2)], {Feature.SET_FUNCTION}),
        (None, [NotOfSize(2), GroupCount(2, 2)], {Feature.SUM, Feature.MIN_GROUPS}),
        (PricedGain(0.1), [NotOfSize(2), Partition()], {Feature.SUM, Feature.OPENING, Feature.PARTITION}),
    ],
)
def test_features(objective: Objective | None, constraints: list[Constraint], features: set[Feature]) -> None:
    problem = LatticeProblem(MODEL, constraints=constraints)
    if objective is not None:
        problem = replace(problem, objective=objective)
    assert problem.features == features


@settings(derandomize=True, max_examples=100, deadline=None)
@given(lattice_problems(listing=True))
def test_asks_for_no_less_than_the_table_of_all_groups(problem: LatticeProblem) -> None:
    """It may ask for more: a table knows which limits bind, and which mandatory groups are not allowed."""
    assert problem.listed.features - {Feature.COST} <= problem.features
    assert Feature.COST not in problem.features
    more = problem.features - problem.listed.features
    assert more <= {Feature.OPENING, Feature.MEMBERSHIPS, Feature.MANDATORY}
    assert Feature.OPENING not in more or problem.task_weights is None


@pytest.mark.parametrize(
    "problem",
    [
        LatticeProblem(model_of(LISTED_TASKS + 1), Cubes()),
        LatticeProblem(model_of(LISTED_TASKS + 1), constraints=(NotOfSize(2),)),
    ],
)
def test_what_needs_a_list_is_refused_where_there_are_too_many_groups(problem: LatticeProblem) -> None:
    reason = r"(the objective has no task_weights\(\)|NotOfSize .* looks at every group by itself)"
    with pytest.raises(
        UnsupportedError, match=rf"all groups of 17 tasks .* \({reason}.*up to 16 tasks it can"
    ):
        _ = problem.features
    with pytest.raises(UnsupportedError, match="all groups would have to be listed"):
        _ = problem.listed


def test_a_solver_of_tables_refuses_by_name() -> None:
    with pytest.raises(UnsupportedError, match="does not support all groups of a gain model"):
        solve(LatticeProblem(MODEL), "greedy")
    with pytest.raises(UnsupportedError, match="does not support partitions of a pairwise graph"):
        solve(graph_problem(easy_graph()), "greedy")


# Graphs


@pytest.mark.parametrize(
    "change",
    [
        {"constraints": (Budget(2),)},
        {"constraints": (Partition(), NotOfSize(2))},
        {"objective": WorstGain()},
        {"objective": Cubes()},
        {"model": replace(PairSumModel.from_affinity(easy_graph()), singles=np.array([0, 0, 0, 0.1]))},
        {"model": replace(PairSumModel.from_affinity(easy_graph()), offsets=np.array([0, 0, 0, 0.1]))},
        {"model": MODEL},
    ],
)
def test_only_the_partition_of_pairs_for_their_sum_is_a_graph(change: dict[str, Any]) -> None:
    problem = graph_problem(easy_graph())
    assert problem.kind is Kind.GRAPH
    other = replace(problem, **change)
    assert other.kind is Kind.LATTICE
    assert other.pair_weights is None


@pytest.mark.parametrize("objective", [TotalGain(), WeightedGain({"a": 3.0, "b": 0.0, "c": -1.0})])
def test_pair_weights_add_up_to_the_value_of_a_partition(objective: Objective) -> None:
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(5, 5))
    matrix[2, 2] = np.nan
    problem = replace(graph_problem(Affinity(tuple("abcde"), matrix)), objective=objective)
    weights = problem.pair_weights
    assert weights is not None
    assert np.array_equal(weights, weights.T)
    assert not np.diag(weights).any()
    for labels in rng.integers(0, 3, (20, 5)):
        blocks = np.array([labels == label for label in np.unique(labels)])
        table, rows = problem.table_of(blocks)
        same = labels[:, None] == labels[None, :]
        assert referee(table, rows).value == pytest.approx(weights[same].sum() / 2)


def test_losses_turn_the_weights_of_a_graph() -> None:
    model = replace(PairSumModel.from_affinity(easy_graph()), quantity="loss")
    problem = LatticeProblem(model, constraints=(Partition(),))
    assert problem.kind is Kind.GRAPH
    assert np.array_equal(problem.pair_weights, -easy_graph().symmetrised() * (1 - np.eye(4)))


def test_a_graph_problem_demands_disjoint_groups_once() -> None:
    assert graph_problem(easy_graph()).constraints == (Partition(),)
    assert graph_problem(easy_graph(), [Partition(), Budget(2)]).constraints == (Partition(), Budget(2))
    assert graph_problem(easy_graph(), [Budget(2)]).constraints == (Budget(2), Partition())


def test_signs_decide_the_number_of_groups_of_a_graph() -> None:
    solution = solve(graph_problem(easy_graph()), Listing())
    assert {one.tasks for one in solution.groups} == {("a", "b"), ("c", "d")}
    assert solution.value == pytest.approx(0.4 + 0.15)


# Arrays and bounds


def test_task_weights_are_in_program_form() -> None:
    weighted = LatticeProblem(MODEL, WeightedGain({"a": 0.0, "c": -0.5}))
    assert weighted.task_weights.tolist() == [0.0, 1.0, -0.5, 1.0]  # type: ignore[union-attr]
    assert LatticeProblem(LOSSES).task_weights.tolist() == [-1.0, -1.0, -1.0]  # type: ignore[union-attr]
    assert LatticeProblem(MODEL, Cubes()).task_weights is None


@settings(derandomize=True, max_examples=100, deadline=None)
@given(lattice_problems())
def test_the_trivial_bound_is_no_less_than_the_optimum(problem: LatticeProblem) -> None:
    best = lattice_optimum(problem)
    if best is not None:
        assert problem.trivial_bound() >= problem.sign * best - 1e-9


@pytest.mark.parametrize("objective", [TotalGain(), WorstGain()])
def test_the_trivial_bound_is_reached_where_nothing_is_demanded(objective: Objective) -> None:
    problem = LatticeProblem(MODEL, objective)
    assert problem.trivial_bound() == pytest.approx(lattice_optimum(problem))


def test_the_trivial_bound_is_infinite_where_nothing_is_known() -> None:
    assert LatticeProblem(MODEL, Cubes()).trivial_bound() == np.inf
    assert LatticeProblem(TabulatedModel(GAINS)).trivial_bound() == np.inf


def test_budgets() -> None:
    problem = LatticeProblem(MODEL, constraints=(Budget(3), Partition(), Budget(2.5)))
    assert problem.budget == 2.5
    assert problem.with_budget(1).constraints == (Partition(), Budget(1))
    assert problem.with_budget(1).budget == 1
    assert LatticeProblem(MODEL).budget is None
    assert LatticeProblem(model_of(100)).n_groups == 2**100 - 1


def test_words() -> None:
    problem = LatticeProblem(MODEL, constraints=(Budget(2), Partition()))
    assert problem.describe() == (
        "maximize total gain over all 15 groups subject to a budget of 2; disjoint groups"
    )
    assert LatticeProblem(LOSSES).describe() == "minimize total loss over all 7 groups"


@pytest.mark.parametrize(
    ("objective", "constraints", "reasons"),
    [
        (TotalGain(), [Budget(2)], ()),
        (TotalGain(), [Budget(0.5)], ("not a single group is affordable",)),
        (TotalGain(), [NotOfSize(1), Mandatory(["a"])], ("group a is mandatory but not allowed",)),
        (Cubes(), [GroupSize(1), Forbidden(["a"])], ("no allowed group serves 'a'",)),
    ],
)
def test_reasons(objective: Objective, constraints: list[Constraint], reasons: tuple[str, ...]) -> None:
    """Where the groups must be listed anyway, the list shows more."""
    assert LatticeProblem(MODEL, objective, constraints).reasons() == reasons


# Tables


def test_a_table_holds_the_predictions_of_its_groups() -> None:
    problem = LatticeProblem(MODEL, WeightedGain({"b": 2.0}), (Budget(2),))
    membership = np.array([group("a", "b"), group("c"), group("a", "c", "d")])
    table = problem.table(membership)
    assert np.array_equal(table.gains.membership, membership)
    assert np.array_equal(table.gains.gains, MODEL.predict(membership), equal_nan=True)
    assert (table.objective, table.constraints) == (problem.objective, problem.constraints)
    assert table.gains.cost.tolist() == [1, 1, 1]
    assert not table.gains.measured.any()
    assert (table.gains.split, str(table.gains.provenance), table.gains.source) == ("", "", "pair-mean")


def test_singles_of_a_model_need_not_gain_nothing() -> None:
    model = PairSumModel(("a", "b"), np.zeros((2, 2)), np.array([0.5, -0.5]), np.zeros(2))
    assert LatticeProblem(model).listed.gains.values.tolist() == [0.5, -0.5, 0.0, 0.0]


def test_what_a_model_hands_through_counts_as_measured() -> None:
    """The pair-mean model of easy gains hands singles and pairs through; larger groups are guesses."""
    known = replace(GAINS, split="valid", provenance=Provenance("made up"), source="trained")
    known = replace(known, measured=np.array([known.label(row) != "a|b" for row in range(15)]))
    problem = LatticeProblem(MODEL, known=known)
    table = problem.listed.gains
    for row in range(15):
        recorded = known.values[known.row(*known.find(table.group(row)))]
        same = np.array_equal(table.values[table.row(row)], recorded)
        assert table.measured[row] == (same and table.label(row) != "a|b")
    assert table.measured[table.sizes == 1].all()
    assert not table.measured.all()
    assert table.split == "valid"
    assert str(table.provenance) == "pair-mean fitted on trained valid gains; made up"
    told = problem.gains_record()
    assert (told["source"], told["split"]) == ("pair-mean", "valid")
    assert (told["groups"], told["measured_groups"]) == (15, 14)
    assert told["provenance"] == table.provenance.to_dict()


@settings(derandomize=True, max_examples=100, deadline=None)
@given(lattice_problems(listing=True))
def test_a_choice_is_worth_the_same_among_all_groups(problem: LatticeProblem) -> None:
    """Even where an objective looks at the whole tensor, as the lower-confidence gain does."""
    groups = all_groups(len(problem.tasks))
    listed = problem.listed
    for start in range(3):
        picked = np.arange(len(groups))[start :: max(1, len(groups) // 3)]
        if not groups[picked].any(axis=0).all():
            continue
        table, rows = problem.table_of(groups[picked])
        assert np.array_equal(table.gains.membership[rows], groups[picked])
        here, there = referee(table, rows), referee(listed, picked)
        assert here.value == there.value
        assert here.task_values == there.task_values
        assert here.problems == there.problems


@pytest.mark.parametrize("objective", [TotalGain(), LowerConfidenceGain()])
def test_a_choice_that_says_no_groups_is_refused(objective: Objective) -> None:
    problem = LatticeProblem(MODEL, objective)
    with pytest.raises(DataError, match="group is empty"):
        problem.table_of(np.array([group("a", "b", "c", "d"), group()]))


def test_a_table_of_too_few_groups_serves_not_everybody() -> None:
    with pytest.raises(DataError, match="No group covers task 'd'"):
        LatticeProblem(MODEL).table_of(np.array([group("a", "b", "c")]))


# Warm starts


def test_locates_a_warm_start() -> None:
    problem = LatticeProblem(MODEL)
    located = problem.locate(named_groups([["d", "a"], ["b"], ["a", "d"], ["c", "c"]]))
    assert np.array_equal(located, np.array([group("a", "d"), group("b"), group("c")]))
    assert problem.locate([]).shape == (0, 4)
    solution = solve(problem.with_budget(2), Listing())
    assert {tuple(np.array(MODEL.tasks)[one]) for one in problem.locate(named_groups(solution))} == {
        one.tasks for one in solution.groups
    }
    with pytest.raises(UsageError, match="Unknown task 'z'"):
        problem.locate(named_groups([["z"]]))
    with pytest.raises(UsageError, match="A warm start is a Solution or a list of groups"):
        named_groups("ab")


# Digests


def test_equal_problems_have_equal_digests() -> None:
    problem = LatticeProblem(MODEL, WeightedGain({"a": 2.0}), (Budget(2), Apart(["a", "b"])))
    same = LatticeProblem(easy_model(), WeightedGain({"a": 2.0, "b": 1.0}), [Budget(2), Apart(["a", "b"])])
    assert problem.digest == same.digest
    assert len(problem.digest) == 64
    assert problem.gains_record()["sha256"] == same.gains_record()["sha256"]
    alone = LatticeProblem(PairMeanModel(("a",), np.full((1, 1), np.nan), np.zeros(1)))
    assert alone.digest == replace(alone).digest


@pytest.mark.parametrize(
    "change",
    [
        {"model": replace(MODEL, pairs=MODEL.pairs + 1e-12)},
        {"model": replace(MODEL, singles=np.array([0, 0, 1e-9, 0]))},
        {"model": replace(MODEL, tasks=("a", "b", "d", "c"))},
        {"model": replace(MODEL, source="tag")},
        {"model": PairSumModel(MODEL.tasks, MODEL.pairs, MODEL.singles, np.zeros(4), source="hoa")},
        {"objective": WorstGain()},
        {"objective": WeightedGain({"a": 2.0})},
        {"objective": Cubes()},
        {"constraints": (Budget(2.5),)},
        {"constraints": (Budget(2), Partition())},
    ],
)
def test_other_problems_have_other_digests(change: dict[str, Any]) -> None:
    problem = LatticeProblem(MODEL, constraints=(Budget(2),))
    assert replace(problem, **change).digest != problem.digest


# The list of all groups


@settings(derandomize=True, max_examples=60, deadline=None)
@given(lattice_problems(max_tasks=3, listing=True))
def test_the_list_of_all_groups_is_the_same_problem(problem: LatticeProblem) -> None:
    """Judged by the referee on every set of groups, which knows nothing of lattices."""
    expected, found = optimum(problem.listed), lattice_optimum(problem)
    assert (expected is None) == (found is None)
    if expected is not None:
        assert found == pytest.approx(expected, abs=1e-9)
