"""Bounds of the relaxations, from any multipliers and within any decisions."""

from __future__ import annotations

import numpy as np
import pytest

from engine import graph_problem
from engine.solving.control import Control
from solvers.graphs.augmented import Augmented
from solvers.graphs.enumeration import bell, growth_strings
from solvers.graphs.form import Graph
from solvers.graphs.pairs import Pairs, closure
from solvers.graphs.rows import Rows, dual_bound
from solvers.graphs.separation import violated_stars, violated_triangles
from solvers.graphs.simplex import Simplex
from tests.solvers.graphs.graphs import affinity, demands


def best_within(graph: Graph, pairs: Pairs, lower: np.ndarray, upper: np.ndarray) -> float:
    """The best value, without the base, of any allowed partition within bounds on the pairs."""
    best = -np.inf
    for labels in growth_strings(graph.n).astype(np.int64):
        x = (labels[pairs.first] == labels[pairs.second]).astype(float)
        if (x >= lower).all() and (x <= upper).all() and graph.feasible(labels):
            best = max(best, graph.value(labels) - graph.base)
    return best


@pytest.mark.parametrize("make", [Simplex, Augmented])
@pytest.mark.parametrize("seed", range(8))
def test_no_partition_lies_beyond_the_bound(make: type[Simplex] | type[Augmented], seed: int) -> None:
    graph = Graph.of(graph_problem(affinity(7, seed), demands(7, seed) if seed % 2 else []))
    if graph.contradiction or graph.n < 3:
        pytest.skip("nothing to bound")
    pairs = Pairs(graph.n)
    rng = np.random.default_rng(seed)
    relaxation = Simplex(graph, pairs) if make is Simplex else Augmented(graph, pairs, Control())
    for trial in range(4):
        lower, upper = np.zeros(pairs.m), 1.0 - pairs.vector(graph.apart.astype(float))
        if trial:
            decided = rng.choice(pairs.m, 2, replace=False)
            lower[decided[0]] = upper[decided[0]]
            upper[decided[1]] = lower[decided[1]]
        target = -np.inf if trial % 2 else float(np.abs(graph.weights).sum()) / 4
        looks = iter([False] * (5 * trial) + [True] * 1000)
        relaxed = relaxation.solve(None, lower, upper, target, lambda *_, looks=looks: next(looks))
        best = best_within(graph, pairs, lower, upper)
        assert relaxed.bound >= best - 1e-9
        # Moving a pair against the sign of its reduced weight costs at least that much.
        for pair in np.flatnonzero(lower < upper)[::3]:
            forced_lower, forced_upper = lower.copy(), upper.copy()
            if relaxed.reduced[pair] > 0:
                forced_upper[pair] = 0.0
            else:
                forced_lower[pair] = 1.0
            other = best_within(graph, pairs, forced_lower, forced_upper)
            assert relaxed.bound - abs(relaxed.reduced[pair]) >= other - 1e-9


def test_any_multipliers_bound() -> None:
    graph = Graph.of(graph_problem(affinity(6, 2)))
    pairs = Pairs(6)
    corners = np.array(
        [[i, k, j] for j in range(6) for i in range(6) for k in range(i + 1, 6) if j not in (i, k)]
    )
    rows = Rows.triangles(pairs, corners)
    best = best_within(graph, pairs, np.zeros(pairs.m), np.ones(pairs.m))
    rng = np.random.default_rng(0)
    for scale in (0.0, 0.01, 1.0, 100.0):
        multipliers = scale * rng.random(len(rows))
        bound, _ = dual_bound(pairs.vector(graph.weights), rows, multipliers, np.zeros(15), np.ones(15))
        assert bound >= best


def test_separated_rows_hold_for_every_partition_and_not_for_the_point() -> None:
    pairs = Pairs(6)
    rng = np.random.default_rng(3)
    partitions = growth_strings(6).astype(np.int64)
    points = (partitions[:, pairs.first] == partitions[:, pairs.second]).astype(float)
    for trial in range(20):
        x = pairs.matrix(rng.random(pairs.m), 1.0)
        if trial == 0:  # the star around node 0 is violated, no triangle is
            x = pairs.matrix(np.where(pairs.first == 0, 0.5, 0.0), 1.0)
            assert len(violated_triangles(pairs, x, 1e-6, 100)) == 0
        for separate in (violated_triangles, violated_stars):
            rows = separate(pairs, x, 1e-6, 1000)
            assert trial or separate is violated_triangles or len(rows)
            for row in range(len(rows)):
                entries = slice(rows.indptr[row], rows.indptr[row + 1])
                columns, coefficients = rows.columns[entries], rows.coefficients[entries]
                assert (points[:, columns] @ coefficients <= rows.limits[row]).all()
                assert pairs.vector(x)[columns] @ coefficients > rows.limits[row]


def test_closure_completes_and_refuses() -> None:
    graph = Graph.of(graph_problem(affinity(5, 1)))
    together, apart = np.zeros((2, 5, 5), dtype=bool)
    together[0, 1] = together[1, 0] = together[1, 2] = together[2, 1] = True
    apart[2, 3] = apart[3, 2] = True
    closed = closure(graph, together, apart)
    assert closed is not None
    assert closed[0][0, 2]
    assert closed[1][0, 3]
    assert not closed[0][0, 4]
    apart[0, 2] = apart[2, 0] = True
    assert closure(graph, together, apart) is None


def test_partitions_are_listed_once() -> None:
    for count in range(1, 8):
        labels = growth_strings(count)
        assert len(labels) == bell(count) == len({tuple(row) for row in labels.tolist()})
    assert [bell(count) for count in (0, 1, 5, 10)] == [1, 1, 52, 115975]


def test_both_chains_take_the_same_walk() -> None:
    from solvers.graphs.chains import chain, compiled_chain
    from solvers.graphs.moves import Penalties
    from solvers.graphs.search import Search

    for seed in range(12):
        problem = graph_problem(affinity(9, seed), demands(9, seed))
        graph = Graph.of(problem)
        if graph.contradiction or graph.n < 2:
            continue
        penalties = Penalties.of(graph)
        start = Search(graph, Control(), np.random.default_rng(seed), compiled=False)._random()
        one = np.unique(start, return_inverse=True)[1].astype(np.int64)
        other = one.copy()
        before = penalties.score(one)
        risen = chain(penalties, one, 20)
        assert risen == pytest.approx(compiled_chain(penalties, other, 20), abs=1e-6)
        assert (one == other).all()
        assert penalties.score(one) - before == pytest.approx(risen, abs=1e-6)
