"""Published grouping problems by name: golden values, and the definitions computed by hand."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import (
    OBJECTIVES,
    Affinity,
    DataError,
    GainTensor,
    LatticeProblem,
    MembershipAverage,
    PairMeanModel,
    Problem,
    Status,
    TagScore,
    TotalLoss,
    UnsupportedError,
    UsageError,
    all_groups,
    read_affinity,
    solve,
    standley_problem,
    tabulate,
    tag_problem,
    wang_problem,
)

GROUPS_OF_TAG = {
    2: {("edge2d_l", "key_l"), ("depth_l", "norm_l", "ss_l")},
    3: {("depth_l", "ss_l"), ("depth_l", "norm_l"), ("edge2d_l", "key_l")},
}
TAG_OBJECTIVES = {("tag", 2): 0.3217, ("tag", 3): 0.3487, ("cosine", 2): 1.470, ("cosine", 3): 1.604}
STANDLEY_TEST_LOSS = {1: 0.50278, 1.5: 0.46132, 3: 0.44235, 5: 0.43481}


def affinity(count: int, seed: int = 0) -> Affinity:
    matrix = np.random.default_rng(seed).normal(size=(count, count))
    return Affinity(tuple("abcdefghijklmnopqrstuvwxyz"[:count]), matrix)


def groups_of(count: int) -> list[tuple[int, ...]]:
    return [group for size in range(1, count + 1) for group in combinations(range(count), size)]


@pytest.mark.parametrize(("name", "groups"), TAG_OBJECTIVES)
def test_the_published_groups_of_tag_are_the_optimum(data_dir: Path, name: str, groups: int) -> None:
    table = read_affinity(data_dir / "tag" / f"{name}_taskonomy_affinity.json", outer="recipient")
    problem = tag_problem(table, groups)
    figure = TAG_OBJECTIVES[name, groups]
    unit = 10.0 ** -len(f"{figure}".partition(".")[2])
    for one, solver in (
        (problem, "subset-dp"),
        (problem.listed, "branch-and-bound"),
        (problem.listed, "milp"),
    ):
        found = solve(one, solver)
        assert found.status is Status.OPTIMAL
        assert {tuple(sorted(group.tasks)) for group in found.groups} == GROUPS_OF_TAG[groups]
        assert found.value == pytest.approx(figure, abs=0.5001 * unit)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_tag_is_the_mean_of_the_best_mean_affinity(groups: int) -> None:
    given = affinity(5)
    best = -np.inf
    for count in range(1, groups + 1):
        for chosen in combinations(groups_of(5), count):
            score = np.full(5, -np.inf)
            for group in chosen:
                for task in group:
                    others = [given.matrix[other, task] for other in group if other != task]
                    score[task] = max(score[task], np.mean(others) if others else -1e6)
            best = max(best, float(score.mean()))
    problem = tag_problem(given, groups)
    assert problem.objective.task_weights(problem.tasks) == pytest.approx(np.full(5, 0.2))
    assert solve(problem, "subset-dp").value == pytest.approx(best)
    # The objective by its name does the same to a table that values tasks alone at 0.
    table = tabulate(PairMeanModel.from_affinity(given), all_groups(5))
    by_name = Problem(table, OBJECTIVES.load("tag")(), [engine.GroupCount(groups)])
    assert solve(by_name, "subset-dp").value == pytest.approx(best)
    assert solve(by_name, "cpsat").value == pytest.approx(best)


def test_a_task_alone_is_chosen_where_nothing_else_can_be() -> None:
    alone = solve(tag_problem(affinity(1), 1), "subset-dp")
    assert alone.value == -1e6
    table = GainTensor.from_groups([{"a": 0.4, "b": 0.2}, {"c": 0.0}, {"a": 0.0}])
    forced = solve(Problem(table, TagScore()), "branch-and-bound")
    assert forced.value == pytest.approx((0.4 + 0.2 - 1e6) / 3)
    assert solve(Problem(table, TagScore(alone=None))).value == pytest.approx(0.2)
    with pytest.raises(UsageError, match="alone"):
        TagScore(alone=float("nan"))


def test_over_a_lattice_tag_lists_the_groups_where_tasks_alone_have_a_value_of_their_own() -> None:
    model = PairMeanModel.from_affinity(affinity(6, 2))
    own = LatticeProblem(model, TagScore(), [engine.GroupCount(3)])
    assert own.task_weights is None
    assert solve(own, "subset-dp").value == pytest.approx(solve(tag_problem(affinity(6, 2), 3)).value)


@pytest.mark.parametrize(("tasks", "groups"), [(4, 2), (4, 4), (5, 3)])
def test_wang_counts_every_membership_and_the_diagonal(tasks: int, groups: int) -> None:
    given = affinity(tasks, 1)
    worth = {group: given.matrix[np.ix_(group, group)].sum() / len(group) for group in groups_of(tasks)}
    best = max(
        sum(worth[group] for group in chosen)
        for chosen in combinations(worth, groups)
        if len({task for group in chosen for task in group}) == tasks
    )
    problem = wang_problem(given, groups)
    assert isinstance(problem.objective, OBJECTIVES.load("wang"))
    assert isinstance(problem.objective, MembershipAverage)
    for solver in ("subset-dp", "branch-and-bound", "cpsat", "milp"):
        found = solve(problem, solver)
        assert found.status is Status.OPTIMAL
        assert found.value == pytest.approx(best)
        assert len(found.groups) == len({group.tasks for group in found.groups}) == groups


def test_wang_needs_the_diagonal_and_few_tasks() -> None:
    matrix = affinity(3).matrix.copy()
    matrix[1, 1] = np.nan
    with pytest.raises(DataError, match="'b' on itself"):
        wang_problem(Affinity(("a", "b", "c"), matrix), 2)
    with pytest.raises(UnsupportedError, match="17 tasks"):
        wang_problem(affinity(17), 2)


def test_standleys_budgets_on_the_published_losses(data_dir: Path) -> None:
    instance = engine.load_instance("standley1", data_dir)
    evaluation = instance.evaluation()
    assert evaluation is not None
    losses = instance.gains()
    half = {losses.group(row)[0]: float(losses.values[losses.row(row)][0]) for row in range(5)}
    assert set(losses.cost[:5]) == {0.5}
    standard = losses.select(np.arange(5, losses.n_groups))
    for budget, figure in STANDLEY_TEST_LOSS.items():
        built = standley_problem(standard, budget, half_size=half)
        assert built.gains.digest == losses.digest
        for problem in (built, standley_problem(losses, budget)):
            found = solve(problem)
            assert found.status is Status.OPTIMAL
            assert found.cost <= budget
            assert found.evaluate(evaluation).total == pytest.approx(figure, abs=0.51e-5)


def test_standleys_half_size_networks_cost_a_half() -> None:
    losses = GainTensor.from_groups([{"a": 0.5, "b": 0.6}, {"a": 0.2}, {"b": 0.4}], quantity="loss")
    half = {"a": 0.3, "b": 0.45}
    totals = {1: 0.3 + 0.45, 1.5: 0.2 + 0.45, 2: 0.2 + 0.4}
    for budget, total in totals.items():
        problem = standley_problem(losses, budget, half_size=half)
        assert isinstance(problem.objective, OBJECTIVES.load("standley"))
        assert isinstance(problem.objective, TotalLoss)
        for solver in ("branch-and-bound", "cpsat", "milp", "brute-force"):
            assert solve(problem, solver).value == pytest.approx(total)
    assert solve(standley_problem(losses, 1)).value == pytest.approx(1.1)


def test_standley_refuses_what_is_no_loss() -> None:
    losses = GainTensor.from_groups([{"a": 0.5, "b": 0.6}], quantity="loss")
    with pytest.raises(UsageError, match="losses"):
        standley_problem(GainTensor.from_groups([{"a": 0.0}]), 1)
    with pytest.raises(UsageError, match="task 'c'"):
        standley_problem(losses, 1, half_size={"c": 0.1})
    with pytest.raises(DataError, match="half-size loss of task 'a'"):
        standley_problem(losses, 1, half_size={"a": float("nan")})
    with pytest.raises(UsageError, match="TotalLoss"):
        TagScore().coefficients(losses)
