"""Why a problem is infeasible: the smallest conflicting set of demands that can be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.constraints import Partition
from engine.problem.kinds import Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.objectives import Coefficients, Objective
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solver import Solver

EXHAUSTIVE_DEMANDS = 12
"""Up to so many demands, all pairs are tried before demands are dropped one by one."""


@dataclass(frozen=True)
class _Anything(Objective):
    """Values every feasible grouping alike, so that solving is a test of feasibility."""

    def coefficients(self, gains: GainTensor) -> Coefficients:
        return Coefficients(np.zeros(len(gains.values)))

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64]:
        return np.zeros(len(tasks))


@dataclass(frozen=True)
class Conflict:
    """Why a problem is infeasible.

    Attributes
    ----------
    demands
        Demands of the user that no grouping can meet together, in words, each once.
    reasons
        What about the gains makes them clash, where that shows without search.
    """

    demands: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


NO_CONFLICT = Conflict()


def contradictory(problem: Problem | LatticeProblem) -> bool:
    """Whether the demands are contradictory on their face, without any search."""
    return bool(problem.reasons())


def explain(problem: Problem | LatticeProblem, solver: Solver, control: Control) -> Conflict:
    """Return demands that no grouping of the tensor can meet together, in the user's words.

    Every set of one or two demands is tried first; then demands are dropped one by one while the
    rest stays infeasible, so the answer is irreducible if the time sufficed. The demand that every
    task be served is always meant.

    Parameters
    ----------
    problem
        An infeasible problem.
    solver
        The solver that proved it; it decides the smaller problems too.
    control
        Gives the time left.
    """
    # That groups are disjoint makes a graph a graph, and is no demand of the user.
    meant = [one for one in problem.constraints if problem.kind is Kind.GRAPH and isinstance(one, Partition)]
    demands = [one for one in problem.constraints if one not in meant]

    def conflicting(kept: Sequence[Constraint]) -> bool:
        smaller = replace(problem, objective=_Anything(), constraints=(*kept, *meant))
        if contradictory(smaller):
            return True
        if control.remaining() <= 0 or solver.info.lacks(smaller):
            return False
        try:
            return solver.solve(smaller, control.quiet()).infeasible
        except UsageError:  # too much for this solver
            return False

    if len(demands) <= EXHAUSTIVE_DEMANDS:
        for size in (1, 2):
            for few in combinations(demands, size):
                if conflicting(few):
                    return _conflict(problem, few)
    kept = list(demands)
    for demand in demands:
        without = [one for one in kept if one is not demand]
        if conflicting(without):
            kept = without
    return _conflict(problem, kept)


def _conflict(problem: Problem | LatticeProblem, demands: Sequence[Constraint]) -> Conflict:
    told = replace(problem, objective=_Anything(), constraints=tuple(demands)).reasons()
    return Conflict(tuple(dict.fromkeys(one.describe() for one in demands)), told)
