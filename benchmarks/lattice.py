"""Every group of a gain model: the frontier of mimic27's HOA, single budgets, arbitrary predictors, scale.

Nothing is listed before the clock starts: there is no table of 2^27 values. The first run in a process is
not counted, since it may compile.
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import engine
from benchmarks.common import median, print_header, print_table, seconds_of
from engine.gains.source import Predictor, make_gain_source
from engine.solving.control import Control
from instances.made.generators import low_rank_affinity
from solvers.branch_and_bound import BranchAndBound
from solvers.lattice import Lattice
from solvers.lattices.branching import Branching
from solvers.lattices.enumeration import Enumeration
from solvers.lattices.form import LatticeForm, Prices
from solvers.lattices.separable_scan import SeparableScan

TOTALS = {1: -0.433767, 2: 0.048620, 3: 0.334135, 6: 0.815474, 13: 1.218556, 27: 1.420730}


@dataclass(frozen=True, eq=False)
class NoisyPredictor:
    """Pair means plus independent noise for every group and task: no structure to use."""

    tasks: tuple[str, ...]
    pairs: NDArray[np.float64]
    noise: NDArray[np.float64]
    source: str = "noisy predictor"

    @classmethod
    def random(cls, count: int, seed: int) -> NoisyPredictor:
        """Draw pair effects of 5 % and noise of 2 %."""
        rng = np.random.default_rng(seed)
        pairs = rng.normal(0, 0.05, (count, count))
        np.fill_diagonal(pairs, 0.0)
        tasks = tuple(f"task {index}" for index in range(count))
        return cls(tasks, pairs, rng.normal(0, 0.02, (2**count, count)))

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of some groups."""
        member = membership.astype(np.float64)
        sizes = membership.sum(axis=1)
        values = member @ self.pairs / np.maximum(sizes - 1, 1)[:, None]
        values += self.noise[membership @ (1 << np.arange(len(self.tasks)))]
        values[sizes == 1] = 0.0
        values[~membership] = np.nan
        return values


def frontiers(repeats: int) -> None:
    """Print the frontier of mimic27, selection and partition."""
    gains = engine.load_instance("mimic27").gains()
    model = make_gain_source("hoa", Predictor).fit(gains)
    rows: list[tuple[object, ...]] = []
    for kind, demands in (("selection", ()), ("partition", (engine.Partition(),))):
        problem = engine.LatticeProblem(model, constraints=demands, known=gains)
        solutions = engine.frontier(problem, range(1, 28), "lattice")
        seconds = seconds_of(lambda p=problem: engine.frontier(p, range(1, 28), "lattice"), repeats)
        proven = sum(one.status is engine.Status.OPTIMAL for one in solutions.values())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        rows.append((kind, median(seconds), min(seconds), max(seconds), f"{proven} of 27", f"{peak:.2f}"))
        if kind == "selection":
            for budget, total in TOTALS.items():
                assert abs((solutions[budget].value or 0.0) - total) < 1e-6, budget
    print_table(("mimic27, 2^27 − 1 groups", "median s", "min s", "max s", "proven", "peak GiB so far"), rows)
    print(f"Selection totals at {tuple(TOTALS)}: {tuple(TOTALS.values())}, all to six digits.\n")

    problem = engine.LatticeProblem(model, known=gains)
    rows = []
    for budget, total in TOTALS.items():
        one = problem.with_budget(budget)
        seconds = seconds_of(lambda p=one: engine.solve(p, "lattice"), repeats)
        rows.append((budget, f"{total:.6f}", median(seconds), min(seconds), max(seconds)))
    print_table(("one budget cold", "total", "median s", "min s", "max s"), rows)


def passes(repeats: int) -> None:
    """Print how long one exact pricing pass takes at prices near the optimum."""
    model = make_gain_source("hoa", Predictor).fit(engine.load_instance("mimic27").gains())
    form = LatticeForm.of(engine.LatticeProblem(model, constraints=(engine.Budget(6),)))
    control = Control(threads=2)
    own = engine.solve(engine.LatticeProblem(model, constraints=(engine.Budget(6),)), "lattice")
    level = (own.value or 0.0) / 27
    rows: list[tuple[object, ...]] = []
    pricers = (
        ("branch and bound", Branching(form, 2)),
        ("every group, 1 thread", Enumeration(form, SeparableScan(form, 1))),
        ("every group, 2 threads", Enumeration(form, SeparableScan(form, 2))),
    )
    for name, pricer in pricers:
        found = []

        def price(pricer: Branching | Enumeration = pricer, found: list[float] = found) -> None:
            prices = Prices(np.full(27, level), np.zeros(27))
            found.append(pricer.price(prices, 80, -np.inf, control).bound)

        price()
        seconds = median(seconds_of(price, repeats))
        rows.append((name, seconds, 1 / seconds, f"{found[-1]:.9f}"))
    print_table(("one pass over 2^27 − 1 groups", "median s", "passes per s", "largest worth"), rows)
    print("At equal prices for all tasks.\n")


def predictors(models: int, count: int) -> None:
    """Print random predictors without structure."""
    budgets = (2, 3, count // 3, count)
    engine.solve(engine.LatticeProblem(NoisyPredictor.random(8, 0)), "lattice")
    rows: list[tuple[object, ...]] = []
    for kind, demands in (("selection", ()), ("partition", (engine.Partition(),))):
        for budget in budgets:
            seconds, proven, core = [], 0, []
            for seed in range(models):
                model = NoisyPredictor.random(count, seed)
                problem = engine.LatticeProblem(model, constraints=(engine.Budget(budget), *demands))
                solution = engine.solve(problem, "lattice")
                seconds.append(solution.certificate.seconds["total"])
                proven += solution.status is engine.Status.OPTIMAL
                core.append(solution.details["core_groups"])
            rows.append(
                (
                    kind,
                    budget,
                    f"{proven} of {models}",
                    median(seconds),
                    max(seconds),
                    f"{min(core)}-{max(core)}",
                )
            )
    names = (
        f"{count} tasks, {2**count - 1:,} groups",
        "budget",
        "proven",
        "median s",
        "max s",
        "core groups",
    )
    print_table(names, rows)


def scale(time_limit: float) -> None:
    """Print random HOA models of more tasks, and what listing all groups takes where that is possible."""
    rows: list[tuple[object, ...]] = []
    for count in (14, 20, 30, 40):
        model = engine.PairMeanModel.from_affinity(low_rank_affinity(count, seed=0))
        for kind, demands in (("selection", ()), ("partition", (engine.Partition(),))):
            for budget in (count // 2, count // 4):
                problem = engine.LatticeProblem(model, constraints=(engine.Budget(budget), *demands))
                solution = engine.solve(problem, "lattice", time_limit=time_limit)
                listed = "-"
                if count == 14:
                    other = engine.solve(problem.listed, BranchAndBound(compiled=True), time_limit=time_limit)
                    assert other.value is not None
                    assert solution.value is not None
                    assert solution.value >= other.value - 1e-6
                    listed = f"{other.certificate.seconds['total']:.3g} ({other.status.value})"
                rows.append(
                    (
                        count,
                        kind,
                        budget,
                        solution.certificate.seconds["total"],
                        solution.status.value,
                        f"{100 * (solution.gap or 0.0):.2f}",
                        listed,
                    )
                )
    print_table(("tasks", "kind", "budget", "seconds", "status", "gap %", "all groups listed, s"), rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--tasks", type=int, default=18, help="tasks of the random predictors")
    parser.add_argument(
        "--time-limit", type=float, default=20.0, help="seconds for each model of the last table"
    )
    arguments = parser.parse_args()
    print_header("selection and partition over the whole lattice", "numba", "highspy")
    engine.solve(engine.LatticeProblem(NoisyPredictor.random(8, 0)), Lattice())
    frontiers(arguments.repeats)
    passes(arguments.repeats)
    predictors(arguments.models, arguments.tasks)
    scale(arguments.time_limit)


if __name__ == "__main__":
    main()
