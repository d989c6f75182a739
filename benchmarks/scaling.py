"""Selection on growing tables: groups against tasks, planted clusters and random effects with noise."""

from __future__ import annotations

import argparse

import engine
from benchmarks.common import median, print_header, print_table
from instances.made.generators import planted, random
from solvers.branch_and_bound import BranchAndBound


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", default="1000,10000,100000")
    parser.add_argument("--tasks", default="20,50,100")
    parser.add_argument("--time-limit", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print_header("scaling of branch-and-bound", "numba")
    own = BranchAndBound(compiled=True)
    engine.solve(engine.Problem(random(20, 1000), constraints=(engine.Budget(3),)), own)
    rows = []
    for tasks in map(int, arguments.tasks.split(",")):
        for groups in map(int, arguments.groups.split(",")):
            for make in (planted, random):
                problem = engine.Problem(make(tasks, groups, seed=arguments.seed))
                for budget in (max(2, tasks // 9), tasks // 4, tasks // 2):
                    runs = [engine.solve(problem.with_budget(budget), own, time_limit=arguments.time_limit)]
                    if runs[0].status is engine.Status.OPTIMAL:
                        runs += [
                            engine.solve(problem.with_budget(budget), own, time_limit=arguments.time_limit)
                            for _ in range(arguments.repeats - 1)
                        ]
                    seconds = median([one.certificate.seconds["total"] for one in runs])
                    rows.append(
                        (
                            make.__name__,
                            tasks,
                            groups,
                            budget,
                            seconds,
                            f"{100 * (runs[0].gap or 0.0):.2f}",
                            runs[0].status.value,
                            runs[0].details.get("core_groups", ""),
                            runs[0].details.get("nodes", ""),
                        )
                    )
    print_table(("gains", "tasks", "groups", "budget", "seconds", "gap %", "status", "core", "nodes"), rows)


if __name__ == "__main__":
    main()
