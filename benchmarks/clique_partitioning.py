"""Partitions of pairwise graphs: value, bound and seconds of every solver that takes them.

The graphs are the pair gains of mimic27, where the published data are, and generated affinities of low
rank with noise. "below best" is how far a value lies below the best of all solvers on that graph; "gap"
is to the solver's own proven bound. Seconds are wall time of `engine.solve` after each solver has run
once on a small graph, so that imports and compilation do not count; medians over the graphs of a row.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import engine
from benchmarks.common import median, print_header, print_table
from instances.made.generators import low_rank_affinity

RUNS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("branch-and-cut", {}),
    ("cpsat", {}),
    ("local-search", {}),
    ("local-search", {"compiled": True}),
    ("spectral", {"polish": False}),
    ("spectral", {"polish": False, "laplacian": "signed"}),
    ("spectral", {"polish": False, "clusters": "eigengap"}),
    ("louvain", {}),
    ("agglomerative", {}),
    ("agglomerative", {"linkage": "average"}),
    ("agglomerative", {"linkage": "complete"}),
)


def graphs(size: int, seeds: int) -> list[engine.Affinity]:
    """Return the generated graphs of one size."""
    return [low_rank_affinity(size, seed=seed) for seed in range(seeds)]


def label(name: str, options: Mapping[str, Any]) -> str:
    """Return a solver and its options in words."""
    return " ".join([name, *(f"{key}={value}" for key, value in options.items())])


def rows(title: str, affinities: list[engine.Affinity], limits: Mapping[str, float]) -> list[list[object]]:
    """Run every solver on some graphs; return a row for each."""
    problems = [engine.graph_problem(affinity) for affinity in affinities]
    found = {
        place: [
            engine.solve(problem, name, options=options, time_limit=limits.get(name, limits[""]))
            for problem in problems
        ]
        for place, (name, options) in enumerate(RUNS)
    }
    best = [
        max(solutions[index].value or 0.0 for solutions in found.values()) for index in range(len(problems))
    ]
    table: list[list[object]] = []
    for place, (name, options) in enumerate(RUNS):
        solutions = found[place]
        short = [1 - (one.value or 0.0) / top for one, top in zip(solutions, best, strict=True)]
        gaps = [(one.bound - one.value) / one.value for one in solutions if one.bound and one.value]
        proven = sum(one.status is engine.Status.OPTIMAL for one in solutions)
        seconds = [one.certificate.seconds["total"] for one in solutions]
        table.append(
            [
                title,
                label(name, options),
                f"{max(short):.2%}",
                f"{proven} of {len(solutions)}",
                f"{max(gaps):.2%}" if gaps else "-",
                median(seconds),
                max(seconds),
            ]
        )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="50,100,200")
    parser.add_argument("--seeds", type=int, default=3, help="generated graphs of each size")
    parser.add_argument("--time-limit", type=float, default=30.0, help="seconds of branch-and-cut")
    parser.add_argument("--cpsat-limit", type=float, default=10.0, help="seconds of CP-SAT")
    parser.add_argument("--other-limit", type=float, default=30.0, help="seconds of each heuristic")
    arguments = parser.parse_args()
    print_header("partitions of pairwise graphs", "highspy", "numba", "networkx", "scikit-learn", "ortools")
    limits = {
        "branch-and-cut": arguments.time_limit,
        "cpsat": arguments.cpsat_limit,
        "": arguments.other_limit,
    }
    small = engine.graph_problem(low_rank_affinity(10))
    for name, options in (*RUNS, ("branch-and-cut", {"relaxation": "semidefinite"})):
        engine.solve(small, name, options=options)
    columns = ("graph", "solver", "worst below best", "proven", "worst gap", "median s", "slowest s")
    table: list[list[object]] = []
    try:
        pairs = engine.pair_affinity(engine.load_instance("mimic27").gains())
    except engine.DataError:
        print("without mimic27: its published data are not here\n")
    else:
        if pairs is not None:
            table += rows("mimic27", [pairs], limits)
    for size in map(int, arguments.sizes.split(",")):
        table += rows(f"low rank, {size} tasks", graphs(size, arguments.seeds), limits)
    print_table(columns, table)


if __name__ == "__main__":
    main()
