"""Selection on mimic27: branch and bound against a naive MILP and the published procedure.

The opponents get the same tensor. The naive MILP is the plain facility-location model in SciPy's
HiGHS (strong linking, continuous serving variables, gap 0). The published procedure, five greedy
chains for each budget, runs twice: as plain NumPy, one expression per step, which is how a notebook has
it, and as our `beam` solver, the same search on scratch buffers. All in one process, after compilation.
"""

from __future__ import annotations

import argparse

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

import engine
from benchmarks.common import median, print_header, print_table, seconds_of
from engine.problem.program import Program
from solvers.beam import Beam
from solvers.branch_and_bound import BranchAndBound


def naive_milp(program: Program, time_limit: float) -> float | None:
    """Return the optimum by SciPy's HiGHS, None if the time did not suffice."""
    groups, entries = program.n_groups, len(program.members)
    index = np.arange(entries)
    serves = sp.csr_matrix((np.ones(entries), (program.members, index)), (program.n_tasks, entries))
    chosen = sp.csr_matrix((np.ones(entries), (index, program.entry_groups)), (entries, groups))
    once = LinearConstraint(sp.hstack([sp.csr_matrix((program.n_tasks, groups)), serves]), 1, 1)
    linked = LinearConstraint(sp.hstack([-chosen, sp.identity(entries)]), -np.inf, 0)
    count = sp.hstack([np.ones((1, groups)), sp.csr_matrix((1, entries))])
    within = LinearConstraint(count, 0, program.max_groups)
    result = milp(
        -np.concatenate([program.open, program.serve]),
        integrality=np.concatenate([np.ones(groups), np.zeros(entries)]),
        bounds=Bounds(0, 1),
        constraints=[once, linked, within],
        options={"mip_rel_gap": 0.0, "time_limit": time_limit},
    )
    return -float(result.fun) if result.status == 0 else None


def published_procedure(values: np.ndarray, budget: int, width: int = 5) -> float:
    """Return the value of the best of five greedy chains; ``values`` holds −99 for non-members."""
    totals = []
    for start in np.argsort(-values.sum(axis=1), kind="stable")[:width]:
        best = values[start].copy()
        for _ in range(budget - 1):
            improvement = np.maximum(values - best, 0.0).sum(axis=1)
            best = np.maximum(best, values[improvement.argmax()])
        totals.append(best.sum())
    return float(max(totals))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each command; the median counts")
    parser.add_argument("--naive-repeats", type=int, default=1, help="runs of the naive MILP")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds for each naive MILP")
    arguments = parser.parse_args()
    print_header("mimic27, exact selection for every budget", "numba", "scipy", "highspy")
    instance = engine.load_instance("mimic27")
    own = BranchAndBound(compiled=True)
    rows = []
    for source, naive_budgets in (("measured", range(1, 28)), ("hoa", (3, 6, 13)), ("tag", ())):
        problem = engine.Problem(instance.gains(source))
        budgets = list(range(1, 28))
        engine.frontier(problem, budgets, own)
        exact = engine.frontier(problem, budgets, own)
        if any(one.status is not engine.Status.OPTIMAL for one in exact.values()):
            raise SystemExit(f"{source}: not every budget is proven")
        ours = median(seconds_of(lambda p=problem: engine.frontier(p, range(1, 28), own), arguments.repeats))
        rows.append((source, "branch-and-bound", "1-27", ours, 1.0, "27 of 27 proven"))

        beam: dict[int, float] = {}
        optimum = {budget: solution.value or 0.0 for budget, solution in exact.items()}

        def published(p: engine.Problem = problem, found: dict = beam) -> None:
            for budget in range(1, 28):
                found[budget] = engine.solve(p.with_budget(budget), Beam()).value or 0.0

        theirs = median(seconds_of(published, arguments.repeats))
        same = sum(abs(beam[b] - optimum[float(b)]) < 1e-9 for b in budgets)
        worst = max(1 - beam[b] / optimum[float(b)] for b in budgets if optimum[float(b)] > 0)
        rows.append(
            (source, "beam", "1-27", theirs, theirs / ours, f"{same} of 27 optimal, worst −{worst:.1%}")
        )

        table = np.nan_to_num(problem.gains.gains, nan=-99.0)
        plain = median(
            seconds_of(
                lambda t=table: [published_procedure(t, budget) for budget in range(1, 28)],
                arguments.repeats,
            )
        )
        for budget in budgets:
            assert abs(published_procedure(table, budget) - beam[budget]) < 1e-9
        rows.append((source, "published procedure, plain NumPy", "1-27", plain, plain / ours, "the same"))

        if naive_budgets:
            programs = {b: problem.with_budget(b).program for b in naive_budgets}
            optima: dict[int, float | None] = {}

            def naive(programs: dict = programs, found: dict = optima) -> None:
                for budget, program in programs.items():
                    found[budget] = naive_milp(program, arguments.time_limit)

            slow = median(seconds_of(naive, arguments.naive_repeats))
            wrong = [b for b, v in optima.items() if v is not None and abs(v - optimum[float(b)]) > 1e-6]
            proven = sum(value is not None for value in optima.values())
            part = ",".join(map(str, naive_budgets)) if len(optima) < 27 else "1-27"
            note = f"{proven} of {len(optima)} proven" + (
                f", DIFFERS at {wrong}" if wrong else ", equal values"
            )
            rows.append((source, "naive HiGHS", part, slow, slow / ours, note))
    print_table(("gains", "solver", "budgets", "seconds", "ratio", "result"), rows)
    print("ratio: seconds over those of branch-and-bound for all 27 budgets, certificates included.")


if __name__ == "__main__":
    main()
