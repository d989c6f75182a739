"""Column generation over the lattice, against every group listed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import (
    Apart,
    Budget,
    Constraint,
    Event,
    Floor,
    Forbidden,
    GainModel,
    GainTensor,
    GroupCount,
    GroupSize,
    Instance,
    Kind,
    LatticeProblem,
    Mandatory,
    MembershipLimit,
    Observer,
    PairMeanModel,
    PairSumModel,
    Partition,
    Solution,
    Status,
    TabulatedModel,
    Termination,
    Together,
    WeightedGain,
    WorstGain,
    all_groups,
    frontier,
    graph_problem,
    selection_value,
    solve,
)
from engine.gains.affinity import Affinity
from engine.testing import check_solution, lattice_optimum, random_lattice_problem, solve_within
from engine.testing.dice import task_names
from engine.testing.random_lattices import NotOfSize
from engine.testing.transforms import reordered
from gain_sources.hoa import Hoa
from tests.waiting import HANGING

SOLVER = "solvers.lattice:Lattice"
TOLERANCE = 1e-6

DEMANDS: dict[str, tuple[Constraint, ...]] = {
    "none": (),
    "budget": (Budget(3),),
    "one group": (Budget(1.5),),
    "exact number": (GroupCount(4, 4),),
    "least number": (GroupCount(None, 12),),
    "sizes": (GroupSize(4, 2), Budget(4)),
    "together": (Together(["a", "c", "e"]), Together(["b", "d"]), Budget(3)),
    "apart": (Apart(["a", "b", "c"]), Apart(["d", "e"]), Budget(4)),
    "mandatory": (Mandatory(["a", "h"]), Mandatory(["b"]), Budget(4)),
    "forbidden": (Forbidden(list("abcdefgh")), Forbidden(["a"]), Budget(2)),
    "partition": (Partition(),),
    "partition of three": (Partition(), GroupCount(3, 3)),
    "partition with sizes": (Partition(), GroupSize(3, 2), Apart(["a", "b"]), Together(["c", "d"])),
    "two memberships": (MembershipLimit(2), Budget(5)),
    "floor": (Floor(-0.1), Budget(4)),
    "floor for some": (Floor(0.3, ["a", "b"]), Budget(3)),
    "floor in a partition": (Partition(), Floor(-0.2, ["c", "d"])),
    "floor and memberships": (MembershipLimit(2), Floor(-0.2), Mandatory(["a", "b"])),
    "a user's own": (NotOfSize(2), Budget(3)),
}


def model_of(kind: str, seed: int, count: int = 8) -> GainModel:
    """Return a random model of a kind."""
    rng = np.random.default_rng(seed)
    tasks, nothing = task_names(count), np.zeros(count)
    pairs = rng.normal(0.05, 0.4, (count, count)).round(3)
    if kind == "hoa":
        return PairMeanModel(tasks, pairs, nothing)
    if kind == "additive":
        values = rng.normal(0, 0.2, (2, count)).round(3)
        return PairSumModel(tasks, pairs / 3, values[0], values[1])
    if kind == "losses":
        return PairMeanModel(tasks, 0.6 - pairs, rng.uniform(0.3, 0.9, count).round(3), quantity="loss")
    member = all_groups(count)
    values = np.where(member, rng.normal(0, 0.3, member.shape).round(3), np.nan)
    return TabulatedModel(GainTensor.from_dense(tasks, member, values, single_task_baseline=False))


def solved(problem: LatticeProblem, **arguments: object) -> Solution:
    """Solve and check."""
    solution = solve(problem, SOLVER, **{"threads": 1, **arguments})  # type: ignore[arg-type]
    check_solution(problem, solution)
    return solution


def same_as_listed(problem: LatticeProblem) -> Solution:
    """Solve over the lattice and over the table of all groups, and compare."""
    solution, listed = solved(problem), solve(problem.listed, "branch-and-bound", threads=1)
    assert solution.status is listed.status
    if listed.value is not None:
        assert solution.value == pytest.approx(listed.value, abs=TOLERANCE * problem.listed.program.scale)
    return solution


# Against all groups


@pytest.mark.parametrize("seed", range(60))
def test_random_problems_of_six_to_ten_tasks(seed: int) -> None:
    kind = (Kind.LATTICE, Kind.LATTICE, Kind.GRAPH)[seed % 3]
    problem = random_lattice_problem(seed, kinds={kind}, min_tasks=6, max_tasks=10, listing=seed % 2 == 0)
    solution, best = solved(problem), lattice_optimum(problem)
    assert solution.status is (Status.INFEASIBLE if best is None else Status.OPTIMAL)
    if best is not None:
        assert solution.value == pytest.approx(best, abs=TOLERANCE * problem.listed.program.scale)


@pytest.mark.parametrize("kind", ["hoa", "additive", "tabulated", "losses"])
@pytest.mark.parametrize("demands", DEMANDS)
def test_every_constraint_on_every_model(kind: str, demands: str) -> None:
    constraints = DEMANDS[demands]
    if kind == "losses":
        constraints = tuple(
            replace(one, value=0.6 - one.value) if isinstance(one, Floor) else one for one in constraints
        )
    same_as_listed(LatticeProblem(model_of(kind, len(demands)), constraints=constraints))


@pytest.mark.parametrize(
    "objective",
    [
        WorstGain(),
        WeightedGain({"a": 0.0, "b": 3.0, "c": -1.0}),
        WeightedGain(dict.fromkeys("abcdefgh", 0.0)),
    ],
)
@pytest.mark.parametrize("kind", ["hoa", "additive", "tabulated"])
@pytest.mark.parametrize("demands", ["budget", "partition", "two memberships", "floor"])
def test_every_objective(objective: WorstGain | WeightedGain, kind: str, demands: str) -> None:
    same_as_listed(LatticeProblem(model_of(kind, 5), objective, DEMANDS[demands]))


@pytest.mark.parametrize("count", [8, 9, 10, 11])
@pytest.mark.parametrize("kind", ["hoa", "additive"])
def test_larger_tables(kind: str, count: int) -> None:
    model = model_of(kind, count, count)
    for demands in ((Budget(2),), (Budget(4),), (Partition(),)):
        same_as_listed(LatticeProblem(model, constraints=demands))


@pytest.mark.parametrize("demands", ["none", "partition", "least number", "floor"])
def test_coarse_values_with_many_ties(demands: str) -> None:
    rng = np.random.default_rng(4)
    model = PairMeanModel(task_names(8), rng.integers(-2, 3, (8, 8)) / 4, np.zeros(8))
    same_as_listed(LatticeProblem(model, constraints=DEMANDS[demands]))


def test_floors_that_values_just_reach() -> None:
    """Means that are thirds and sevenths: whether a floor is met is what the model's own numbers say."""
    rng = np.random.default_rng(8)
    member = all_groups(8)[200:]
    for _ in range(12):
        model = PairMeanModel(task_names(8), rng.integers(-2, 4, (8, 8)) / 10, np.zeros(8))
        value = float(rng.choice(model.predict(member)[member]))
        same_as_listed(LatticeProblem(model, constraints=(Floor(value), Budget(3))))
        same_as_listed(LatticeProblem(model, constraints=(Floor(value, ["a"]), Partition())))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_tasks(count: int) -> None:
    most = 2**count - 1
    several = ((), (Budget(1),), (Partition(),), (GroupCount(None, most),), (GroupCount(None, most + 1),))
    for kind in ("hoa", "additive", "tabulated", "losses"):
        for demands in several:
            same_as_listed(LatticeProblem(model_of(kind, count, count), constraints=demands))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_tasks_does_not_matter(seed: int) -> None:
    problem = LatticeProblem(model_of("hoa", seed, 12), constraints=(Budget(3 + seed),))
    other = reordered(problem, np.random.default_rng(seed))
    assert solved(other).value == pytest.approx(solved(problem).value, abs=1e-9)


def test_a_graph_is_a_lattice_too() -> None:
    matrix = np.random.default_rng(0).normal(0, 1, (10, 10)).round(2)
    problem = graph_problem(Affinity(task_names(10), matrix))
    solution = solved(problem)
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(lattice_optimum(problem))
    hoa = PairMeanModel.from_affinity(Affinity(task_names(10), matrix))
    value = selection_value(hoa, solution)
    best = solved(LatticeProblem(hoa, constraints=(Budget(len(solution.groups)),))).value
    assert value is not None
    assert best is not None
    assert value <= best + 1e-9


# Frontiers


@pytest.mark.parametrize("kind", ["hoa", "tabulated", "losses"])
def test_a_frontier_is_made_of_single_solves(kind: str) -> None:
    problem = LatticeProblem(model_of(kind, 2, 9))
    together = frontier(problem, range(1, 10), SOLVER, threads=1)
    assert list(together) == list(range(1, 10))
    for budget, solution in together.items():
        bounded = problem.with_budget(budget)
        check_solution(bounded, solution)
        assert solution.status is Status.OPTIMAL
        assert solution.value == pytest.approx(solved(bounded).value, abs=1e-9)
    values = [problem.sign * (one.value or 0.0) for one in together.values()]
    assert values == sorted(values)


def test_a_frontier_with_an_infeasible_budget() -> None:
    problem = LatticeProblem(model_of("hoa", 1), constraints=(GroupSize(3),))
    found = frontier(problem, [2, 3, 4], SOLVER, threads=1)
    assert [one.status for one in found.values()] == [Status.INFEASIBLE, Status.OPTIMAL, Status.OPTIMAL]
    assert found[2].conflict == ("groups of at most 3 tasks", "a budget of 2")


# Cut short


class Impatient(Observer):
    """Presses Ctrl-C at the nth report."""

    def __init__(self, patience: int) -> None:
        self.left = patience

    def on_incumbent(self, event: Event) -> None:
        """Count."""
        self.left -= 1
        if self.left <= 0:
            raise KeyboardInterrupt

    on_bound = on_incumbent


HARD = LatticeProblem(model_of("additive", 3, 13), constraints=(Budget(5), MembershipLimit(2)))


@pytest.fixture(scope="module")
def best() -> float:
    """The optimum of the hard problem."""
    solution = solved(HARD)
    assert solution.status is Status.OPTIMAL
    assert solution.value is not None
    return solution.value


@pytest.mark.parametrize("patience", [2, 3, 5, 8, 13])
def test_an_interrupt_returns_the_incumbent_and_a_true_bound(patience: int, best: float) -> None:
    solution = solved(HARD, observers=[Impatient(patience)])
    _is_between(solution, best)
    if solution.certificate.termination is Termination.INTERRUPTED:
        assert len(solution.trace) <= patience
    else:
        assert solution.status is Status.OPTIMAL


@pytest.mark.parametrize("readings", [0, 1, 3, 10, 30, 100])
def test_a_time_limit_returns_the_incumbent_and_a_true_bound(readings: int, best: float) -> None:
    solution = solve_within(HARD, SOLVER, readings)
    check_solution(HARD, solution)
    _is_between(solution, best)
    if solution.status is not Status.OPTIMAL:
        assert solution.certificate.termination is Termination.TIME_LIMIT


def _is_between(solution: Solution, best: float) -> None:
    if solution.value is not None:
        assert solution.value <= best + 1e-9
    if solution.bound is not None:
        assert solution.bound >= best - 1e-9


def test_a_warm_start_is_kept(best: float) -> None:
    first = solved(HARD)
    again = solve_within(HARD, SOLVER, 0, warm_start=first)
    check_solution(HARD, again)
    assert again.value == pytest.approx(best, abs=1e-9)


# Repeatable, and within bounds


@pytest.mark.parametrize("kind", ["hoa", "tabulated"])
def test_the_number_of_threads_changes_no_value(kind: str) -> None:
    problem = LatticeProblem(model_of(kind, 6, 12), constraints=(Budget(4),))
    one, two = solved(problem, threads=1), solved(problem, threads=2)
    assert one.value == pytest.approx(two.value, abs=1e-12)
    assert one.status is two.status is Status.OPTIMAL
    again = solved(problem, threads=1)
    assert (one.groups, one.serving, one.value) == (again.groups, again.serving, again.value)


MEMORY = """
import json, resource, sys
import numpy as np
from engine import Budget, LatticeProblem, PairMeanModel, Partition, all_groups, solve

def model(count):
    rng = np.random.default_rng(count)
    names = tuple(f"t{task}" for task in range(count))
    return PairMeanModel(names, rng.normal(0.05, 0.4, (count, count)), np.zeros(count))

def data():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(fields["VmData"].split()[0]) * 1024

count, ceiling = int(sys.argv[1]), int(sys.argv[2])
for demand in (Budget(3), Partition()):  # what is compiled is no part of the measurement
    solve(LatticeProblem(model(9), constraints=(demand,)), sys.argv[3], threads=1)
limit = data() + ceiling
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    all_groups(count)
    listed = True
except MemoryError:
    listed = False
found = []
for demand in (Budget(3), Partition()):
    solution = solve(LatticeProblem(model(count), constraints=(demand,)), sys.argv[3], threads=1)
    found.append([solution.status.value, solution.value, solution.certificate.verified])
print(json.dumps({"listed": listed, "found": found}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits on data are those of Linux")
def test_memory_is_not_that_of_all_groups() -> None:
    """Twenty tasks within 64 MB, where the list of all groups cannot even be written down."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, "20", str(64 * 2**20), SOLVER],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGING,
        cwd=Path(__file__).parents[3],
    )
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(run.stdout)
    assert not told["listed"]
    assert all(status == Status.OPTIMAL and verified for status, _, verified in told["found"])


# The published gains


GOLDEN = {1: -0.433767, 2: 0.048620, 3: 0.334135, 6: 0.815474, 13: 1.218556, 27: 1.420730}


@pytest.fixture(scope="module")
def mimic27_hoa(mimic27: Instance) -> LatticeProblem:
    """HOA over all 2^27 − 1 groups, fitted on the gains of the validation split."""
    known = mimic27.gains()
    return LatticeProblem(Hoa().fit(known), known=known)


@pytest.mark.parametrize("budget", GOLDEN)
def test_mimic27_hoa_over_the_whole_lattice(mimic27_hoa: LatticeProblem, budget: int) -> None:
    solution = solved(mimic27_hoa.with_budget(budget), threads=2)
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(GOLDEN[budget], abs=1e-5)


def test_mimic27_hoa_partitioned(mimic27_hoa: LatticeProblem) -> None:
    solution = solved(replace(mimic27_hoa, constraints=(Partition(),)), threads=2)
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(1.00752, abs=1e-5)
    assert len(solution.groups) == 15
