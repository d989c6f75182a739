"""Certificates of the lattice solver that were once false, and runs that did not end."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import (
    Apart,
    Budget,
    Constraint,
    Control,
    GainModel,
    GroupSize,
    LatticeProblem,
    Mandatory,
    MembershipLimit,
    PairMeanModel,
    Partition,
    Solution,
    Status,
    Termination,
    TotalGain,
    UnsupportedError,
    WorstGain,
    all_groups,
    frontier,
    solve,
)
from engine.gains.separable import predict_separable
from engine.testing import check_solution, solve_within
from engine.testing.dice import task_names
from solvers.lattices.enumeration import Enumeration
from solvers.lattices.form import LatticeForm, Prices
from solvers.lattices.table_scan import TableScan
from tests.waiting import HANGING

SOLVER = "solvers.lattice:Lattice"
ROOT = Path(__file__).parents[3]
NO_MEMORY = 1e-9


@dataclass(frozen=True, eq=False)
class Arbitrary:
    """Gains that follow no rule: ``table[code]`` for the group whose task t is bit t of the code."""

    table: NDArray[np.float64]
    source: str = "arbitrary"
    tasks: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", task_names(self.table.shape[1]))

    @classmethod
    def noise(cls, count: int, seed: int, scale: float) -> Arbitrary:
        """Return normal gains, 0 for tasks alone."""
        table = np.random.default_rng(seed).normal(0, 0.3 * scale, (2**count, count))
        table[1 << np.arange(count)] = 0.0
        return cls(table)

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Look the groups up."""
        codes = membership @ (1 << np.arange(len(self.tasks)))
        return np.where(membership, self.table[codes], np.nan)


@dataclass(frozen=True, eq=False)
class Weighted:
    """A separable model with any weights of sizes."""

    tasks: tuple[str, ...]
    pairs: NDArray[np.float64]
    size_weights: NDArray[np.float64]
    source: str = "weighted"

    @property
    def singles(self) -> NDArray[np.float64]:
        """Nothing alone."""
        return np.zeros(len(self.tasks))

    @property
    def offsets(self) -> NDArray[np.float64]:
        """Nothing besides."""
        return np.zeros(len(self.tasks))

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Add up the pairs."""
        return predict_separable(self, membership)


def pair_means(count: int, seed: int, scale: float = 1.0) -> PairMeanModel:
    """Return a random model of pair means."""
    pairs = np.random.default_rng(seed).normal(0.05, 0.4, (count, count)) * scale
    np.fill_diagonal(pairs, 0.0)
    return PairMeanModel(task_names(count), pairs, np.zeros(count))


def balanced(count: int) -> PairMeanModel:
    """Return a model whose full group gains nothing but what rounding leaves."""
    pairs = pair_means(count, count).pairs
    pairs = pairs - pairs.sum(axis=0) / (count - 1)
    np.fill_diagonal(pairs, 0.0)
    return PairMeanModel(task_names(count), pairs, np.zeros(count))


def agree(problem: LatticeProblem, **options: object) -> Solution:
    """Solve to the optimum over the table of all groups."""
    found = solve(problem, SOLVER, threads=1, options=options)
    listed = solve(problem.listed, "branch-and-bound", threads=1)
    assert found.certificate.termination is Termination.COMPLETED
    assert found.status is listed.status
    if listed.value is not None:
        check_solution(problem, found)
        assert found.value == pytest.approx(listed.value, abs=1e-6 * problem.listed.program.scale)
    return found


# False certificates


@pytest.mark.parametrize("demand", [Partition(), Budget(2)])
def test_half_precision_holds_diverged_gains(demand: Constraint, tmp_path: Path) -> None:
    """The first block holds hundredths, another gains of 10^4, far beyond what half precision can tell."""
    model = Arbitrary.noise(14, 1, 1e-2)
    model.table[-1] = 1e3
    model.table[0b10111110111111] = 1e4
    agree(LatticeProblem(model, constraints=(demand,)), memory=NO_MEMORY, cache=str(tmp_path))


@pytest.mark.parametrize("demand", [Partition(), Budget(3)])
def test_pairs_may_count_against_large_groups(demand: Constraint) -> None:
    count = 12
    others = np.maximum(np.arange(count + 1) - 1.0, 1.0)
    pairs = np.random.default_rng(1).normal(-0.2, 0.4, (count, count))
    model = Weighted(task_names(count), pairs, np.where(np.arange(count + 1) > 4, -1.0, 1.0) / others)
    agree(LatticeProblem(model, constraints=(demand,)))


@pytest.mark.parametrize("demand", [Partition(), Budget(3)])
def test_a_table_that_is_not_filled_proves_nothing(demand: Constraint) -> None:
    model = Arbitrary.noise(13, 2, 1.0)
    form = LatticeForm.of(LatticeProblem(model, constraints=(demand,)))
    scan = TableScan(form, 1, 2.0**30)
    scan.fill(Control(time_limit=1e-9))
    if scan.table is not None:
        scan.table.fill(-1.0)  # what memory may hold
    prices, groups = Prices(np.zeros(13), np.zeros(13)), all_groups(13)
    best = form.worth(groups, form.values(groups), prices).max()
    assert Enumeration(form, scan).price(prices, 40, 0.0, Control()).bound >= best - 1e-9


def test_more_pairs_apart_than_bits_of_a_word() -> None:
    model = pair_means(14, 0)
    pairs = list(itertools.combinations(model.tasks, 2))
    np.random.default_rng(0).shuffle(pairs)
    agree(LatticeProblem(model, constraints=tuple(Apart(pair) for pair in pairs[:75])))


def test_mandatory_groups_that_overlap_in_a_partition() -> None:
    demands = (Partition(), Mandatory(["a", "b"]), Mandatory(["b", "c"]))
    solution = solve(LatticeProblem(pair_means(9, 1), constraints=demands), SOLVER, threads=1)
    assert solution.status is Status.INFEASIBLE


def test_mandatory_groups_that_share_a_task_too_often() -> None:
    demands = (MembershipLimit(2), *(Mandatory(["a", other]) for other in "bcd"))
    solution = solve(LatticeProblem(pair_means(9, 1), constraints=demands), SOLVER, threads=1)
    assert solution.status is Status.INFEASIBLE


# Runs that do not end, or end too soon


ODD_CLIQUES = """
import sys
import numpy as np
from engine import Floor, GroupSize, LatticeProblem, PairMeanModel, Partition, solve

pairs = np.full((12, 12), -5.0)
for first in range(0, 12, 3):
    pairs[first:first + 3, first:first + 3] = 0.1
model = PairMeanModel(tuple("abcdefghijkl"), pairs, np.full(12, -9.0))
demands = (Floor(0.0), GroupSize(2, 2), Partition())
print(solve(LatticeProblem(model, constraints=demands), sys.argv[1], threads=1).status.value)
"""


def test_local_search_for_partitions_ends_where_none_is_feasible() -> None:
    """Compiled code cannot be interrupted: moves that only rounding favours must not go round in circles."""
    run = subprocess.run(
        [sys.executable, "-c", ODD_CLIQUES, SOLVER], capture_output=True, text=True, timeout=HANGING, cwd=ROOT
    )
    assert run.stdout.strip() == Status.INFEASIBLE.value, run.stderr[-1000:]


@pytest.mark.parametrize("count", [10, 12])
@pytest.mark.parametrize("worst", [False, True])
def test_a_full_group_that_gains_nothing(count: int, worst: bool) -> None:
    """Singles and the full group tell nothing of how large values are."""
    agree(LatticeProblem(balanced(count), WorstGain() if worst else TotalGain(), (Budget(3),)))


@pytest.mark.parametrize("scale", [1e-9, 1e6])
@pytest.mark.parametrize(
    "demands", [(Budget(3),), (Partition(),), (Partition(), GroupSize(4, 2)), (Budget(4), GroupSize(4, 2))]
)
def test_values_of_any_magnitude(scale: float, demands: tuple[Constraint, ...]) -> None:
    agree(LatticeProblem(pair_means(12, 5, scale), constraints=demands))


@pytest.mark.parametrize(
    "model", [pair_means(16, 2), Arbitrary.noise(15, 2, 1.0)], ids=["pair means", "arbitrary"]
)
def test_a_level_that_only_fractions_reach(model: GainModel) -> None:
    """A level that the relaxation reaches and no grouping does is disproven, or branched on, not given up."""
    agree(LatticeProblem(model, WorstGain(), (Budget(3),)))


# A frontier


@pytest.mark.parametrize("worst", [False, True])
def test_a_frontier_with_a_cache(worst: bool, tmp_path: Path) -> None:
    """What is kept from one budget for the next may not refer to files that are gone."""
    problem = LatticeProblem(
        Arbitrary.noise(13, 3, 1.0),
        WorstGain() if worst else TotalGain(),
        () if worst else (GroupSize(4, 2),),
    )
    options = {"memory": NO_MEMORY, "cache": str(tmp_path)}
    for budget, found in frontier(problem, [3, 4, 5], SOLVER, threads=1, options=options).items():
        listed = solve(problem.with_budget(budget).listed, "branch-and-bound", threads=1)
        assert found.status is listed.status
        assert listed.value is None or found.value == pytest.approx(listed.value, abs=1e-9)
    assert not list(tmp_path.iterdir())


# More tasks than can be enumerated


@dataclass(frozen=True, eq=False)
class Saturating:
    """A model without structure over any number of tasks."""

    effects: NDArray[np.float64]
    source: str = "saturating"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(f"t{task}" for task in range(len(self.effects)))

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Squash the sum of the effects of all members."""
        gains = np.where(
            membership.sum(axis=1, keepdims=True) == 1, 0.0, 0.3 * np.tanh(membership @ self.effects)
        )
        return np.where(membership, gains, np.nan)


@pytest.mark.parametrize("count", [50, 70])
def test_more_groups_than_memory_are_refused_in_words_or_left_unproven(count: int) -> None:
    effects = np.random.default_rng(0).normal(0, 0.3, (count, count))
    problem = LatticeProblem(Saturating(effects), constraints=(Budget(3),))
    try:
        solution = solve_within(problem, SOLVER, 40)
    except UnsupportedError:
        return
    assert solution.status in (Status.FEASIBLE, Status.NONE)
