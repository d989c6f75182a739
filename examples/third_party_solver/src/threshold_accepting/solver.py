"""Threshold accepting: a random walk over sets of groups that takes any step not too much worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine import Claim, Control, Feature, Problem, Solver, SolverInfo, UsageError


@dataclass(frozen=True)
class ThresholdAccepting(Solver):
    """Add, drop and swap groups at random; accept a step that loses less than a falling threshold.

    Attributes
    ----------
    steps
        Length of the walk.
    start
        The first threshold, as a fraction of the largest coefficient; it falls linearly to 0.
    """

    steps: int = 2000
    start: float = 0.5

    info: ClassVar[SolverInfo] = SolverInfo(
        summary="A random walk that accepts steps slightly worse",
        exact=False,
        features=frozenset({Feature.SUM, Feature.WORST, Feature.OPENING, Feature.COST}),
        rank=80,
        reference="Dueck and Scheuer, Journal of Computational Physics 90 (1990)",
    )

    def __post_init__(self) -> None:
        if self.steps < 1 or self.start < 0:
            raise UsageError("threshold-accepting needs steps of 1 or more and a start of 0 or more.")

    def solve(self, problem: Problem, control: Control) -> Claim:
        """Walk until the steps or the time are spent."""
        program = problem.program
        rng = np.random.default_rng(control.seed)
        serve = np.full((program.n_groups, program.n_tasks), -np.inf)
        serve[program.entry_groups, program.members] = program.serve
        # So low that serving one more task makes up for everything else.
        unserved = -4.0 * (program.n_tasks + program.max_groups + 1) * program.largest

        def score(groups: list[int]) -> float:
            best = np.maximum(serve[groups].max(axis=0, initial=-np.inf), unserved)
            # The least value alone would not tell how many tasks are unserved.
            served = best.min() if program.aggregate == "min" and best.min() > unserved else best.sum()
            return float(served + program.open[groups].sum())

        current: list[int] = []
        value = score(current)
        for step in range(self.steps):
            if control.should_stop():
                break
            proposed = self._step(current, program.n_groups, program.max_groups, rng)
            if program.cost[proposed].sum() > program.max_cost:
                continue
            threshold = self.start * program.largest * (1 - step / self.steps)
            changed = score(proposed)
            if changed < value - threshold:
                continue
            current, value = proposed, changed
            if value > control.value and current:
                exact = program.value(np.array(current))  # −inf where a task is unserved
                if exact > control.value:
                    control.incumbent(program.rows[current], exact)
        return control.claim()

    @staticmethod
    def _step(groups: list[int], count: int, most: int, rng: np.random.Generator) -> list[int]:
        """Return a neighbour: one group more, one less, or one exchanged."""
        kept = list(groups)
        kind = int(rng.integers(3))
        if kept and (kind != 0 or len(kept) >= most):
            kept.pop(int(rng.integers(len(kept))))
            if kind == 1:
                return kept
        arriving = int(rng.integers(count))
        return kept if arriving in kept else [*kept, arriving]
