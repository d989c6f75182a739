"""Agglomerative clustering of the pairwise graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.errors import unknown_name
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.graphs.form import Floats, Graph, Ints
from solvers.graphs.heuristics import finished, opened


@dataclass(frozen=True)
class Agglomerative(Solver):
    """Merge the two groups with the best linkage, again and again, from every task alone.

    Mergers that break a demand on sizes or put tasks together that must stay apart are passed over.
    Merging ends where no linkage is above 0, or later if there are still too many groups or groups too
    small. What the result still breaks is repaired by local search.

    Attributes
    ----------
    linkage
        Of two groups: ``"gain"``, the sum of the weights between them, which is what the objective
        gains; ``"average"``, their mean; ``"complete"``, the least of them.
    polish
        Whether the partition is improved by local search.
    """

    linkage: Literal["gain", "average", "complete"] = "gain"
    polish: bool = False

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Agglomerative clustering of a pairwise graph by gain, average or complete linkage",
        exact=False,
        features=frozenset({Feature.SUM, Feature.PARTITION, Feature.MIN_GROUPS, Feature.MANDATORY}),
        kinds=frozenset({Kind.GRAPH}),
        requires=("threadpoolctl",),
        rank=76,
    )

    def __post_init__(self) -> None:
        known = ("gain", "average", "complete")
        if self.linkage not in known:
            raise unknown_name("linkage of solver 'agglomerative':", self.linkage, known)

    def solve(self, problem: LatticeProblem, control: Control) -> Outcome:
        """Merge, repair and polish."""
        graph = opened(problem, control)
        if isinstance(graph, Outcome):
            return graph
        with control.stage("cluster"):
            labels, mergers = merge(graph, self.linkage, control)
        details = {"mergers": mergers}
        return finished(graph, control, [labels], f"mergers by {self.linkage}", self.polish, details)


def merge(graph: Graph, linkage: str, control: Control) -> tuple[Ints, int]:
    """Return the partition that merging reaches, shape (n,), and the number of mergers.

    Parameters
    ----------
    graph, linkage
        What to partition, and as for :class:`Agglomerative`.
    control
        Ends it early.
    """
    labels = np.arange(graph.n)
    sizes = graph.sizes.astype(np.int64)
    # Between nodes that stand for several tasks, the mean weight counts as the least.
    total: Floats = graph.weights.copy()
    least: Floats = graph.weights / np.outer(sizes, sizes)
    banned = graph.apart.copy()
    alive = np.ones(graph.n, dtype=bool)
    mergers = 0
    while int(alive.sum()) > graph.min_groups and not control.should_stop():
        if linkage == "gain":
            link = total.copy()
        elif linkage == "average":
            link = total / np.outer(sizes, sizes)
        else:
            link = least.copy()
        link[banned | (sizes[:, None] + sizes[None, :] > graph.max_size)] = -np.inf
        link[~alive, :] = link[:, ~alive] = -np.inf
        np.fill_diagonal(link, -np.inf)
        if int(alive.sum()) <= graph.max_groups and link.max(initial=-np.inf) <= 0:
            small = alive & (sizes < graph.min_size)
            if not small.any():
                break
            link[np.ix_(~small, ~small)] = -np.inf
        if link.max(initial=-np.inf) == -np.inf:
            break
        one, other = sorted(int(place) for place in np.unravel_index(int(np.argmax(link)), link.shape))
        total[one, :] = total[:, one] = total[one] + total[other]
        least[one, :] = least[:, one] = np.minimum(least[one], least[other])
        banned[one, :] |= banned[other, :]
        banned[:, one] |= banned[:, other]
        sizes[one] += sizes[other]
        alive[other] = False
        labels[labels == other] = one
        mergers += 1
    return np.unique(labels, return_inverse=True)[1].astype(np.int64), mergers
