"""Ctrl-C and time limits in the middle of a pass over the lattice."""

from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pytest

from engine import Budget, LatticeProblem, PairMeanModel, solve
from engine.solving.control import Control
from engine.testing import solve_within
from engine.testing.dice import task_names
from solvers.lattices import branching
from solvers.lattices.branching import Branching
from solvers.lattices.enumeration import Enumeration
from solvers.lattices.form import LatticeForm, Prices
from solvers.lattices.separable_scan import SeparableScan
from solvers.lattices.table_scan import TableScan
from tests.waiting import HANGING, running

HARD = """
import sys
import threading
import numpy as np
from engine import Budget, LatticeProblem, PairMeanModel, solve
from engine.solving.control import Observer
from solvers.lattices import branching

class Told(Observer):
    known = False

    def on_incumbent(self, event):
        Told.known = True

on_threads = branching.done_on_threads

def telling(work, parts, threads, control):
    def part_of_work(part, stopped):
        if Told.known and threading.current_thread() is threading.main_thread():
            return False  # what is done before there are threads
        if Told.known:
            sys.stdout.write("on a thread\\n")  # whole, where print could mix lines of two threads
            sys.stdout.flush()
        return work(part, stopped)

    return on_threads(part_of_work, parts, threads, control)

branching.done_on_threads = telling
pairs = np.random.default_rng(0).normal(0, 0.05, (60, 60))
model = PairMeanModel(tuple(f"t{i}" for i in range(60)), pairs, np.zeros(60))
problem = LatticeProblem(model, constraints=(Budget(12),))
solution = solve(problem, "lattice", threads=2, observers=[Told()])
print(solution.status, solution.certificate.termination, solution.bound is not None)
"""


def hard_problem() -> LatticeProblem:
    """Return a problem whose exact pricing takes hours."""
    pairs = np.random.default_rng(0).normal(0, 0.05, (60, 60))
    model = PairMeanModel(task_names(60), pairs, np.zeros(60))
    return LatticeProblem(model, constraints=(Budget(12),))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_ctrl_c_ends_a_pass_on_threads() -> None:
    with running(sys.executable, "-c", HARD, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on a thread\n"
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=HANGING)
    assert told.splitlines()[-1] == "FEASIBLE INTERRUPTED True"


def test_a_time_limit_ends_a_pass_with_an_honest_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branching, "NODES_BETWEEN_POLLS", 500)
    solve(LatticeProblem(PairMeanModel(task_names(3), np.zeros((3, 3)), np.zeros(3))), "lattice")
    solution = solve_within(hard_problem(), "lattice", 500, threads=2)
    assert solution.details["pricing_passes"] == 1
    assert solution.status == "FEASIBLE"
    assert solution.certificate.termination == "TIME_LIMIT"
    assert solution.bound is not None
    assert solution.value is not None
    assert solution.bound > solution.value


def test_a_pass_without_time_claims_nothing() -> None:
    model = PairMeanModel(task_names(6), np.random.default_rng(0).normal(size=(6, 6)), np.zeros(6))
    form = LatticeForm.of(LatticeProblem(model))
    prices = Prices(np.zeros(6), np.zeros(6))
    table = TableScan(form, 1, 2.0**30)
    assert table.fill(Control())
    over = Control(time_limit=1e-9)
    assert over.should_stop()
    for scan in (SeparableScan(form, 1), table):
        assert scan.bests(prices, over) is None
        pricer = Enumeration(form, scan)
        assert pricer.price(prices, 5, -np.inf, over).bound == np.inf
        assert pricer.above(prices, 0.0, 100, over) is None
    exact = Branching(form, 1).price(prices, 5, -np.inf, Control()).bound
    assert Branching(form, 1).price(prices, 5, -np.inf, over).bound >= exact
