"""The testing tools for lattices and graphs: they cover what they promise, and see what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from engine import (
    Budget,
    Claim,
    Feature,
    Floor,
    Kind,
    LatticeProblem,
    Partition,
    Solution,
    UsageError,
    solve,
)
from engine.solving.control import Control
from engine.testing import (
    LatticeConformance,
    check_solution,
    lattice_optimum,
    optimum,
    random_lattice_problem,
)
from engine.testing.lattice_examples import easy_lattice_problem
from engine.testing.random_lattices import LATTICE_FEATURES, NotOfSize
from engine.testing.transforms import renamed, reordered, scaled
from tests.solvers.listing import Listing

EASY = easy_lattice_problem(Kind.LATTICE)


def test_random_problems_cover_every_part_and_both_outcomes() -> None:
    found: Counter[str] = Counter()
    for seed in range(400):
        problem = random_lattice_problem(seed, listing=True, max_tasks=4)
        found.update(problem.features)
        found.update([problem.kind, type(problem.model).__name__, type(problem.objective).__name__])
        found.update(type(one).__name__ for one in problem.constraints)
        found["infeasible" if lattice_optimum(problem) is None else "feasible"] += 1
        found[f"{len(problem.tasks)} tasks"] += 1
    parts = (
        "TotalGain TotalLoss WeightedGain WorstGain LowerConfidenceGain MembershipAverage PricedGain "
        "PairMeanModel PairSumModel TabulatedModel Budget GroupCount GroupSize Together Apart Mandatory "
        "Forbidden Partition MembershipLimit Floor NotOfSize"
    )
    wanted = [*parts.split(), *LATTICE_FEATURES, Kind.LATTICE, Kind.GRAPH, "1 tasks", "4 tasks"]
    assert all(found[part] >= 10 for part in wanted), found
    assert found["feasible"] > 200
    assert found["infeasible"] > 60


def test_random_problems_keep_to_what_is_asked_and_repeat() -> None:
    for seed in range(60):
        asked: dict[str, Any] = {"features": {Feature.SUM, Feature.PARTITION}, "kinds": {Kind.GRAPH}}
        graph = random_lattice_problem(seed, **asked, max_tasks=7)
        assert graph.kind is Kind.GRAPH
        assert graph.features == asked["features"]
        assert graph.digest == random_lattice_problem(seed, **asked, max_tasks=7).digest
        plain = random_lattice_problem(seed, features={Feature.WORST}, kinds={Kind.LATTICE})
        assert plain.features == {Feature.WORST}
        assert not any(isinstance(one, NotOfSize) for one in plain.constraints)


@pytest.mark.parametrize(
    "asked",
    [
        {"features": {Feature.PARTITION}},
        {"features": {Feature.SUM}, "kinds": {Kind.GRAPH}},
        {"kinds": {Kind.TABLE}},
        {"min_tasks": 6, "max_tasks": 5},
    ],
)
def test_random_problems_refuse_what_cannot_be(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        random_lattice_problem(0, **asked)


@pytest.mark.parametrize("seed", range(40))
def test_the_oracle_agrees_with_the_referee_on_every_set(seed: int) -> None:
    problem = random_lattice_problem(seed, max_tasks=3, listing=True)
    best = lattice_optimum(problem)
    assert (best is None) == (optimum(problem.listed) is None)
    if best is not None:
        assert best == pytest.approx(optimum(problem.listed), abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_the_oracle_agrees_with_a_solver_of_tables(seed: int) -> None:
    """Sets of groups of up to five tasks, and partitions of up to seven."""
    kind = (Kind.LATTICE, Kind.GRAPH)[seed % 2]
    problem = random_lattice_problem(seed, kinds={kind}, max_tasks=5 if kind is Kind.LATTICE else 7)
    best, solution = lattice_optimum(problem), solve(problem.listed)
    assert (best is None) == (not solution.found)
    if best is not None:
        assert best == pytest.approx(solution.value, abs=1e-9)


def test_the_oracle_leaves_what_is_large_to_a_solver_of_tables() -> None:
    problem = random_lattice_problem(3, kinds={Kind.LATTICE}, min_tasks=6, max_tasks=6)
    larger = replace(problem, constraints=(Budget(6),))
    assert lattice_optimum(larger) == pytest.approx(solve(larger.listed, "cpsat").value)


@pytest.mark.parametrize("seed", range(30))
def test_what_must_not_change_the_value_does_not(seed: int) -> None:
    problem = random_lattice_problem(seed, max_tasks=4, listing=True)
    best = lattice_optimum(problem)
    names = {name: f"{chr(122 - index)}!" for index, name in enumerate(problem.tasks)}
    others = [
        (1.0, renamed(problem, names)),
        (1.0, reordered(problem, np.random.default_rng(seed))),
        (4.0, scaled(problem, 4.0)),
    ]
    for factor, other in others:
        assert other.features == problem.features
        assert other.kind is problem.kind
        again = lattice_optimum(other)
        assert (again is None) == (best is None)
        if best is not None:
            assert again == pytest.approx(factor * best, abs=1e-9)
    assert set(others[0][1].tasks) == set(names.values())


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, certificate=replace(one.certificate, value=1.0)),
        lambda one: replace(one, certificate=replace(one.certificate, verified=False)),
        lambda one: replace(one, certificate=replace(one.certificate, bound=0.0)),
        lambda one: replace(one, certificate=replace(one.certificate, bound=None)),
        lambda one: replace(one, certificate=replace(one.certificate, digest="")),
        lambda one: replace(one, serving={**one.serving, "d": one.serving["a"]}),
        lambda one: replace(one, groups=(one.groups[0], one.groups[0])),
        lambda one: replace(one, groups=(*one.groups, replace(one.groups[0], tasks=("a", "c")))),
        lambda one: replace(one, tasks=one.tasks[::-1]),
    ],
)
def test_the_checks_see_false_solutions(change: Any) -> None:
    solution = solve(EASY, Listing())
    assert {one.tasks for one in solution.groups} == {("a", "b", "c"), ("d",)}
    check_solution(EASY, solution)
    false = change(solution)
    assert isinstance(false, Solution)
    with pytest.raises(AssertionError):
        check_solution(EASY, false)


@dataclass(frozen=True)
class Careless(Listing):
    """Forgets about floors and whether groups are disjoint, and still claims to be exact."""

    def solve(self, problem: LatticeProblem, control: Control) -> Claim:
        """Solve another problem."""
        demands = [one for one in problem.constraints if not isinstance(one, (Floor, Partition))]
        return super().solve(replace(problem, constraints=demands), control)


@dataclass(frozen=True)
class Lazy(Listing):
    """Puts all tasks in one group where that is allowed, and claims that nothing is better."""

    def solve(self, problem: LatticeProblem, control: Control) -> Claim:
        """Claim too much."""
        outcome = super().solve(problem, control)
        full = np.ones((1, len(problem.tasks)), dtype=bool)
        table, rows = problem.table_of(full)
        value = solve(table).value
        if outcome.rows is not None and value is not None and len(rows):
            control.rows, control.value = None, -np.inf
            return Claim(full, bound=problem.sign * value)
        return outcome


@pytest.mark.parametrize("wrong", [Careless, Lazy])
def test_the_suite_sees_wrong_solvers(wrong: type[Listing]) -> None:
    suite = type("Suite", (LatticeConformance,), {"solver": wrong})()
    failed = 0
    for seed in range(24):
        try:
            suite.test_agrees_with_every_set_of_groups(seed)
        except AssertionError:
            failed += 1
    assert failed >= 3
