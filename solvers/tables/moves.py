"""What adding, dropping and swapping groups does to a grouping: the arithmetic of the heuristics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.problem.kinds import Feature
from engine.problem.objectives import SetFunction
from engine.problem.program import Program
from engine.problem.table import Problem
from engine.solving.referee import referee

DENSE_CELLS = 4_000_000
"""Up to so many candidates × tasks, scores are kept as a full table, which is twice as fast."""

STEEPNESS = 20.0
"""How strongly a worst-task objective weighs low values against high ones, as an exponent."""


@dataclass(frozen=True, eq=False)
class Moves:
    """A program with one additive score per entry, which ranks groupings for a heuristic.

    A grouping's score is the sum over tasks of the best score among the chosen groups, plus the
    opening values. An unserved task scores so low that serving all comes before anything else. For
    a sum objective the scores are the values themselves; for a worst-task objective they are
    ``−exp(−20·u)``, u being the value mapped to 0…1, whose sum is governed by the lowest values.

    Groupings are lists of candidate indices. Limits on number, cost and memberships are never
    broken by :meth:`addable`; serving every task and reaching the least number of groups is what
    :meth:`feasible` adds.

    Attributes
    ----------
    program
        The program.
    """

    program: Program

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """Shape (E,): the score of each entry, −inf where it may not serve."""
        serve = self.program.serve
        if self.program.aggregate == "sum":
            return serve
        finite = serve[np.isfinite(serve)]
        if not len(finite):
            return serve
        low, high = float(finite.min()), float(finite.max())
        unit = (serve - low) / (high - low if high > low else 1.0)
        return np.where(
            np.isfinite(serve), -np.exp(-STEEPNESS * np.where(np.isfinite(serve), unit, 0.0)), serve
        )

    @cached_property
    def unserved(self) -> float:
        """The score of a task that no chosen group serves."""
        finite = self.score[np.isfinite(self.score)]
        largest = float(np.abs(finite).max(initial=0.0)) or 1.0
        opening = float(np.abs(self.program.open).max(initial=0.0))
        return -(4.0 * (self.program.n_tasks + 1) * largest + 2.0 * (self.program.max_groups + 1) * opening)

    @property
    def tolerance(self) -> float:
        """The least change of score that counts."""
        return -1e-13 * self.unserved

    @cached_property
    def mandatory(self) -> list[int]:
        """Candidates that every grouping holds."""
        return [int(group) for group in np.flatnonzero(self.program.mandatory)]

    @cached_property
    def dense(self) -> NDArray[np.float64] | None:
        """Shape (N, K): the score of each task in each candidate; None where that is too large."""
        program = self.program
        if program.n_groups * program.n_tasks > DENSE_CELLS:
            return None
        scores = np.full((program.n_tasks, program.n_groups), self.unserved)
        scores[program.members, program.entry_groups] = np.maximum(self.score, self.unserved)
        return scores

    @cached_property
    def _scratch(self) -> NDArray[np.float64]:
        return np.empty((self.program.n_tasks, self.program.n_groups))

    def row(self, group: int) -> NDArray[np.float64]:
        """Return the score of each task in one candidate, shape (N,)."""
        program = self.program
        at = slice(program.indptr[group], program.indptr[group + 1])
        scores = np.full(program.n_tasks, self.unserved)
        scores[program.members[at]] = np.maximum(self.score[at], self.unserved)
        return scores

    def table(self, groups: Sequence[int]) -> NDArray[np.float64]:
        """Return the score of each task in each of these candidates, shape (len(groups), N)."""
        if not len(groups):
            return np.full((0, self.program.n_tasks), self.unserved)
        if self.dense is not None:
            return np.ascontiguousarray(self.dense[:, list(groups)].T)
        return np.array([self.row(group) for group in groups])

    def best(self, groups: Sequence[int]) -> NDArray[np.float64]:
        """Return the best score of each task, shape (N,)."""
        best: NDArray[np.float64] = self.table(groups).max(axis=0, initial=self.unserved)
        return best

    def without(self, groups: Sequence[int]) -> NDArray[np.float64]:
        """Return the best score of each task if one group leaves, shape (len(groups), N)."""
        table = self.table(groups)
        if len(groups) < 2:
            return np.full_like(table, self.unserved)
        first = table.argmax(axis=0)
        tasks = np.arange(table.shape[1])
        largest = table[first, tasks]
        table[first, tasks] = self.unserved
        left = np.tile(largest, (len(groups), 1))
        left[first, tasks] = table.max(axis=0)
        return left

    def total(self, groups: Sequence[int]) -> float:
        """Return the score of a grouping."""
        return float(self.best(groups).sum() + self.program.open[list(groups)].sum())

    def improvement(self, best: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how much each candidate would add to the score, opening value included, shape (K,)."""
        program = self.program
        if self.dense is not None:
            # A new array of this size would cost more than the arithmetic.
            raised = np.maximum(self.dense, best[:, None], out=self._scratch)
            sums: NDArray[np.float64] = raised.sum(axis=0) - best.sum() + program.open
            return sums
        better = np.maximum(self.score - best[program.members], 0.0)
        return np.bincount(program.entry_groups, better, program.n_groups) + program.open

    def addable(self, groups: Sequence[int]) -> NDArray[np.bool_]:
        """Return which candidates can join a grouping within the limits, shape (K,)."""
        program = self.program
        chosen = list(groups)
        if len(chosen) >= program.max_groups:
            return np.zeros(program.n_groups, dtype=bool)
        fits = np.ones(program.n_groups, dtype=bool)
        fits[chosen] = False
        if np.isfinite(program.max_cost):
            spent = float(program.cost[chosen].sum())
            fits &= program.cost + spent <= program.max_cost
        if program.max_memberships is not None:
            full = self.memberships(chosen) >= program.max_memberships
            fits[program.entry_groups[full[program.members]]] = False
        return fits

    def fits(self, groups: Sequence[int], group: int) -> bool:
        """Whether one candidate can join a grouping within the limits."""
        program = self.program
        chosen = list(groups)
        if group in chosen or len(chosen) >= program.max_groups:
            return False
        if np.isfinite(program.max_cost):
            spent = float(program.cost[chosen].sum() + program.cost[group])
            if spent > program.max_cost:
                return False
        if program.max_memberships is None:
            return True
        members = program.members[program.indptr[group] : program.indptr[group + 1]]
        return bool((self.memberships(chosen)[members] < program.max_memberships).all())

    def memberships(self, groups: Sequence[int]) -> NDArray[np.int64]:
        """Return the number of chosen groups that hold each task, shape (N,)."""
        program = self.program
        held = [program.members[program.indptr[group] : program.indptr[group + 1]] for group in groups]
        entries = np.concatenate(held) if held else np.empty(0, dtype=np.int64)
        return np.bincount(entries, minlength=program.n_tasks)

    def within_limits(self, groups: Sequence[int]) -> bool:
        """Whether a grouping breaks no limit and holds the mandatory groups."""
        program = self.program
        return (
            len(groups) <= program.max_groups
            and set(self.mandatory) <= set(groups)
            and float(program.cost[list(groups)].sum()) <= program.max_cost
            and (
                program.max_memberships is None
                or bool((self.memberships(groups) <= program.max_memberships).all())
            )
        )

    def feasible(self, groups: Sequence[int]) -> bool:
        """Whether a grouping meets every demand of the program."""
        return (
            len(groups) >= max(1, self.program.min_groups)
            and bool((self.best(groups) > self.unserved).all())
            and self.within_limits(groups)
        )

    def candidates(self, rows: Sequence[int]) -> list[int]:
        """Return the candidates of some tensor rows, leaving out rows that are none."""
        position = {int(row): group for group, row in enumerate(self.program.rows)} if len(rows) else {}
        return [position[row] for row in dict.fromkeys(rows) if row in position]


def grouping_value(problem: Problem, groups: Sequence[int]) -> float:
    """Return the program value of a grouping, with all that the problem says beyond the program.

    A black-box set function gives the value alone; extra terms and demands are asked in plain Python,
    and a grouping that breaks a demand is worth −inf.

    Parameters
    ----------
    problem
        The problem.
    groups
        Candidates that serve every task.
    """
    program = problem.program
    if Feature.EXTENSION in problem.features:
        verdict = referee(problem, program.rows[list(groups)])
        return -np.inf if verdict.value is None or verdict.problems else program.sign * verdict.value
    if isinstance(problem.objective, SetFunction):
        rows = sorted(int(program.rows[group]) for group in groups)
        value = float(problem.objective.function([problem.gains.group(row) for row in rows]))
        return value if np.isfinite(value) else -np.inf
    return program.value(np.array(groups, dtype=np.int64))
