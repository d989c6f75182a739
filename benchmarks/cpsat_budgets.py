"""CP-SAT on mimic27, budget by budget: seconds of the search after the presolve.

`presolve` is the NumPy path, which needs no compiler. The naive model is the radius formulation on
the full problem (`presolve=False`).
"""

from __future__ import annotations

import argparse

import engine
from benchmarks.common import median, print_header, print_table
from solvers.cpsat import CpSat


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--naive-limit", type=float, default=30.0, help="seconds for each naive model")
    parser.add_argument("--naive-budgets", default="2,6,13")
    arguments = parser.parse_args()
    print_header("CP-SAT on the core", "ortools")
    instance = engine.load_instance("mimic27")
    rows: list[tuple[object, ...]] = []
    for source in instance.info.sources:
        problem = engine.Problem(instance.gains(source))
        for formulation in ("dual-shifted", "radius"):
            presolve, search, core, proven = [], [], [], 0
            for budget in range(1, 28):
                runs = [
                    engine.solve(problem.with_budget(budget), CpSat(formulation))
                    for _ in range(arguments.repeats)
                ]
                proven += runs[0].status is engine.Status.OPTIMAL
                stages = [one.certificate.seconds for one in runs]
                presolve.append(median([one["presolve"] for one in stages]))
                search.append(median([one["model"] + one["search"] for one in stages]))
                core.append(runs[0].details["core_groups"])
            rows.append(
                (
                    source,
                    formulation,
                    f"{proven} of 27",
                    max(search),
                    sum(search),
                    max(presolve),
                    sum(presolve),
                    f"{min(core)}-{max(core)}",
                )
            )
    print_table(
        (
            "gains",
            "formulation",
            "proven",
            "slowest search s",
            "all searches s",
            "slowest presolve s",
            "all presolves s",
            "core groups",
        ),
        rows,
    )

    problem = engine.Problem(instance.gains())
    rows = []
    for budget in map(int, arguments.naive_budgets.split(",")):
        bounded = problem.with_budget(budget)
        exact = engine.solve(bounded, CpSat())
        naive = engine.solve(bounded, CpSat(), presolve=False, time_limit=arguments.naive_limit)
        rows.append(
            (
                budget,
                exact.certificate.seconds["total"],
                naive.certificate.seconds["total"],
                naive.status.value,
                "-" if naive.gap is None else f"{naive.gap:.2%}",
            )
        )
    print("without presolve, measured gains:")
    print_table(("budget", "with presolve s", "without s", "status without", "gap without"), rows)


if __name__ == "__main__":
    main()
