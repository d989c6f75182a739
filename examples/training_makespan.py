"""Gain against training time on two machines: a black box for local search, and the same in Pyomo.

Run it with ``python examples/training_makespan.py [instance] [seconds]``; ``toy4`` by default,
``planted`` has 20 tasks and 400 groups. The number of seconds limits each solver.
"""

from __future__ import annotations

import sys
from functools import cache
from itertools import product

import engine

MACHINES = 2
GAIN_PER_HOUR = 0.02


@cache
def hours(n_tasks: int) -> float:
    """Return how long a group trains: an hour for the encoder, half an hour per task."""
    return 1.0 + 0.5 * n_tasks


def makespan(sizes: tuple[int, ...]) -> float:
    """Return when two machines are done at the earliest."""
    times = [hours(size) for size in sizes]
    if len(times) > 12:  # longest processing time first: at most a sixth too long (Graham, 1969)
        loads = [0.0] * MACHINES
        for time in sorted(times, reverse=True):
            loads[loads.index(min(loads))] += time
        return max(loads)
    total = sum(times)
    first = (
        sum(time for time, on in zip(times, places, strict=True) if on)
        for places in product([0, 1], repeat=len(times))
    )
    return min(max(load, total - load) for load in first)


class NetGain:
    """The total gain minus 2 % per hour until everything is trained."""

    name = f"total gain minus {GAIN_PER_HOUR:.0%} per hour"

    def __init__(self, gains: engine.GainTensor) -> None:
        self.by_group = {
            gains.group(row): dict(zip(gains.group(row), gains.values[gains.row(row)].tolist(), strict=True))
            for row in range(gains.n_groups)
        }

    def __call__(self, groups) -> float:
        best: dict[str, float] = {}
        for group in groups:
            for task, gain in self.by_group[group].items():
                best[task] = max(gain, best.get(task, gain))
        return sum(best.values()) - GAIN_PER_HOUR * makespan(tuple(map(len, groups)))


class Hours:
    """The same price as a term in Pyomo: every chosen group goes to one machine."""

    name = f"{GAIN_PER_HOUR:.0%} per hour"

    def build(self, block, decisions):
        import pyomo.environ as pyo

        rows, sizes = list(decisions.chosen), decisions.gains.sizes
        block.on = pyo.Var(rows, range(MACHINES), domain=pyo.Binary)
        block.done = pyo.Var(domain=pyo.NonNegativeReals)
        block.placed = pyo.Constraint(
            rows, rule=lambda block, row: pyo.quicksum(block.on[row, :]) == decisions.chosen[row]
        )
        block.busy = pyo.Constraint(
            range(MACHINES),
            rule=lambda block, machine: (
                block.done >= pyo.quicksum(hours(int(sizes[row])) * block.on[row, machine] for row in rows)
            ),
        )
        return -GAIN_PER_HOUR * block.done

    def value(self, grouping):
        return -GAIN_PER_HOUR * makespan(tuple(map(len, grouping.groups)))


def main(name: str = "toy4", seconds: str = "60") -> None:
    gains = engine.load_instance(name).gains()
    budget = engine.Budget(min(8, gains.n_tasks))
    black_box = NetGain(gains)
    boxed = engine.Problem(gains, engine.SetFunction(black_box, black_box.name), [budget])
    term = Hours()
    written = engine.ExtendedObjective(engine.TotalGain(), term.build, term.value, term.name)
    runs = [("local-search", boxed), ("milp", engine.Problem(gains, written, [budget]))]
    if gains.n_groups <= 20:
        runs.append(("brute-force", boxed))
    for solver, problem in runs:
        solution = engine.solve(problem, solver, time_limit=float(seconds))
        if not solution.found:
            print(f"{solver:12}  no grouping within {seconds} s")
            continue
        sizes = tuple(len(group.tasks) for group in solution.groups)
        bound = "none" if solution.bound is None else f"{solution.bound:.4f}"
        print(
            f"{solver:12}  {solution.status:8}  value {solution.value:.4f}  bound {bound}  "
            f"gain {sum(solution.task_values.values()):.4f}  {makespan(sizes):.1f} hours  "
            f"groups of {sorted(sizes)}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
