"""Exact partitions of pairwise graphs: local search, strong relaxations and branching on pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from engine.errors import UsageError, unknown_name
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.graphs.augmented import Augmented
from solvers.graphs.heuristics import opened
from solvers.graphs.search import COMPILED_NODES, Search
from solvers.graphs.threads import one_thread
from solvers.graphs.tree import CutTree

LINEAR_PARTS = 25
"""So many parts of the tree are tried with linear bounds, which need no compiler, where either may serve."""


@dataclass(frozen=True)
class BranchAndCut(Solver):
    """Branch and cut for clique partitioning, with every demand that a graph problem can make.

    A local search finds a partition. A relaxation bounds what any could reach: the linear program over
    pairs with triangle inequalities added as they are violated (Grötschel and Wakabayashi, 1989), or,
    for more than some dozen tasks, the same inequalities and 2-partition inequalities on positive
    semidefinite matrices. Pairs that the bound decides are fixed, and what stays open is branched on:
    a pair together, or apart. Bounds are computed from the multipliers of the relaxation, rounding
    included, so that they hold whatever the accuracy of its solution.

    Attributes
    ----------
    relaxation
        ``"linear"``, ``"semidefinite"``, or ``"auto"``: the first for up to 40 nodes while the tree
        stays small, the second otherwise. The second is compiled, once per machine, in some seconds.
    iterations
        Perturbations of the local search at the start; the search goes on from what relaxations say.
    """

    relaxation: Literal["auto", "linear", "semidefinite"] = "auto"
    iterations: int = 5

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Branch and cut for partitions of pairwise graphs: triangle cuts, semidefinite bounds",
        exact=True,
        features=frozenset({Feature.SUM, Feature.PARTITION, Feature.MIN_GROUPS, Feature.MANDATORY}),
        kinds=frozenset({Kind.GRAPH}),
        requires=("highspy", "numba", "threadpoolctl"),
        rank=0,
        reference="M. Grötschel, Y. Wakabayashi: A cutting plane algorithm for a clustering problem. 1989.",
    )

    def __post_init__(self) -> None:
        known = ("auto", "linear", "semidefinite")
        if self.relaxation not in known:
            raise unknown_name("relaxation of solver 'branch-and-cut':", self.relaxation, known)
        if self.iterations < 0:
            raise UsageError(f"branch-and-cut needs iterations of 0 or more, not {self.iterations}.")

    def solve(self, problem: LatticeProblem, control: Control) -> Claim:
        """Solve a graph problem to proven optimality, or as far as the time allows."""
        graph = opened(problem, control)
        if isinstance(graph, Claim):
            return graph
        linear = self.relaxation == "linear" or (self.relaxation == "auto" and graph.n < COMPILED_NODES)
        search = Search(graph, control, np.random.default_rng(control.seed), compiled=not linear)
        tree = CutTree(graph, control, search)
        details: dict[str, Any] = {}
        finished = False
        with one_thread():
            with control.stage("local search"):
                starts = [graph.labels(control.warm_start)] if len(control.warm_start) else []
                search.run(self.iterations, [*starts, np.arange(graph.n)])
            with control.stage("search"):
                if linear:
                    from solvers.graphs.simplex import Simplex

                    details["relaxation"] = "linear"
                    most = LINEAR_PARTS if self.relaxation == "auto" else np.inf
                    finished = tree.run(Simplex(graph, tree.pairs), most)
                if not finished and not control.should_stop():
                    finished = tree.run(Augmented(graph, tree.pairs, control))
                    details["relaxation"] = "semidefinite"
        details |= {"parts": tree.parts, "nodes": graph.n}
        if finished and control.rows is None:
            return Claim(None, infeasible=True, details=details)
        if search.labels is not None:
            control.tighten(tree.bound())
        return control.claim(Termination.TOLERANCE if finished else Termination.COMPLETED, details)
