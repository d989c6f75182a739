"""Without a time limit, how fast the machine is and what else it does change nothing in the result."""

from __future__ import annotations

import itertools

import pytest

from engine import Budget, Kind, Problem, Solution, UnsupportedError, WorstGain, solve
from engine.plugins import SOLVERS
from engine.testing import random_lattice_problem, random_problem
from engine.testing.random_lattices import LATTICE_KINDS
from engine.testing.transforms import AnyProblem
from instances.made.generators import noisy_pair_means


def same_at_any_speed(problem: AnyProblem, solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with a run whose clock goes on by a quarter of an hour whenever it is read."""
    try:
        usual = solve(problem, solver, threads=1)
    except UnsupportedError:
        return
    readings = itertools.count()
    with monkeypatch.context() as patched:
        patched.setattr("time.perf_counter", lambda: 900.0 * next(readings))
        slow = solve(problem, solver, threads=1)

    def told(solution: Solution) -> tuple[object, ...]:
        return solution.groups, solution.serving, solution.value, solution.bound, solution.status

    assert told(slow) == told(usual)


@pytest.mark.parametrize(
    "solver", [name for name in SOLVERS.names() if Kind.TABLE in SOLVERS.load(name).info.kinds]
)
def test_over_tables(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(12):
        problem = random_problem(seed, features=SOLVERS.load(solver).info.features)
        same_at_any_speed(problem, solver, monkeypatch)


@pytest.mark.parametrize(
    "solver", [name for name in SOLVERS.names() if SOLVERS.load(name).info.kinds & LATTICE_KINDS]
)
def test_over_lattices_and_graphs(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, kind in itertools.product(range(4), sorted(SOLVERS.load(solver).info.kinds & LATTICE_KINDS)):
        same_at_any_speed(random_lattice_problem(seed, kinds={kind}), solver, monkeypatch)


@pytest.mark.parametrize("solver", ["branch-and-bound", "cpsat"])
def test_the_total_beside_the_best_worst_gain(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for tasks, groups, budget in ((12, 150, 4), (16, 600, 5)):
        gains = noisy_pair_means(tasks, groups, sizes=(2, tasks // 2))
        same_at_any_speed(Problem(gains, WorstGain(), (Budget(budget),)), solver, monkeypatch)
