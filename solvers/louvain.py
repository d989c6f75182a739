"""Louvain communities of the pairwise graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.errors import UsageError, unknown_name
from engine.gains.affinity import Affinity
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.graphs.clustering import similarities
from solvers.graphs.form import Graph, Ints
from solvers.graphs.heuristics import finished, opened


@dataclass(frozen=True)
class Louvain(Solver):
    """Communities by the Louvain method (Blondel et al., 2008).

    The method maximises modularity, which is defined for nonnegative weights: signed ones are made
    so first, and what it finds is valued, repaired to the demands and polished with the signed ones.

    Attributes
    ----------
    nonnegative
        ``"clip"`` raises negative weights to 0, so that only helpful pairs link tasks; ``"shift"``
        subtracts the least weight; ``"exp"`` takes exp(w / s), s being the standard deviation.
    resolution
        Above 1 favours smaller communities, below 1 larger ones.
    polish
        Whether the partition is improved by local search.
    """

    nonnegative: Literal["clip", "shift", "exp"] = "clip"
    resolution: float = 1.0
    polish: bool = False

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Louvain communities of a pairwise graph",
        exact=False,
        features=frozenset({Feature.SUM, Feature.PARTITION, Feature.MIN_GROUPS, Feature.MANDATORY}),
        kinds=frozenset({Kind.GRAPH}),
        requires=("networkx", "threadpoolctl"),
        rank=75,
        reference="https://doi.org/10.1088/1742-5468/2008/10/P10008",
    )

    def __post_init__(self) -> None:
        known = ("clip", "shift", "exp")
        if self.nonnegative not in known:
            raise unknown_name("nonnegative of solver 'louvain':", self.nonnegative, known)
        if not 0 < self.resolution < np.inf:
            raise UsageError(f"The resolution must be a number above 0, not {self.resolution!r}.")

    def solve(self, problem: LatticeProblem, control: Control) -> Claim:
        """Find communities, repair and polish."""
        graph = opened(problem, control)
        if isinstance(graph, Claim):
            return graph
        with control.importing():
            import networkx  # noqa: F401
        with control.stage("cluster"):
            labels = self._communities(graph, control.seed)
        details = {"communities": len(np.unique(labels))}
        return finished(graph, control, [labels], "Louvain communities", self.polish, details)

    def _communities(self, graph: Graph, seed: int) -> Ints:
        import networkx

        affinity = Affinity(tuple(map(str, range(graph.n))), graph.similar())
        similarity = np.triu(similarities(affinity, self.nonnegative))
        network = networkx.Graph()
        network.add_nodes_from(range(graph.n))
        # What is not similar at all has no link: even the faintest would tie nodes that harm one another.
        network.add_weighted_edges_from(
            (int(node), int(other), float(similarity[node, other]))
            for node, other in zip(*np.nonzero(similarity), strict=True)
        )
        found = networkx.community.louvain_communities(network, resolution=self.resolution, seed=seed)
        labels = np.zeros(graph.n, dtype=np.int64)
        for label, members in enumerate(sorted(map(sorted, found))):
            labels[members] = label
        return labels
