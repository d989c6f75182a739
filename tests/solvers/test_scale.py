"""Large pools: memory in proportion to the data, time limits, partial pricing, annealing."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import engine
from engine import Budget, GainTensor, GroupCount, Mandatory, MembershipLimit, Partition, Problem, Status
from engine.gains.bits import pack_rows
from engine.solving.control import Control
from engine.solving.solve import run
from engine.testing import CountedControl, check_solution
from instances.made.generators import noisy_pair_means
from solvers.branch_and_bound import BranchAndBound
from solvers.tables.presolve import annealing, annealing_rounds, choice, pricing
from solvers.tables.presolve.adapter import CompiledKernels
from solvers.tables.presolve.dense import DenseKernels
from solvers.tables.presolve.interface import Multipliers
from solvers.tables.presolve.pricing import PricedKernels

OWN = BranchAndBound(compiled=True)

MEASURED = """
import json, sys
from pathlib import Path
import engine
from engine.testing import solve_within
from instances.made.generators import noisy_pair_means
from solvers.branch_and_bound import BranchAndBound

def peak():
    # That of getrusage begins with the memory of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

own = BranchAndBound(compiled=True)
for groups in (2_000, 60_000):
    pool = noisy_pair_means(80, groups, sizes=(3, 30))
    solve_within(engine.Problem(pool, constraints=(engine.Budget(10),)), own, 40, threads=2)
del pool
before = peak()
tasks, groups, budget, readings = json.loads(sys.argv[1])
gains = noisy_pair_means(tasks, groups, sizes=(3, 40))
problem = engine.Problem(gains, constraints=(engine.Budget(budget),))
found = solve_within(problem, own, readings, threads=2)
print(json.dumps({
    "entries": len(gains.values), "before": before, "peak": peak(), "status": found.status.value,
    "gap": found.gap, "problems": found.certificate.problems,
}))
"""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from Linux's /proc")


def measured(tasks: int, groups: int, budget: int, readings: int) -> dict:
    """Solve a pool within some readings of the clock, in a process of its own."""
    command = [sys.executable, "-c", MEASURED, json.dumps([tasks, groups, budget, readings])]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(told)


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partial pricing and annealing at sizes that other solvers can check."""
    monkeypatch.setattr(choice, "PRICED_ENTRIES", 0)
    monkeypatch.setattr(pricing, "CANDIDATES", 40)
    monkeypatch.setattr(pricing, "SAMPLE", 30)
    monkeypatch.setattr(annealing, "LEAST_CANDIDATES", 30)
    monkeypatch.setattr(annealing_rounds, "ANNEALED_GROUPS", 10)
    monkeypatch.setattr(annealing_rounds, "ANNEALING_MOVES", (2_000, 4_000))


def pool(seed: int = 0, tasks: int = 12, groups: int = 250) -> GainTensor:
    return noisy_pair_means(tasks, groups, sizes=(2, 6), seed=seed)


def costly(gains: GainTensor) -> GainTensor:
    cost = np.random.default_rng(3).choice([0.5, 1.0, 1.7], gains.n_groups)
    return GainTensor(gains.tasks, gains.indptr, gains.members, gains.values, cost=cost)


@linux
def test_memory_is_proportional_to_the_entries() -> None:
    told = measured(400, 150_000, 100, 40)
    # 12 bytes an entry for the tensor; dense membership and gains alone would be 170 more.
    assert told["peak"] - told["before"] < 40 * told["entries"]
    assert told["problems"] == []
    assert told["status"] == "FEASIBLE"
    assert told["gap"] < 0.02


@linux
@pytest.mark.slow
@pytest.mark.parametrize(("budget", "gap"), [(125, 0.03), (250, 0.01)])
def test_a_million_groups_of_500_tasks(budget: int, gap: float) -> None:
    told = measured(500, 1_000_000, budget, 40)
    assert told["peak"] < 4e9
    assert told["gap"] < gap


def test_the_time_limit_is_kept_where_much_is_left_to_do() -> None:
    problem = Problem(noisy_pair_means(200, 80_000, sizes=(3, 40)), constraints=(Budget(22),))
    control = CountedControl(20)
    found = run(problem, "own", OWN, control, {})
    check_solution(problem, found)
    assert found.certificate.termination is engine.Termination.TIME_LIMIT
    assert 20 < control.readings < 40, "it went on when the time was up"
    assert found.bound is not None
    assert found.value is not None
    assert found.value <= found.bound


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "constraints",
    [
        (Budget(4),),
        (Budget(6), GroupCount(at_least=6)),
        (Budget(5), MembershipLimit(2)),
        (Budget(6), Partition()),
        (Budget(5), Mandatory(("task00", "task01"))),
    ],
    ids=repr,
)
def test_partial_pricing_proves_the_optimum(seed: int, constraints: tuple[engine.Constraint, ...]) -> None:
    gains = pool(seed)
    if any(isinstance(one, Mandatory) for one in constraints):
        constraints = (Budget(5), Mandatory(gains.group(40)))
    problem = Problem(gains, constraints=constraints)
    expected = engine.solve(problem, "milp", presolve=False)
    found = engine.solve(problem, OWN)
    check_solution(problem, found)
    assert found.status is expected.status is Status.OPTIMAL
    assert found.value == pytest.approx(expected.value, abs=1e-6)


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("limit", [4.0, 6.3])
def test_partial_pricing_proves_the_optimum_under_a_cost_budget(limit: float) -> None:
    problem = Problem(costly(pool(5)), constraints=(Budget(limit),))
    expected = engine.solve(problem, "milp", presolve=False)
    found = engine.solve(problem, OWN)
    check_solution(problem, found)
    assert found.status is expected.status is Status.OPTIMAL
    assert found.value == pytest.approx(expected.value, abs=1e-6)


@pytest.mark.parametrize("budget", [6, 12])
def test_middle_sized_pools_agree_with_another_solver(budget: int) -> None:
    problem = Problem(noisy_pair_means(24, 3_000, sizes=(3, 12)), constraints=(Budget(budget),))
    found = engine.solve(problem, OWN)
    check_solution(problem, found)
    assert found.status is Status.OPTIMAL
    expected = engine.solve(problem, "cpsat")
    assert expected.status is Status.OPTIMAL
    assert found.value == pytest.approx(expected.value, abs=1e-6)


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("limits", [(Budget(5),), (Budget(5), MembershipLimit(2)), (Partition(), Budget(6))])
def test_the_bound_of_partial_pricing_is_that_of_all_groups(limits: tuple[engine.Constraint, ...]) -> None:
    program = Problem(pool(1), constraints=limits).program
    control = Control(threads=2)
    start = Multipliers(program.best_values, np.zeros(program.n_tasks))
    ascent = PricedKernels(program, control).ascend(start, 0.0, -np.inf, 50)
    whole = DenseKernels(program, control)
    again = whole.ascend(ascent.at, 0.0, -np.inf, 1)
    assert np.allclose(again.values, ascent.values, rtol=0, atol=1e-12)
    assert ascent.bound == pytest.approx(again.bound, abs=1e-12)
    assert ascent.bound < whole.ascend(start, 0.0, -np.inf, 1).bound


@pytest.mark.usefixtures("priced")
def test_the_result_does_not_depend_on_the_number_of_threads() -> None:
    problem = Problem(noisy_pair_means(40, 4_000, sizes=(3, 12), seed=2), constraints=(Budget(8),))
    solver = BranchAndBound(compiled=True, max_nodes=20)
    first, *others = [engine.solve(problem, solver, threads=threads) for threads in (1, 2, 3, 1)]
    for other in others:
        assert other.groups == first.groups
        assert other.value == first.value
        assert other.bound == first.bound
    check_solution(problem, first)


@pytest.mark.usefixtures("priced")
def test_a_frontier_is_no_worse_than_cold_starts_and_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    price = PricedKernels._pass

    def counted(self: PricedKernels, at: Multipliers) -> object:
        passes.append(1)
        return price(self, at)

    monkeypatch.setattr(PricedKernels, "_pass", counted)
    problem = Problem(pool(4, 16, 600))
    budgets = (4, 5, 6, 8)
    together = engine.frontier(problem, budgets, OWN)
    warm = len(passes)
    for budget in budgets:
        alone = engine.solve(problem.with_budget(budget), OWN)
        assert alone.status is together[budget].status is Status.OPTIMAL
        assert together[budget].value == pytest.approx(alone.value, abs=1e-6)
    assert warm < len(passes) - warm


@pytest.mark.parametrize("costs", [False, True])
def test_annealing_keeps_the_limits_and_tells_true_values(costs: bool) -> None:
    gains = costly(pool(7)) if costs else pool(7)
    limit = 5.4 if costs else 5
    held = gains.group(100)
    problem = Problem(gains, constraints=(Budget(limit), Mandatory(held)))
    program = problem.program
    kernels = CompiledKernels(program, Control())
    none = np.zeros(0, dtype=np.int64)
    known = kernels.improve(none, np.ones(program.n_groups, dtype=bool), kernels.floor, 20)
    values = np.random.default_rng(0).normal(size=program.n_groups)
    found = annealing.anneal(program, values, known, Control(threads=2), moves=20_000, stream=1)
    again = annealing.anneal(program, values, known, Control(threads=1), moves=20_000, stream=1)
    assert len(found) == len(annealing.CHAINS)
    for chosen, same in zip(found, again, strict=True):
        assert np.array_equal(chosen, same)
        assert len(set(chosen.tolist())) == len(chosen) <= program.max_groups
        assert program.affords(chosen)
        assert np.flatnonzero(program.mandatory)[0] in chosen
        assert program.value(chosen) >= program.value(known)
    assert max(program.value(chosen) for chosen in found) > program.value(known) - 1e-12


def test_a_tensor_takes_over_what_nobody_can_write_to() -> None:
    gains = pool()
    assert gains.select(np.arange(50)).members.base is None
    same = GainTensor(gains.tasks, gains.indptr, gains.members, gains.values)
    assert same.members is gains.members
    assert same.values is gains.values
    values = gains.values.copy()
    copied = GainTensor(gains.tasks, gains.indptr, gains.members, values)
    view = values[:]
    view.setflags(write=False)
    seen = GainTensor(gains.tasks, gains.indptr, gains.members, view)
    values[-1] += 1.0
    assert copied.digest == seen.digest == gains.digest


def test_a_program_without_demands_shares_the_arrays_of_its_tensor() -> None:
    gains = pool()
    program = Problem(gains, constraints=(Budget(3),)).program
    assert np.shares_memory(program.members, gains.members)
    assert np.shares_memory(program.serve, gains.values)
    assert not program.serve.flags.writeable


def test_groups_are_told_apart_even_where_their_hashes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = noisy_pair_means(130, 400, sizes=(2, 20), seed=1)
    rows = {row: gains.find(gains.group(row)) for row in range(gains.n_groups)}
    assert all(found == (row,) for row, found in rows.items())
    monkeypatch.setattr(
        "engine.gains.row_index.row_keys", lambda indptr, *_: np.zeros(len(indptr) - 1, dtype=np.uint64)
    )
    same = GainTensor(gains.tasks, gains.indptr, gains.members, gains.values)
    assert same.find(same.group(300)) == (300,)
    double = np.r_[gains.members, gains.members[gains.row(300)]]
    with pytest.raises(engine.DataError, match="Rows 301 and 401 are the same group"):
        GainTensor(
            gains.tasks,
            np.r_[gains.indptr, len(double)],
            double,
            np.r_[gains.values, gains.values[gains.row(300)]],
        )
    assert len({bits.tobytes() for bits in pack_rows(gains.indptr, gains.members, 130)}) == gains.n_groups


def test_member_indices_beyond_the_stored_type_are_refused() -> None:
    with pytest.raises(engine.DataError, match="Member indices"):
        GainTensor(("a", "b"), np.array([0, 1]), np.array([2**32]), np.array([0.0]))
