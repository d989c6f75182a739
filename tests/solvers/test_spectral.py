from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering

from engine import (
    Affinity,
    Budget,
    DataError,
    GainTensor,
    GroupSize,
    Instance,
    Partition,
    Problem,
    Status,
    UsageError,
    WorstGain,
    all_groups,
    solve,
)
from engine.testing import check_solution
from engine.testing.examples import infeasible_problem
from solvers.graphs.clustering import FLOOR, Clustering, Nonnegative, similarities
from solvers.spectral import Spectral, group_budget

TASKS = ("a", "b", "c", "d", "e", "f")


def two_blocks(sizes: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> GainTensor:
    """Six tasks; a, b, c help one another, d, e, f too, and the two blocks hurt each other."""
    member = all_groups(6)
    member = member[np.isin(member.sum(axis=1), sizes)]
    block = np.array([1, 1, 1, -1, -1, -1])
    helped = member @ np.where(block[:, None] == block, 0.1, -0.2) - 0.1
    return GainTensor.from_dense(TASKS, member, np.where(member, helped, np.nan))


def test_finds_the_blocks() -> None:
    for options in ({}, {"nonnegative": "exp"}, {"nonnegative": "clip"}, {"affinity": "projection"}):
        solution = solve(Problem(two_blocks()).with_budget(2), "spectral", options=options)
        assert {group.tasks for group in solution.groups} == {("a", "b", "c"), ("d", "e", "f")}
        assert solution.details["snapped"] == []
        assert solution.details["repaired"] is False
        assert solution.details["method"] == "spectral clusters"


def test_carries_the_dual_bound_and_says_what_it_is() -> None:
    problem = Problem(two_blocks()).with_budget(2)
    solution = solve(problem, "spectral")
    check_solution(problem, solution)
    assert solution.bound is not None
    assert solution.status is Status.OPTIMAL
    assert not Spectral().info.exact
    without = solve(problem, "spectral", presolve=False)
    assert without.bound is not None
    assert without.bound >= solution.bound


def test_bound_on_the_worst_task_holds_below_zero_too() -> None:
    gains = GainTensor.from_groups([{"a": -0.4, "b": -0.5, "c": -0.6}, {"a": -0.3, "b": -0.9}])
    problem = Problem(gains, WorstGain(), (Budget(1),))
    solution = solve(problem, "spectral")
    check_solution(problem, solution)
    assert solution.value == pytest.approx(-0.6)
    assert solution.bound is not None
    assert solution.bound >= -0.6 - 1e-9


def test_snaps_clusters_that_the_tensor_lacks() -> None:
    problem = Problem(two_blocks((1, 2, 4))).with_budget(2)
    covering = solve(problem, "spectral")
    check_solution(problem, covering)
    assert covering.details["method"] == "spectral clusters, snapped to listed groups where not listed"
    for snapped in covering.details["snapped"]:
        assert set(snapped["cluster"]) < set(snapped["group"])
        assert snapped["jaccard"] == pytest.approx(0.75)
    similar = solve(Problem(two_blocks((1, 2, 6))), "spectral", options={"n_clusters": 2, "snap": "jaccard"})
    assert [snapped["jaccard"] for snapped in similar.details["snapped"]] == pytest.approx([2 / 3, 2 / 3])


def test_repairs_what_the_clusters_do_not_meet() -> None:
    for demands in ((Partition(), Budget(2)), (GroupSize(2), Budget(4)), (Partition(), GroupSize(2))):
        problem = Problem(two_blocks(), constraints=demands)
        solution = solve(problem, "spectral")
        check_solution(problem, solution)
        assert solution.found


def test_needs_every_pair_only_if_told_so() -> None:
    gains = two_blocks((1, 3, 6))
    assert solve(Problem(gains).with_budget(2), "spectral").details["affinity"].startswith("least-squares")
    with pytest.raises(DataError, match="affinity='pairs' needs the gains of every pair"):
        solve(Problem(gains).with_budget(2), "spectral", options={"affinity": "pairs"})


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("budget", [1, 2, 3, 9])
def test_few_tasks_and_extreme_budgets(tasks: int, budget: int) -> None:
    member = all_groups(tasks)
    gains = GainTensor.from_dense(
        TASKS[:tasks], member, np.where(member & (member.sum(axis=1) > 1)[:, None], 0.1, 0)
    )
    problem = Problem(gains).with_budget(budget)
    solution = solve(problem, "spectral")
    check_solution(problem, solution)
    assert solution.found


@pytest.mark.parametrize("nonnegative", ["shift", "clip", "exp"])
@pytest.mark.parametrize("value", [0.0, -0.3, 0.4])
def test_constant_affinities_cluster_without_complaint(nonnegative: Nonnegative, value: float) -> None:
    affinity = Affinity(TASKS, np.full((6, 6), value))
    embedding = Clustering(nonnegative).embedding(affinity)
    for count in range(1, 7):
        clusters = embedding.clusters(count, seed=0)
        assert sorted(np.concatenate(clusters).tolist()) == list(range(6))
        assert len(clusters) <= count


@pytest.mark.parametrize("nonnegative", ["shift", "clip", "exp"])
@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_those_of_scikit_learn(nonnegative: Nonnegative, seed: int) -> None:
    rng = np.random.default_rng(seed)
    affinity = Affinity(tuple(f"t{task}" for task in range(12)), rng.normal(size=(12, 12)))
    connected = similarities(affinity, nonnegative) + FLOOR
    np.fill_diagonal(connected, 0.0)
    embedding = Clustering(nonnegative).embedding(affinity)
    for count in range(2, 12):
        method = SpectralClustering(count, affinity="precomputed", assign_labels="cluster_qr")
        labels = method.fit_predict(connected)
        theirs = {tuple(np.flatnonzero(labels == label)) for label in labels}
        assert {tuple(cluster) for cluster in embedding.clusters(count, seed=0)} == theirs


def test_polish_is_an_option_that_the_result_names() -> None:
    problem = Problem(two_blocks((1, 2, 4))).with_budget(3)
    plain, polished = (solve(problem, "spectral", options={"polish": polish}) for polish in (False, True))
    assert plain.value is not None
    assert polished.value is not None
    assert plain.value < polished.value
    assert plain.details["polished"] is False
    assert "polished" not in plain.details["method"]
    assert polished.details["polished"] is True
    assert polished.details["method"].endswith("polished by local search")


def test_a_warm_start_that_the_clusters_do_not_reach_is_named() -> None:
    problem = Problem(two_blocks((1, 2, 4))).with_budget(3)
    best = solve(problem, "brute-force")
    kept = solve(problem, "spectral", warm_start=best)
    assert kept.value == best.value
    assert kept.details["method"] == "the grouping that was given, as nothing better was found"


def test_number_of_clusters_follows_the_budget() -> None:
    gains = two_blocks()
    assert group_budget(Problem(gains).with_budget(3).program) == 3
    half = np.where(gains.sizes == 1, 0.5, 1.0)
    costly = GainTensor(gains.tasks, gains.indptr, gains.members, gains.values, cost=half)
    assert group_budget(Problem(costly).with_budget(2.5).program) == 5


def test_finds_nothing_where_nothing_is() -> None:
    assert not solve(infeasible_problem(), "spectral").found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"affinity": "pair"}, "affinity of solver 'spectral': 'pair'. Did you mean 'pairs'"),
        ({"nonnegative": "abs"}, "Valid: clip, exp, shift"),
        ({"snap": "nearest"}, "Valid: covering, jaccard"),
        ({"n_clusters": 0}, "clusters must be 1 or more"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        Spectral(**options)  # type: ignore[arg-type]


def test_mimic27_is_answered_with_the_clusters_themselves(mimic27: Instance) -> None:
    problem = Problem(mimic27.gains("measured")).with_budget(6)
    solution = solve(problem, "spectral")
    check_solution(problem, solution)
    assert solution.bound == pytest.approx(27 * 0.12134, abs=0.01)
    assert solution.value == pytest.approx(27 * 0.10853, abs=27 * 5e-6)
    assert len(solution.details["snapped"]) == 6
    polished = solve(problem, "spectral", options={"polish": True})
    assert polished.value == pytest.approx(27 * 0.12134, abs=27 * 5e-6)
