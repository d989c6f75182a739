"""Local search: add, drop and swap groups while that improves, with perturbed restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.errors import UsageError
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.claim import Claim
from engine.solving.control import Control
from engine.solving.solver import Solver, SolverInfo
from solvers.tables.black_box import search_set_function
from solvers.tables.completion import complete
from solvers.tables.construction import construct
from solvers.tables.iterated_search import iterate
from solvers.tables.moves import Moves


@dataclass(frozen=True)
class LocalSearch(Solver):
    """Iterated local search over sets of groups (Lourenço, Martin and Stützle, 2003).

    From the greedy grouping, or the warm start where there is one, groups are added, dropped and
    swapped while that improves the value. At a local optimum, up to three groups that serve a random
    task well are forced in, whatever stands in their way leaves, the rest is completed greedily, and
    the descent starts again; a worse local optimum is abandoned. A black-box set function, or what
    extra terms make of an objective, is searched by the same moves, first improvement first.
    The partition of a pairwise graph is searched by chains of moves of tasks between groups, swaps,
    mergers and splits; see :class:`solvers.graphs.search.Search`.

    Attributes
    ----------
    iterations
        Perturbations to try.
    evaluations
        For black-box set functions and extra terms: how many groupings may be evaluated.
    compiled
        For graphs: whether the chains run as machine code, compiled once per machine in some seconds;
        by default from 40 tasks on.
    """

    iterations: int = 100
    evaluations: int = 5000
    compiled: bool | None = None

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Adds, drops and swaps groups with perturbed restarts; also for black-box set functions",
        exact=False,
        features=frozenset(Feature),
        kinds=frozenset({Kind.TABLE, Kind.GRAPH}),
        rank=40,
    )

    def __post_init__(self) -> None:
        if self.iterations < 0 or self.evaluations < 1:
            raise UsageError(
                "local-search needs iterations of 0 or more and evaluations of 1 or more, "
                f"not {self.iterations} and {self.evaluations}."
            )

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Claim:
        """Search until the iterations or the time are spent."""
        if isinstance(problem, LatticeProblem):
            from solvers.graphs.heuristics import search_graph

            return search_graph(problem, control, self.iterations, self.compiled)
        moves = Moves(problem.program)
        rng = np.random.default_rng(control.seed)
        start = None
        if len(control.warm_start):
            start = complete(moves, moves.candidates(control.warm_start.tolist()), control)
        if problem.is_evaluated:
            details = search_set_function(
                problem, moves, start, control, rng, self.evaluations, self.iterations
            )
            return control.claim(details=details)
        if start is None:
            start = construct(moves, control)
        if start is not None:
            iterate(moves, start, control, rng, self.iterations)
        return control.claim()
