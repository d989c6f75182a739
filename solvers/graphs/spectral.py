"""Spectral clusters as the partition of a pairwise graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.gains.affinity import Affinity
from engine.problem.lattice import LatticeProblem
from engine.solving.control import Control
from engine.solving.solver import Outcome
from solvers.graphs.clustering import Clustering, Count
from solvers.graphs.form import Ints
from solvers.graphs.heuristics import finished, opened
from solvers.graphs.threads import one_thread


def cluster_graph(problem: LatticeProblem, control: Control, clustering: Clustering, polish: bool) -> Outcome:
    """Cluster a graph into as many groups as its demands or the options say.

    Pairs that must stand apart count as the most harmful ones.

    Parameters
    ----------
    problem, control
        What to solve, and whom to tell.
    clustering
        The options.
    polish
        Whether the partition is then improved by local search.
    """
    graph = opened(problem, control)
    if isinstance(graph, Outcome):
        return graph
    affinity = Affinity(tuple(map(str, range(graph.n))), graph.similar())
    with control.stage("cluster"), one_thread():
        embedding = clustering.embedding(affinity)
        default: Count = "best" if graph.max_groups == graph.n else "budget"
        counts = clustering.counts(embedding, graph.min_groups, graph.max_groups, default)
    details: dict[str, Any] = {"affinity": "pair weights", "tried": counts}

    def partitions() -> Iterator[Ints]:
        for count in counts:
            with control.stage("cluster"), one_thread():
                clusters = embedding.clusters(count, control.seed)
            labels = np.zeros(graph.n, dtype=np.int64)
            for label, nodes in enumerate(clusters):
                labels[nodes] = label
            yield labels

    return finished(graph, control, partitions(), "spectral clusters", polish, details)
