"""Spectral clustering of the task affinity; each cluster becomes a group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, unknown_name
from engine.gains.affinity import Affinity, pair_affinity, projected_affinity, task_affinity
from engine.problem.kinds import PROGRAM_FEATURES, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.program import Program
from engine.problem.table import Problem
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.graphs.clustering import Clustering, Count, Laplacian, Nonnegative
from solvers.graphs.heuristics import WARM_START, in_words
from solvers.graphs.spectral import cluster_graph
from solvers.graphs.threads import one_thread
from solvers.tables.completion import complete
from solvers.tables.iterated_search import descend, report
from solvers.tables.moves import Moves


@dataclass(frozen=True)
class Spectral(Solver):
    """Cluster the tasks by how much they help each other; every cluster becomes a group.

    The affinity is symmetrised to ``(A + Aᵀ) / 2`` and clustered spectrally (Ng, Jordan and Weiss,
    2001; labels by column-pivoted QR, Damle, Minden and Ying, 2019). The clusters themselves are the
    answer. Over a table, where no candidate equals a cluster, the cluster is snapped to one, demands
    that the snapped groups do not meet are repaired greedily, and the bound that comes with the
    grouping is the dual bound of the shared presolve. Of a pairwise graph the clusters are the
    groups, repaired by local search where they break a demand; the bound is the sum of all positive
    weights. It is a heuristic either way. The details of the solution name what was snapped, and
    whether the grouping was repaired or polished.

    Attributes
    ----------
    affinity
        ``"pairs"``: the gains of the pairs; ``"projection"``: least squares over all groups;
        ``"auto"``: pairs where every pair is known, else the projection.
    nonnegative
        ``"shift"`` subtracts the least off-diagonal entry, ``"clip"`` raises negative entries to 0,
        ``"exp"`` takes exp(a / s), s being the standard deviation off the diagonal.
    snap
        ``"covering"``: the candidate that serves the whole cluster at the highest value, and where
        none does the one of highest Jaccard similarity; ``"jaccard"``: always the latter.
    polish
        Whether the grouping is then improved by adding, dropping and swapping groups, or, of a graph,
        by moving tasks between them. What it reaches is the merit of that local search more than of
        the clusters.
    n_clusters
        So many clusters, but no more than the budget allows groups.
    laplacian
        ``"nonnegative"``: the normalised Laplacian of the affinity made non-negative; ``"signed"``: the
        normalised signed Laplacian of the affinity as it is (Kunegis et al., 2010).
    clusters
        How many, where ``n_clusters`` does not say: ``"budget"``: as many as the budget allows groups;
        ``"eigengap"``: as many as come before the largest gap of the Laplacian's eigenvalues;
        ``"best"``: every number is tried and the best grouping kept. ``"auto"`` is the budget over a
        table; of a graph it is the budget where the number of groups is limited, and else the best.
    """

    affinity: Literal["auto", "pairs", "projection"] = "auto"
    nonnegative: Nonnegative = "shift"
    snap: Literal["covering", "jaccard"] = "covering"
    polish: bool = False
    n_clusters: int | None = None
    laplacian: Laplacian = "nonnegative"
    clusters: Count = "auto"

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Spectral clustering of the task affinity, each cluster a group",
        exact=False,
        features=PROGRAM_FEATURES,
        kinds=frozenset({Kind.TABLE, Kind.GRAPH}),
        requires=("scipy", "threadpoolctl"),
        rank=70,
    )

    def __post_init__(self) -> None:
        for name, choices in (
            ("affinity", ("auto", "pairs", "projection")),
            ("snap", ("covering", "jaccard")),
        ):
            if getattr(self, name) not in choices:
                raise unknown_name(f"{name} of solver 'spectral':", getattr(self, name), choices)
        self._clustering  # noqa: B018  (checks the other options)

    @property
    def _clustering(self) -> Clustering:
        return Clustering(self.nonnegative, self.laplacian, self.clusters, self.n_clusters)

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Claim:
        """Cluster, snap, repair and bound; polish where that is asked for."""
        if isinstance(problem, LatticeProblem):
            return cluster_graph(problem, control, self._clustering, self.polish)
        program = problem.program
        moves = Moves(program)
        rng = np.random.default_rng(control.seed)
        with control.stage("cluster"), one_thread():
            affinity = self._affinity(problem)
            embedding = self._clustering.embedding(affinity)
            most = min(group_budget(program), program.n_tasks)
            counts = self._clustering.counts(embedding, 1, most, "budget")
        best: dict[str, Any] = {}
        for count in counts:
            with control.stage("cluster"), one_thread():
                clusters = embedding.clusters(count, control.seed)
                groups, snapped = self._groups(problem, moves, clusters)
            repaired = not moves.feasible(groups)
            feasible = complete(moves, groups, control) if repaired else groups
            before = control.value
            if feasible is not None:
                report(moves, feasible, control)
                if self.polish:
                    with control.stage("polish"):
                        report(moves, descend(moves, feasible, control, rng), control)
            if control.value > before or not best:
                words = in_words(
                    "spectral clusters", snapped=bool(snapped), repaired=repaired, polished=self.polish
                )
                best = {
                    "clusters": [[problem.tasks[task] for task in cluster] for cluster in clusters],
                    "snapped": snapped,
                    "repaired": repaired,
                    "polished": self.polish,
                    "method": words if control.value > before else WARM_START,
                }
            if control.should_stop():
                break
        if control.presolve and not control.should_stop():
            # Under a control of its own, so that the grouping stays that of the clusters.
            with control.stage("presolve"):
                limit = control.remaining()
                scratch = Control(
                    time_limit=limit if np.isfinite(limit) else None,
                    seed=control.seed,
                    threads=control.threads,
                    memory=control.memory,
                )
                control.tighten(dual_bound(program, scratch))
        details = {"affinity": affinity.source, **best}
        return control.claim(details=details)

    def _affinity(self, problem: Problem) -> Affinity:
        if self.affinity == "projection":
            return projected_affinity(problem.gains)
        if self.affinity == "auto":
            return task_affinity(problem.gains)
        pairs = pair_affinity(problem.gains)
        if pairs is None:
            raise DataError(
                "affinity='pairs' needs the gains of every pair of tasks, and this tensor lacks some. "
                "Use affinity='projection'."
            )
        return pairs

    def _groups(
        self, problem: Problem, moves: Moves, clusters: list[NDArray[np.int64]]
    ) -> tuple[list[int], list[dict[str, Any]]]:
        """Return a candidate per cluster, largest cluster first, and what had to be snapped."""
        gains, program = problem.gains, problem.program
        chosen = list(moves.mandatory)
        snapped: list[dict[str, Any]] = []
        sizes = gains.sizes[program.rows]
        for tasks in sorted(clusters, key=len, reverse=True):
            addable = moves.addable(chosen)
            if not addable.any():
                break
            inside = np.isin(program.members, tasks) & np.isfinite(program.serve)
            common = np.bincount(program.entry_groups[inside], minlength=program.n_groups)
            jaccard = common / (sizes + len(tasks) - common)
            value = program.open + np.bincount(
                program.entry_groups[inside], moves.score[inside], program.n_groups
            )
            covering = addable & (common == len(tasks))
            same = covering & (sizes == len(tasks))
            if same.any():
                group = int(np.argmax(np.where(same, value, -np.inf)))
            elif self.snap == "covering" and covering.any():
                group = int(np.argmax(np.where(covering, value, -np.inf)))
            else:
                group = int(np.argmax(np.where(addable, jaccard, -1.0)))
            chosen.append(group)
            if not same.any():
                cluster_names = [gains.tasks[task] for task in tasks]
                members = list(gains.group(int(program.rows[group])))
                snapped.append({"cluster": cluster_names, "group": members, "jaccard": float(jaccard[group])})
        return chosen, snapped


def dual_bound(program: Program, control: Control) -> float:
    """Return the bound of the shared presolve on the program value.

    The presolve is about sums; the worst of N values is at most their mean, and at most the best
    value of any one task.

    Parameters
    ----------
    program, control
        As for :func:`~solvers.tables.presolve.presolve`.
    """
    from solvers.tables.presolve import presolve

    if program.aggregate == "sum":
        return presolve(program, control).bound
    mean = presolve(replace(program, aggregate="sum"), control).bound / program.n_tasks
    return min(float(program.best_values.min()), mean)


def group_budget(program: Program) -> int:
    """Return how many groups the program affords, at the cheapest cost under a cost budget."""
    count = max(1, program.max_groups)
    cheapest = float(program.cost.min(initial=np.inf))
    if np.isfinite(program.max_cost) and 0 < cheapest < np.inf:
        count = min(count, max(1, int(program.max_cost / cheapest * (1 + 1e-9))))
    return count
