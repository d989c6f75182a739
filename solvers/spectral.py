"""Spectral clustering of the task affinity; each cluster becomes a group."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError, unknown_name
from engine.gains.affinity import Affinity, pair_affinity, projected_affinity, task_affinity
from engine.problem.lattice import LatticeProblem
from engine.problem.program import Program
from engine.problem.table import PROGRAM_FEATURES, Kind, Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.graphs.embedding import Embedding
from solvers.local_search import descend, report
from solvers.tables.completion import complete
from solvers.tables.moves import Moves

FLOOR = 1e-6
"""Added to the similarities, relative to the largest, so that the graph is connected."""


@dataclass(frozen=True)
class Spectral(Solver):
    """Cluster the tasks by how much they help each other; every cluster becomes a group.

    The affinity is symmetrised to ``(A + Aᵀ) / 2`` and clustered spectrally (Ng, Jordan and Weiss,
    2001; labels by column-pivoted QR, Damle, Minden and Ying, 2019). Over a table, where no candidate
    equals a cluster, the cluster is snapped to one, which the details of the solution tell, demands
    that the snapped groups do not meet are repaired greedily, and the bound that comes with the
    grouping is the dual bound of the shared presolve. Of a pairwise graph the clusters are the
    groups, repaired by local search where they break a demand; the bound is the sum of all positive
    weights. It is a heuristic either way.

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
        Whether the grouping is improved by adding, dropping and swapping groups, or, of a graph, by
        moving tasks between them.
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
    nonnegative: Literal["shift", "clip", "exp"] = "shift"
    snap: Literal["covering", "jaccard"] = "covering"
    polish: bool = True
    n_clusters: int | None = None
    laplacian: Literal["nonnegative", "signed"] = "nonnegative"
    clusters: Literal["auto", "budget", "eigengap", "best"] = "auto"

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Spectral clustering of the task affinity, each cluster a group",
        exact=False,
        features=PROGRAM_FEATURES,
        kinds=frozenset({Kind.TABLE, Kind.GRAPH}),
        requires=("sklearn",),
        rank=70,
    )

    def __post_init__(self) -> None:
        for name, choices in (
            ("affinity", ("auto", "pairs", "projection")),
            ("nonnegative", ("shift", "clip", "exp")),
            ("snap", ("covering", "jaccard")),
            ("laplacian", ("nonnegative", "signed")),
            ("clusters", ("auto", "budget", "eigengap", "best")),
        ):
            if getattr(self, name) not in choices:
                raise unknown_name(f"{name} of solver 'spectral':", getattr(self, name), choices)
        if self.n_clusters is not None and self.n_clusters < 1:
            raise UsageError(f"The number of clusters must be 1 or more, not {self.n_clusters}.")

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Outcome:
        """Cluster, snap, repair, polish and bound."""
        if isinstance(problem, LatticeProblem):
            from solvers.graphs.spectral import cluster_graph

            return cluster_graph(problem, control, self)
        program = problem.program
        moves = Moves(program)
        rng = np.random.default_rng(control.seed)
        with control.stage("load"):
            import sklearn.cluster  # noqa: F401
        with control.stage("cluster"):
            affinity = self._affinity(problem)
            budget = min(group_budget(program), program.n_tasks)
            counts = self.counts(affinity, 1, budget, "budget")
        details: dict[str, Any] = {"affinity": affinity.source}
        for count in counts:
            with control.stage("cluster"):
                clusters = self._clusters(affinity, count, control.seed)
                groups, snapped = self._groups(problem, moves, clusters)
            told = {
                "clusters": [[problem.gains.tasks[task] for task in one] for one in clusters],
                "snapped": snapped,
            }
            if "clusters" not in details:
                details |= told
            feasible = complete(moves, groups, control)
            if feasible is not None:
                before = control.value
                report(moves, feasible, control)
                if self.polish:
                    with control.stage("polish"):
                        report(moves, descend(moves, feasible, control, rng), control)
                if control.value > before or "repaired" not in details:
                    details |= told | {"repaired": sorted(feasible) != sorted(groups)}
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
        return Outcome(control.rows, control.bound, control.termination(), details=details)

    def counts(self, affinity: Affinity, low: int, high: int, default: str) -> list[int]:
        """Return the numbers of clusters to try.

        Parameters
        ----------
        affinity
            What is clustered.
        low, high
            Bounds that the demands set.
        default
            What ``clusters="auto"`` means.
        """
        if self.n_clusters is not None:
            return [min(self.n_clusters, high)]
        how = default if self.clusters == "auto" else self.clusters
        if how == "budget":
            return [high]
        if how == "best":
            return list(range(low, high + 1))
        return [self.embedding(affinity).eigengap(low, high)]

    def embedding(self, affinity: Affinity) -> Embedding:
        """Return the embedding that the options ask for.

        Parameters
        ----------
        affinity
            What is clustered.
        """
        signed = self.laplacian == "signed"
        return Embedding.of(affinity.symmetrised() if signed else similarities(affinity, self.nonnegative))

    def _clusters(self, affinity: Affinity, count: int, seed: int) -> list[NDArray[np.int64]]:
        if self.laplacian == "signed" and 1 < count < len(affinity.tasks):
            return self.embedding(affinity).clusters(count, seed)
        return cluster(affinity, count, self.nonnegative, seed)

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


def cluster(affinity: Affinity, count: int, nonnegative: str, seed: int) -> list[NDArray[np.int64]]:
    """Cluster the tasks of an affinity into at most ``count`` clusters of task indices.

    Parameters
    ----------
    affinity
        Any affinity.
    count
        Between 1 and the number of tasks.
    nonnegative
        As for :class:`Spectral`.
    seed
        Seeds the eigensolver's start.
    """
    tasks = np.arange(len(affinity.tasks))
    if count <= 1:
        return [tasks]
    if count >= len(tasks):
        return [np.array([task]) for task in tasks]
    similarity = similarities(affinity, nonnegative)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.cluster import SpectralClustering

        labels = SpectralClustering(
            count, affinity="precomputed", assign_labels="cluster_qr", random_state=seed
        ).fit_predict(similarity)
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def similarities(affinity: Affinity, nonnegative: str) -> NDArray[np.float64]:
    """Return the symmetric, non-negative similarity of each pair of tasks, shape (N, N).

    Parameters
    ----------
    affinity, nonnegative
        As for :func:`cluster`.
    """
    symmetric = affinity.symmetrised()
    off = ~np.eye(len(symmetric), dtype=bool)
    if nonnegative == "shift":
        symmetric = symmetric - symmetric[off].min(initial=np.inf) if off.any() else symmetric
    elif nonnegative == "clip":
        symmetric = np.maximum(symmetric, 0.0)
    else:
        symmetric = np.exp((symmetric - symmetric.max()) / (symmetric[off].std() or 1.0))
    largest = float(symmetric[off].max(initial=0.0)) or 1.0
    symmetric = symmetric / largest + FLOOR
    np.fill_diagonal(symmetric, 0.0)
    return symmetric
