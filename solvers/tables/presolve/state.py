"""What a presolve knows: the best grouping, the bound, and what is left of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.choice import make_kernels
from solvers.tables.presolve.interface import Ascent, Kernels, Multipliers, uncovered_worth

Ints = NDArray[np.int64]

MOST_ITERATIONS = 200
"""Steps of one ascent, at most."""
MEMORY = "presolve"
"""Under this name a control remembers multipliers and groups from one budget to the next."""


class PresolveState:
    """What is known of a program while it is reduced.

    Parameters
    ----------
    program
        The whole program.
    control
        Told of every better grouping and bound.
    compiled
        Whether machine code is used.
    start
        Candidate indices of a feasible grouping, where one is known.

    Attributes
    ----------
    floor
        What a task is worth that nothing serves, shape (N,).
    at
        The multipliers of the last ascent.
    value, rows
        The best known value, and the tensor rows of its groups, None where none is known.
    bound
        Proven for what is left.
    kernels
        What is left of the program, and the routines on it.
    ranking
        Rows and values of the groups in the last ascent.
    """

    def __init__(
        self, program: Program, control: Control, compiled: bool, start: Sequence[int] | Ints | None
    ) -> None:
        self.whole = program
        self.control = control
        self.compiled = compiled
        self.floor = uncovered_worth(program)
        self.at: Multipliers = self._first_multipliers()
        self.value = -np.inf
        self.rows: Ints | None = None
        self.bound = control.bound
        self.kernels: Kernels = make_kernels(program, compiled, control)
        self.ranking: tuple[Ints, NDArray[np.float64]]
        for rows in (start, self.positions(control.rows)):
            if rows is not None and len(rows):
                self.offer(np.asarray(rows, dtype=np.int64))

    @property
    def program(self) -> Program:
        """What is left of the program."""
        return self.kernels.program

    @property
    def enough(self) -> float:
        """What a bound must not exceed to prove that nothing is better than the best known grouping."""
        return self.whole.strictly_better(self.value)

    def _first_multipliers(self) -> Multipliers:
        """Return those of an earlier budget, else prices at which each task pays its best value."""
        kept = self.control.memory.get(MEMORY)
        program = self.whole
        if kept is not None:
            at: Multipliers = kept[0]
            return replace(at, lam=at.lam if np.isfinite(program.max_cost) else 0.0)
        return Multipliers(program.best_values, np.zeros(program.n_tasks))

    def positions(self, rows: Ints | None) -> Ints | None:
        """Return the candidate indices of tensor rows in the whole program, None if one is missing."""
        if rows is None:
            return None
        at = np.searchsorted(self.whole.rows, rows)
        inside = np.minimum(at, len(self.whole.rows) - 1)
        return inside if np.array_equal(self.whole.rows[inside], rows) else None

    def offer(self, chosen: Ints) -> None:
        """Take a choice of the current program if it is feasible and the best so far."""
        program = self.program
        if not within_limits(program, chosen):
            return
        value = program.value(chosen)
        if value > self.value:
            self.value, self.rows = value, np.sort(program.rows[chosen])
            self.control.incumbent(self.rows, value)

    def tighten(self, bound: float) -> None:
        """Take a bound on what is left if it is the best so far."""
        if bound < self.bound:
            self.bound = bound
            self.control.tighten(self.certified(bound))

    def certified(self, bound: float) -> float:
        """Turn a bound on what is left into one on the whole program.

        What was fixed away cannot beat the best known value, but may equal it; and where possible
        values lie on a grid, so does the bound.
        """
        grid = self.whole.grid
        if not np.isfinite(bound) and bound > 0:
            return bound
        if not grid:
            return max(bound, self.enough)
        return max(float(np.floor(bound / grid + 1e-3)) * grid if np.isfinite(bound) else bound, self.value)

    def is_closed(self) -> bool:
        """Whether the bound proves the best known grouping."""
        return bool(np.isfinite(self.value) and self.bound <= self.enough)

    def ascend(self, target: float, enough: float, steps: int) -> Ascent:
        """Raise the dual bound by so many steps."""
        ascent = self.kernels.ascend(self.at, target, enough, steps)
        self.at, self.ranking = ascent.at, (self.program.rows, ascent.values)
        self.tighten(ascent.bound)
        return ascent

    def shrink(self, ascent: Ascent) -> bool:
        """Fix by reduced values; return False if nothing better than the best known is left."""
        fixing = self.kernels.fix(ascent, self.enough)
        if fixing is None:
            return False
        program = self.program
        dropped = program.n_groups - int(fixing.keep.sum())
        if dropped * 8 >= program.n_groups or (fixing.forced & ~program.mandatory).any():
            kept = np.flatnonzero(fixing.keep)
            smaller = program.select(kept, fixing.entries)
            smaller = replace(smaller, mandatory=fixing.forced[kept])
            self.kernels = make_kernels(smaller, self.compiled, self.control)
        return True

    def here(self, rows: Ints) -> Ints:
        """Return the indices of tensor rows in the current program, those that are still in it."""
        at = np.minimum(np.searchsorted(self.program.rows, rows), self.program.n_groups - 1)
        here: Ints = at[self.program.rows[at] == rows]
        return here

    def trimmed(self, chosen: Ints) -> Ints:
        """Drop the least useful groups until the rest fits the budget."""
        program = self.program
        while len(chosen) > 1 and not within_limits(program, chosen):
            served = np.tile(self.floor, (len(chosen) + 1, 1))
            for index, group in enumerate(chosen):
                at = slice(program.indptr[group], program.indptr[group + 1])
                served[index, program.members[at]] = program.serve[at]
            ranked = np.sort(served, axis=0)
            server = served.argmax(axis=0)
            loss = np.bincount(server, ranked[-1] - ranked[-2], len(chosen) + 1)[: len(chosen)]
            chosen = np.delete(chosen, int((loss + program.open[chosen]).argmin()))
        return chosen


def within_limits(program: Program, chosen: Ints) -> bool:
    """Whether a choice meets every limit of the program but coverage."""
    if not program.min_groups <= len(chosen) <= program.max_groups:
        return False
    if not program.affords(chosen):
        return False
    held = np.zeros(program.n_groups, dtype=bool)
    held[chosen] = True
    if (program.mandatory & ~held).any():
        return False
    if program.max_memberships is None:
        return True
    tasks = [program.members[program.indptr[group] : program.indptr[group + 1]] for group in chosen]
    loads = np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *tasks]), minlength=program.n_tasks)
    return bool(loads.max(initial=0) <= program.max_memberships)
