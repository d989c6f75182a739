"""Standley's cost-aware selection: nine budgets, proven, in milliseconds."""

from __future__ import annotations

import argparse

import engine
from benchmarks.common import median, print_header, print_table, seconds_of
from solvers.branch_and_bound import BranchAndBound


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=21)
    arguments = parser.parse_args()
    print_header("standley1, budgets 1 to 5 in steps of a half", "numba")
    instance = engine.load_instance("standley1")
    evaluation = instance.evaluation()
    assert evaluation is not None
    own = BranchAndBound(compiled=True)
    rows = []
    for source in instance.info.sources:
        problem = engine.Problem(instance.gains(source))
        budgets = instance.info.budgets
        problems = [problem.with_budget(budget) for budget in budgets]
        for one in problems:
            own.solve(one, engine.Control(sign=one.program.sign))
        search = seconds_of(
            lambda p=problems: [own.solve(one, engine.Control(sign=one.program.sign)) for one in p],
            arguments.repeats,
        )
        certified = seconds_of(lambda p=problem, b=budgets: engine.frontier(p, b, own), arguments.repeats)
        found = engine.frontier(problem, budgets, own)
        proven = sum(one.status is engine.Status.OPTIMAL for one in found.values())
        losses = " ".join(f"{one.evaluate(evaluation).total:.5f}" for one in found.values())
        rows.append((source, 1e3 * median(search), 1e3 * median(certified), f"{proven} of 9", losses))
    print_table(("source", "search ms", "with certificates ms", "proven", "test loss by budget"), rows)


if __name__ == "__main__":
    main()
