"""What the heuristics for graph problems share: repair, polish, and a bound that costs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.problem.lattice import LatticeProblem
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.graphs.form import Graph, Ints
from solvers.graphs.search import Search
from solvers.graphs.threads import one_thread

WARM_START = "the grouping that was given, as nothing better was found"

REPAIRS = 20
"""So many perturbations are spent on a partition that no descent makes meet the demands."""


def opened(problem: LatticeProblem, control: Control) -> Graph | Claim:
    """Read a graph problem and tell a bound that costs nothing, or return what can be said at once.

    Parameters
    ----------
    problem, control
        What to solve, and whom to tell.

    Raises
    ------
    UsageError
        If the problem is not the partition of a graph.
    """
    graph = Graph.of(problem)
    if graph.contradiction:
        return Claim(None, infeasible=True)
    if graph.n < 2:
        only = np.zeros(graph.n, dtype=np.int64)
        if not graph.feasible(only):
            return Claim(None, infeasible=True)
        control.incumbent(graph.membership(only), graph.value(only))
        control.tighten(control.value + graph.rounding())
        return control.claim()
    control.tighten(graph.positive_sum())
    return graph


def search_graph(problem: LatticeProblem, control: Control, iterations: int, compiled: bool | None) -> Claim:
    """Search a graph problem locally; see :class:`~solvers.graphs.search.Search`.

    Parameters
    ----------
    problem, control
        What to solve, and whom to tell.
    iterations, compiled
        As for :class:`~solvers.local_search.LocalSearch`.
    """
    graph = opened(problem, control)
    if isinstance(graph, Claim):
        return graph
    search = Search(graph, control, np.random.default_rng(control.seed), compiled)
    starts = [graph.labels(control.warm_start)] if len(control.warm_start) else []
    with one_thread():
        search.run(iterations, starts)
    return control.claim()


def finished(
    graph: Graph,
    control: Control,
    partitions: Iterable[Ints],
    name: str,
    polish: bool,
    details: dict[str, Any],
) -> Claim:
    """Report the best of some partitions: repaired where it breaks demands, and polished if asked for.

    Parameters
    ----------
    graph, control
        What is solved, and whom to tell.
    partitions
        Each of shape (n,).
    name
        What they are.
    polish
        Whether each is improved by local search, too.
    details
        What else to tell; completed by how the best one came about.
    """
    details["method"] = WARM_START
    known = control.value
    search = Search(graph, control, np.random.default_rng(control.seed))
    for labels in partitions:
        allowed = graph.feasible(labels)
        before = search.value
        if allowed:
            search.report(labels)
        if not allowed or polish:
            with one_thread():
                search.descend(labels)
                if search.labels is None:
                    search.run(REPAIRS, [labels])
        if search.value > max(before, known):
            method = in_words(name, repaired=not allowed, polished=polish)
            details |= {"repaired": not allowed, "polished": polish, "method": method}
        if control.should_stop():
            break
    return control.claim(details=details)


def in_words(name: str, *, snapped: bool = False, repaired: bool = False, polished: bool = False) -> str:
    """Return how a heuristic came to its grouping, in words.

    Parameters
    ----------
    name
        What it began with.
    snapped
        Whether groups on the list took the place of some that are not.
    repaired
        Whether it had to be changed to meet the demands.
    polished
        Whether it was improved by local search.
    """
    steps = [
        "snapped to listed groups where not listed" if snapped else "",
        "repaired to meet the demands" if repaired else "",
        "polished by local search" if polished else "",
    ]
    return ", ".join(filter(None, (name, *steps)))
