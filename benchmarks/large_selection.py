"""Selection over large random pools: gap, seconds and memory under a time limit.

The pools are random groups whose gains follow the pair-mean rule (HOA) over pairwise effects of low rank
plus noise, with noise on every gain (:func:`instances.made.generators.noisy_pair_means`). Sizes are uniform
from 3 to the given largest one, so budgets below N divided by half of it make tight covers: there the linear
relaxation itself lies percents above the optimum, and no bound based on it closes the gap. Each pool runs in
a process of its own, so that the peak of its memory is told; kernels are compiled before.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import engine
from benchmarks.common import print_header, print_table
from instances.made.generators import noisy_pair_means
from solvers.branch_and_bound import BranchAndBound

POOLS = "50:10000:20,100:10000:40,100:100000:40,200:100000:40,200:1000000:40,500:1000000:40,500:1000000:100"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pools", default=POOLS, help="tasks:groups:largest size, separated by commas")
    parser.add_argument("--time-limit", type=float, default=10.0, help="seconds for each budget")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="one pool in this process, rows only")
    arguments = parser.parse_args()
    pools = [tuple(map(int, pool.split(":"))) for pool in arguments.pools.split(",")]
    if arguments.alone:
        tasks, groups, largest = pools[0]
        for row in _rows(tasks, groups, largest, arguments.time_limit, arguments.threads, arguments.seed):
            print("\t".join(row), flush=True)
        return
    print_header("branch-and-bound on large random pools", "numba")
    rows = []
    for pool in pools:
        command = [sys.executable, "-m", "benchmarks.large_selection", "--alone"]
        command += ["--pools", ":".join(map(str, pool)), "--seed", str(arguments.seed)]
        command += ["--time-limit", str(arguments.time_limit)]
        command += [] if arguments.threads is None else ["--threads", str(arguments.threads)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows += [line.split("\t") for line in told.splitlines()]
    columns = ("tasks", "groups", "entries", "budget", "status", "value", "gap %", "first gap %")
    print_table((*columns, "seconds", "wall", "CPU", "core", "nodes", "peak GB"), rows)
    print(
        "first gap: at the first bound by multipliers that a value was known for; seconds: of the solve; "
        "wall and CPU: with compiling the program and the certificate; peak: of the whole process."
    )


def _rows(
    tasks: int, groups: int, largest: int, time_limit: float, threads: int | None, seed: int
) -> list[tuple[str, ...]]:
    solver = BranchAndBound(compiled=True)
    for size in (2_000, 80_000):
        small = engine.Problem(noisy_pair_means(60, size, sizes=(3, 24)), constraints=(engine.Budget(8),))
        engine.solve(small, solver, time_limit=60.0, stop=engine.GapBelow(0.05))
    problem = engine.Problem(noisy_pair_means(tasks, groups, sizes=(3, largest), seed=seed))
    rows: list[tuple[str, ...]] = []
    for budget in (tasks // 9, tasks // 4, tasks // 2):
        begin, spent = time.perf_counter(), time.process_time()
        found = engine.solve(problem.with_budget(budget), solver, time_limit=time_limit, threads=threads)
        wall, cpu = time.perf_counter() - begin, time.process_time() - spent
        first = [
            abs(event.bound - event.value) / max(abs(event.bound), abs(event.value))
            for event in found.trace[1:]
            if event.kind == "bound" and event.value is not None and event.bound is not None
        ]
        rows.append(
            (
                str(tasks),
                str(groups),
                f"{len(problem.gains.values):.3g}",
                str(budget),
                found.status.value,
                "" if found.value is None else f"{found.value:.6g}",
                "" if found.gap is None else f"{100 * found.gap:.2f}",
                f"{100 * first[0]:.1f}" if first else "",
                f"{found.certificate.seconds['total']:.2f}",
                f"{wall:.2f}",
                f"{cpu:.2f}",
                str(found.details.get("core_groups", "")),
                str(found.details.get("nodes", "")),
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f}",
            )
        )
    return rows


if __name__ == "__main__":
    main()
