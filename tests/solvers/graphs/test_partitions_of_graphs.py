"""Every solver of graph problems against every partition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import (
    Affinity,
    Apart,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    Instance,
    LatticeProblem,
    Mandatory,
    Observer,
    PairMeanModel,
    PairSumModel,
    Partition,
    Solution,
    Status,
    Termination,
    Together,
    UsageError,
    WeightedGain,
    graph_problem,
    pair_affinity,
    selection_value,
    solve,
)
from engine.solving.solution import Event
from engine.testing import check_solution, solve_within
from instances.made.generators import low_rank_affinity
from tests.solvers.graphs.graphs import affinity, random_graph

EXACT: list[tuple[str, dict[str, Any]]] = [
    ("branch-and-cut", {}),
    ("branch-and-cut", {"relaxation": "linear"}),
    ("branch-and-cut", {"relaxation": "semidefinite"}),
    ("cpsat", {}),
]
HEURISTIC: list[tuple[str, dict[str, Any]]] = [
    ("local-search", {"iterations": 10}),
    ("local-search", {"iterations": 10, "compiled": True}),
    ("spectral", {}),
    ("spectral", {"polish": False, "laplacian": "signed"}),
    ("spectral", {"polish": False, "clusters": "eigengap", "nonnegative": "exp"}),
    ("louvain", {}),
    ("louvain", {"nonnegative": "shift", "polish": True}),
    ("agglomerative", {}),
    ("agglomerative", {"linkage": "average"}),
    ("agglomerative", {"linkage": "complete", "polish": True}),
]
SEEDS = range(24)


def labelled(runs: list[tuple[str, dict[str, Any]]]) -> Any:
    return pytest.mark.parametrize(
        ("name", "options"),
        runs,
        ids=["-".join([name, *map(str, options.values())]) for name, options in runs],
    )


@pytest.fixture(scope="module")
def optima() -> dict[int, Solution]:
    return {seed: solve(random_graph(seed), "brute-force", threads=1) for seed in SEEDS}


def run(problem: LatticeProblem, name: str, **arguments: Any) -> Solution:
    solution = solve(problem, name, threads=1, **arguments)
    check_solution(problem, solution)
    return solution


@labelled(EXACT)
def test_exact_solvers_prove_the_optimum(
    name: str, options: dict[str, Any], optima: dict[int, Solution]
) -> None:
    for seed, best in optima.items():
        solution = run(random_graph(seed), name, options=options)
        assert solution.status is best.status, seed
        if best.found:
            assert solution.value == pytest.approx(best.value, abs=1e-6), seed
            assert solution.bound >= best.value - 1e-9  # type: ignore[operator]


@labelled(HEURISTIC)
def test_heuristics_stay_between_the_demands_and_the_bound(
    name: str, options: dict[str, Any], optima: dict[int, Solution]
) -> None:
    for seed, best in optima.items():
        solution = run(random_graph(seed), name, options=options)
        if not best.found:
            assert solution.status in (Status.NONE, Status.INFEASIBLE)
            continue
        assert solution.found, seed
        assert solution.value <= best.value + 1e-9  # type: ignore[operator]
        assert solution.bound >= best.value - 1e-9  # type: ignore[operator]


def test_local_search_finds_the_optimum_of_small_graphs(optima: dict[int, Solution]) -> None:
    for seed, best in optima.items():
        solution = solve(random_graph(seed), "local-search", options={"iterations": 20}, threads=1)
        assert solution.value == pytest.approx(best.value)


@labelled([*EXACT[1:3], *HEURISTIC])
def test_scaling_scales_and_equal_seeds_agree(name: str, options: dict[str, Any]) -> None:
    given = affinity(12, 3)
    first = run(graph_problem(given), name, options=options, seed=5)
    again = run(graph_problem(given), name, options=options, seed=5)
    assert again.groups == first.groups
    larger = run(graph_problem(Affinity(given.tasks, 1000 * given.matrix)), name, options=options, seed=5)
    assert larger.value == pytest.approx(1000 * (first.value or 0.0))


@labelled(EXACT[:3])
def test_order_of_tasks_means_nothing(name: str, options: dict[str, Any]) -> None:
    given = affinity(14, 4)
    order = np.random.default_rng(0).permutation(14)
    other = Affinity(tuple(given.tasks[task] for task in order), given.matrix[np.ix_(order, order)])
    demands = [GroupSize(at_most=4), Apart(["t1", "t2"])]
    first = run(graph_problem(given, demands), name, options=options)
    again = run(graph_problem(other, demands), name, options=options)
    assert first.status is again.status is Status.OPTIMAL
    assert again.value == pytest.approx(first.value)


@pytest.mark.parametrize("relaxation", ["linear", "semidefinite"])
@pytest.mark.parametrize(
    "demands",
    [
        [GroupCount(at_most=3, at_least=3)],
        [GroupCount(at_most=2)],
        [GroupCount(at_least=6)],
        [GroupSize(at_most=3), GroupSize(at_least=2)],
        [Together(["t0", "t1"]), Apart(["t1", "t2", "t3"])],
        [Mandatory(["t0", "t5"]), Forbidden(["t1"])],
        [Floor(0.0)],
        [Floor(0.5, ["t2"]), GroupCount(at_most=4)],
    ],
    ids=lambda demands: "; ".join(one.describe() for one in demands),
)
def test_each_demand_on_nine_tasks(relaxation: str, demands: list[Any]) -> None:
    problem = graph_problem(affinity(9, 11), demands)
    best = run(problem, "brute-force")
    solution = run(problem, "branch-and-cut", options={"relaxation": relaxation})
    assert solution.status is best.status
    assert solution.value == (None if best.value is None else pytest.approx(best.value, abs=1e-6))


@labelled(EXACT)
def test_impossible_demands_are_named(name: str, options: dict[str, Any]) -> None:
    clash = [Together(["t0", "t1"]), Apart(["t1", "t0"]), GroupCount(at_most=5)]
    solution = run(graph_problem(affinity(6, 1), clash), name, options=options)
    assert solution.status is Status.INFEASIBLE
    assert set(solution.conflict) - {"disjoint groups"} == {"'t0' and 't1' together", "'t1' and 't0' apart"}
    crowd = [Apart(["t0", "t1", "t2"]), GroupCount(at_most=2), GroupSize(at_most=5)]
    solution = run(graph_problem(affinity(6, 1), crowd), name, options=options)
    assert solution.status is Status.INFEASIBLE
    assert "at most 2 groups" in solution.conflict
    assert "groups of at most 5 tasks" not in solution.conflict


@labelled([*EXACT, ("local-search", {}), ("spectral", {})])
def test_weighted_tasks(name: str, options: dict[str, Any]) -> None:
    given = affinity(7, 2)
    problem = graph_problem(given)
    weighted = LatticeProblem(
        problem.model, WeightedGain({f"t{task}": 1.0 + task for task in range(7)}), problem.constraints
    )
    best = run(weighted, "brute-force")
    solution = run(weighted, name, options=options)
    assert (solution.value or 0.0) <= (best.value or 0.0) + 1e-9
    if name in ("branch-and-cut", "cpsat"):
        assert solution.value == pytest.approx(best.value)


@labelled([("brute-force", {}), *EXACT, *HEURISTIC])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_tasks(name: str, options: dict[str, Any], n: int) -> None:
    for demands in (
        [],
        [GroupCount(at_least=n)],
        [Mandatory(["t0"])],
        [Mandatory([f"t{t}" for t in range(n)])],
    ):
        solution = run(graph_problem(affinity(n, 5), demands), name, options=options)
        assert solution.found
        assert selection_value(PairMeanModel.from_affinity(affinity(n, 5)), solution) is not None


class _Interrupt(Observer):
    def __init__(self) -> None:
        self.bounds = 0

    def on_bound(self, event: Event) -> None:
        self.bounds += 1
        if event.value is not None:
            raise KeyboardInterrupt


@pytest.mark.parametrize("relaxation", ["linear", "semidefinite"])
def test_interrupt_keeps_value_and_bound(relaxation: str) -> None:
    problem = graph_problem(affinity(40, 6))
    observer = _Interrupt()
    solution = run(problem, "branch-and-cut", options={"relaxation": relaxation}, observers=[observer])
    assert observer.bounds > 0
    assert solution.certificate.termination is Termination.INTERRUPTED
    assert solution.found
    assert solution.bound is not None
    assert solution.bound >= (solution.value or 0.0)


@pytest.mark.parametrize("name", ["branch-and-cut", "cpsat", "local-search", "spectral", "brute-force"])
def test_time_limit_is_kept_and_the_bound_holds(name: str) -> None:
    problem = graph_problem(affinity(10 if name == "brute-force" else 60, 6))
    for readings in (0, 1, 5):
        solution = solve_within(problem, name, readings)
        check_solution(problem, solution)
        if solution.status is not Status.OPTIMAL:
            assert solution.certificate.termination is Termination.TIME_LIMIT
        if name == "branch-and-cut":
            assert solution.bound is not None
            assert solution.status is not Status.OPTIMAL


def test_warm_start_is_never_made_worse() -> None:
    problem = graph_problem(affinity(30, 9), [GroupSize(at_most=5)])
    best = run(problem, "local-search", seed=1)
    for name in ("branch-and-cut", "local-search", "louvain", "agglomerative", "spectral", "cpsat"):
        again = solve_within(problem, name, 50, warm_start=best, seed=2)
        check_solution(problem, again)
        assert (again.value or 0.0) >= (best.value or 0.0) - 1e-9


def test_frontier_over_the_number_of_groups() -> None:
    problem = graph_problem(affinity(10, 12))
    values = [run(problem.with_budget(count), "branch-and-cut").value or 0.0 for count in range(1, 11)]
    assert values == sorted(values)


@labelled([*EXACT, ("local-search", {"iterations": 20}), ("spectral", {}), ("agglomerative", {})])
def test_losses_are_minimised_below_ceilings(name: str, options: dict[str, Any]) -> None:
    given = affinity(8, 13)
    model = PairSumModel(
        given.tasks, given.symmetrised() / 2, np.zeros(8), np.zeros(8), source="losses", quantity="loss"
    )
    for demands in ([], [Floor(0.3)], [Floor(0.6, ["t0", "t3"]), GroupSize(at_least=2)]):
        problem = LatticeProblem(model, constraints=(Partition(), *demands))
        best = run(problem, "brute-force")
        solution = run(problem, name, options=options)
        assert best.found
        assert solution.found
        assert solution.value >= best.value - 1e-9  # type: ignore[operator]
        if name in ("branch-and-cut", "cpsat"):
            assert solution.value == pytest.approx(best.value)
            assert solution.status is Status.OPTIMAL


def test_generated_graphs_repeat_themselves_and_are_proven() -> None:
    given = low_rank_affinity(45, seed=2)
    assert (given.matrix == low_rank_affinity(45, seed=2).matrix).all()
    assert (given.matrix != low_rank_affinity(45, seed=3).matrix).any()
    assert given.matrix.std() == pytest.approx(0.05, rel=0.3)
    problem = graph_problem(given)
    best = run(problem, "branch-and-cut")
    assert best.status is Status.OPTIMAL
    for name in ("spectral", "louvain", "agglomerative", "local-search"):
        assert run(problem, name).value <= best.value + 1e-9  # type: ignore[operator]
    with pytest.raises(UsageError, match="must be positive"):
        low_rank_affinity(5, rank=0)


def test_mimic27_is_proven(mimic27: Instance) -> None:
    pairs = pair_affinity(mimic27.gains())
    assert pairs is not None
    solution = run(graph_problem(pairs), "branch-and-cut")
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(1.560395)
    assert selection_value(PairMeanModel.from_affinity(pairs), solution) == pytest.approx(0.4113475)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("branch-and-cut", {"relaxation": "cubic"}, "relaxation of solver 'branch-and-cut'"),
        ("branch-and-cut", {"iterations": -1}, "iterations of 0 or more"),
        ("louvain", {"nonnegative": "abs"}, "nonnegative of solver 'louvain'"),
        ("louvain", {"resolution": 0.0}, "resolution must be a number above 0"),
        ("agglomerative", {"linkage": "single"}, "linkage of solver 'agglomerative'"),
        ("spectral", {"laplacian": "random"}, "laplacian of solver 'spectral'"),
        ("spectral", {"clusters": "many"}, "clusters of solver 'spectral'"),
    ],
)
def test_options_are_checked(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        solve(graph_problem(affinity(4, 0)), name, options=options)


def test_brute_force_refuses_what_would_take_too_long() -> None:
    with pytest.raises(UsageError, match="partitions of 14 tasks"):
        solve(graph_problem(affinity(14, 0)), "brute-force")


@pytest.mark.parametrize("options", [{"laplacian": "signed"}, {"clusters": "eigengap"}, {"clusters": "best"}])
def test_spectral_variants_serve_tables_too(options: dict[str, Any]) -> None:
    problem = LatticeProblem(graph_problem(affinity(6, 3)).model).listed.with_budget(3)
    solution = solve(problem, "spectral", options=options, threads=1)
    check_solution(problem, solution)
    assert solution.found
    if options == {"clusters": "best"}:
        fixed = solve(problem, "spectral", options={"clusters": "budget"}, threads=1)
        assert solution.value >= fixed.value  # type: ignore[operator]


def nested(affinities: dict[str, dict[str, float]]) -> Affinity:
    """Return the affinity of one task (outer) on others (inner)."""
    tasks = tuple(affinities)
    matrix = [[affinities[task].get(other, 0.0) for other in tasks] for task in tasks]
    return Affinity(tasks, np.array(matrix))


HARMFUL = nested(
    {
        "seg": {"depth": -0.05, "norm": -0.02},
        "depth": {"seg": -0.03, "norm": -0.04},
        "norm": {"seg": -0.02, "depth": -0.01},
    }
)
ONE_HELPFUL_PAIR = nested(
    {
        "seg": {"depth": 0.05, "norm": -0.02, "edge": -0.03},
        "depth": {"seg": 0.03, "norm": -0.04, "edge": -0.03},
        "norm": {"seg": -0.02, "depth": -0.01, "edge": -0.2},
        "edge": {"seg": -0.02, "depth": -0.01, "norm": -0.2},
    }
)


@pytest.mark.parametrize("nonnegative", ["clip", "shift"])
def test_louvain_links_no_tasks_that_all_harm_one_another_alike(nonnegative: str) -> None:
    alike = Affinity(tuple("abcde"), np.full((5, 5), -0.1) + 0.1 * np.eye(5))
    solution = run(graph_problem(alike), "louvain", options={"nonnegative": nonnegative})
    assert len(solution.groups) == 5
    assert solution.value == 0.0


def test_louvain_ties_helpful_pairs_only() -> None:
    solution = run(graph_problem(HARMFUL), "louvain")
    assert len(solution.groups) == 3
    assert solution.value == 0.0
    solution = run(graph_problem(ONE_HELPFUL_PAIR), "louvain")
    assert {group.tasks for group in solution.groups} == {("seg", "depth"), ("norm",), ("edge",)}
    assert solution.value == pytest.approx(0.04)
    assert solution.details["method"] == "Louvain communities"
