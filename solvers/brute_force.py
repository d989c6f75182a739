"""Every set of groups tried: slow, exact, and simple enough to be the oracle of all tests."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.program import Program
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solver import Outcome, Solver, SolverInfo
from solvers.tables.moves import grouping_value

CHUNK_CELLS = 2_000_000


@dataclass(frozen=True)
class BruteForce(Solver):
    """Try every set of groups that the limits allow; of a pairwise graph, every partition.

    Attributes
    ----------
    max_sets
        Refuse problems with more sets, or partitions, than this.
    """

    max_sets: int = 2_000_000

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="Tries every set of groups: exact, for small problems and black-box set functions",
        exact=True,
        features=frozenset(Feature),
        kinds=frozenset({Kind.TABLE, Kind.GRAPH}),
        rank=90,
    )

    def solve(self, problem: Problem | LatticeProblem, control: Control) -> Outcome:
        """Return the best of all sets of groups.

        Raises
        ------
        UsageError
            If there are more sets than ``max_sets``.
        """
        if isinstance(problem, LatticeProblem):
            from solvers.graphs.enumeration import enumerate_partitions

            return enumerate_partitions(problem, control, self.max_sets)
        program = problem.program
        count = count_sets(program)
        if count > self.max_sets:
            raise UsageError(
                f"brute-force would try {count:,} sets of groups, more than max_sets={self.max_sets:,}. "
                "Lower the budget, raise max_sets or choose another exact solver."
            )
        best = -np.inf
        chosen: NDArray[np.int64] | None = None
        tried = 0
        for sets in _chunks(program):
            if control.should_stop():
                return Outcome(control.rows, np.inf, control.termination(), details={"sets": tried})
            values = _values(problem, sets)
            tried += len(sets)
            at = int(np.argmax(values))
            if values[at] > best:
                best, chosen = float(values[at]), program.rows[sets[at]]
                control.incumbent(chosen, best)
        if chosen is None:
            return Outcome(None, infeasible=True, details={"sets": tried})
        return Outcome(control.rows, best, details={"sets": tried})


def count_sets(program: Program) -> int:
    """Return how many sets of groups lie within the limits on their number."""
    fixed = int(program.mandatory.sum())
    free = program.n_groups - fixed
    return sum(math.comb(free, size - fixed) for size in _sizes(program))


def _sizes(program: Program) -> range:
    return range(max(1, program.min_groups, int(program.mandatory.sum())), program.max_groups + 1)


def _chunks(program: Program) -> Iterator[NDArray[np.int64]]:
    """Yield all sets as arrays of candidates, shape (sets, size), a bounded number at a time."""
    fixed = np.flatnonzero(program.mandatory)
    free = np.flatnonzero(~program.mandatory).tolist()
    for size in _sizes(program):
        rest = combinations(free, size - len(fixed))
        length = max(1, CHUNK_CELLS // (size * program.n_tasks))
        while listed := list(islice(rest, length)):
            drawn = np.array(listed, dtype=np.int64).reshape(len(listed), size - len(fixed))
            yield np.hstack([np.tile(fixed, (len(listed), 1)), drawn])


def _values(problem: Problem, sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the program value of each set, −inf where it breaks a demand."""
    program = problem.program
    serve = np.full((program.n_groups, program.n_tasks), -np.inf)
    serve[program.entry_groups, program.members] = program.serve
    held = np.zeros((program.n_groups, program.n_tasks), dtype=np.int64)
    held[program.entry_groups, program.members] = 1

    best = serve[sets].max(axis=1)
    feasible = (best > -np.inf).all(axis=1)
    feasible &= program.cost[sets].sum(axis=1) <= program.max_cost
    if program.max_memberships is not None:
        feasible &= (held[sets].sum(axis=1) <= program.max_memberships).all(axis=1)

    values = np.full(len(sets), -np.inf)
    if problem.is_evaluated:
        for index in np.flatnonzero(feasible):
            values[index] = grouping_value(problem, sets[index].tolist())
        return values
    served = best.min(axis=1) if program.aggregate == "min" else best.sum(axis=1)
    values[feasible] = (served + program.open[sets].sum(axis=1))[feasible]
    return values
