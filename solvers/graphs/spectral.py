"""Spectral clusters as the partition of a pairwise graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.gains.affinity import Affinity
from engine.problem.lattice import LatticeProblem
from engine.solving.control import Control
from engine.solving.solver import Outcome
from solvers.graphs.form import Ints
from solvers.graphs.heuristics import finished, opened
from solvers.graphs.threads import one_thread

if TYPE_CHECKING:
    from solvers.spectral import Spectral


def cluster_graph(problem: LatticeProblem, control: Control, spectral: Spectral) -> Outcome:
    """Cluster a graph into as many groups as its demands or the options of the solver say.

    Pairs that must stand apart count as the most harmful ones.

    Parameters
    ----------
    problem, control
        What to solve, and whom to tell.
    spectral
        The options.
    """
    graph = opened(problem, control)
    if isinstance(graph, Outcome):
        return graph
    weights = np.where(graph.apart, min(0.0, float(graph.weights.min())), graph.weights)
    affinity = Affinity(tuple(map(str, range(graph.n))), weights)
    default = "best" if graph.max_groups == graph.n else "budget"
    counts = spectral.counts(affinity, graph.min_groups, graph.max_groups, default)
    with control.stage("cluster"), one_thread():
        embedding = spectral.embedding(affinity)
    details: dict[str, Any] = {"affinity": "pair weights", "tried": counts}

    def partitions() -> Iterator[Ints]:
        for count in counts:
            with control.stage("cluster"), one_thread():
                clusters = embedding.clusters(count, control.seed)
            labels = np.zeros(graph.n, dtype=np.int64)
            for label, nodes in enumerate(clusters):
                labels[nodes] = label
            yield labels

    return finished(graph, control, partitions(), spectral.polish, details)
