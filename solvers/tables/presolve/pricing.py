"""Partial pricing: the kernels of the presolve on programs too large to scan at every step.

Most dual steps see a list of candidates only, the groups of promising reduced value. A pass over all
groups, sliced over threads, gives a valid bound and new candidates, as in column generation. Each group
is valued by itself, so results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.adapter import CompiledKernels
from solvers.tables.presolve.interface import Ascent, Fixing, Multipliers
from solvers.tables.presolve.prices import prices_of

Ints = NDArray[np.int64]

CANDIDATES = 20_000
"""So many groups are candidates at first, and so many join after a pass at most."""

SAMPLE = 5_000
"""So many groups give the first multipliers."""

PRICING_ROUNDS = 12
LEAST_ITERATIONS = 120
"""Steps on the candidates between two passes, at least."""

MARGIN = 0.05
"""Groups whose value falls short of the worst chosen one by so much of the mean one are candidates too."""

CLOSE_ENOUGH = 1e-5
"""The candidates tell the whole where their bound differs by so little of the bound, or"""
CLOSE_TO_GAP = 5e-3
"""by so much of the gap."""


@dataclass(frozen=True)
class _Pass:
    """What a pass over all groups found: the bound at some multipliers, and the value of each group."""

    bound: float
    at: Multipliers
    values: NDArray[np.float64]
    chosen: Ints
    give_way: float


class PricedKernels:
    """Kernels that look at candidates most of the time.

    Parameters
    ----------
    program
        What to work on.
    control
        Ends the work early and gives the threads.
    """

    def __init__(self, program: Program, control: Control) -> None:
        self.program = program
        self._whole = CompiledKernels(program, control)
        self._control = control
        self._pool = program.mandatory.copy()
        self._admitted = False
        self._sampled: Multipliers | None = None
        self._bounds = _even_slices(program.indptr, 4 * control.threads)

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound by steps on candidates, until a pass adds nothing."""
        now = best = self._pass(at)
        if self._sampled is not None:
            now = best = min(now, self._pass(self._sampled), key=lambda one: one.bound)
            self._sampled = None
        frequency = np.zeros(self.program.n_groups)
        frequency[best.chosen] = 1.0
        for _ in range(PRICING_ROUNDS):
            if best.bound <= enough or not np.isfinite(best.bound) or self._control.should_stop():
                break
            self._admit(now)
            groups, kernels = self._candidates(self._pool)
            inner = kernels.ascend(now.at, target, enough, max(iterations, LEAST_ITERATIONS))
            if not np.isfinite(inner.bound):
                break
            now = self._pass(inner.at)
            if now.bound < best.bound:
                best = now
                frequency[:] = 0.0
                frequency[groups] = inner.frequency
            missing = now.bound - inner.bound
            if missing <= max(CLOSE_ENOUGH * abs(now.bound), CLOSE_TO_GAP * (best.bound - target)):
                break
        return Ascent(best.bound, best.at, best.values, frequency)

    @property
    def state(self) -> NDArray[np.int8]:
        """Which groups are forced and which are free."""
        return self._whole.state

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Fix groups and entries by the values of the last pass."""
        return self._whole.fix(ascent, enough)

    def improve(
        self,
        chosen: Ints,
        allowed: NDArray[np.bool_],
        floor: NDArray[np.float64],
        steps: int,
    ) -> Ints:
        """Search locally among the allowed candidates; the first time, sample the groups for some."""
        able = self._pool
        if not self._admitted:
            sampled, able = self._sample()
            chosen = chosen if len(chosen) else sampled
        able = able & allowed
        able[chosen] = True
        groups, kernels = self._candidates(able | self.program.mandatory)
        start = np.searchsorted(groups, chosen)
        return groups[kernels.improve(start, np.ones(len(groups), dtype=bool), floor, steps)]

    def pack(self, order: Ints) -> Ints:
        """Choose disjoint groups greedily in a given order."""
        return self._whole.pack(order)

    def _candidates(self, held: NDArray[np.bool_]) -> tuple[Ints, CompiledKernels]:
        groups = np.flatnonzero(held)
        return groups, CompiledKernels(self.program.select(groups), self._control)

    def _sample(self) -> tuple[Ints, NDArray[np.bool_]]:
        """Find the first multipliers and candidates by way of groups at even distances.

        Returns the groups of the sample that its relaxation chose most often, as far as the limits of
        a plain budget allow, and the groups to search first.
        """
        program = self.program
        count = min(SAMPLE, program.n_groups)
        held = program.mandatory.copy()
        held[np.linspace(0, program.n_groups - 1, count).astype(np.int64)] = True
        groups, kernels = self._candidates(held)
        best = kernels.program.best_values
        start = np.where(np.isfinite(best), best, program.best_values)
        guess = float(start.sum() - 0.5 * (np.abs(start).sum() + program.scale))
        first = Multipliers(start, np.zeros(program.n_tasks))
        ascent = kernels.ascend(first, guess, -np.inf, LEAST_ITERATIONS)
        self._sampled = ascent.at
        now = self._pass(ascent.at)
        self._admit(now)
        chosen = groups[:0]
        if np.isinf(program.max_cost) and not program.max_memberships:
            often = np.argsort(-ascent.frequency, kind="stable")[: program.max_groups]
            chosen = groups[often[ascent.frequency[often] > 0]]
        return chosen, _largest(now.values, max(SAMPLE, 4 * program.max_groups))

    def _admit(self, now: _Pass) -> None:
        """Let groups of promising value join the candidates; keep the best where they grow too many."""
        program = self.program
        count = min(max(CANDIDATES, 4 * program.max_groups, 2 * program.min_groups), program.n_groups)
        if not self._admitted:
            self._admitted = True
            self._pool |= _largest(now.values, count)
        mean = float(np.abs(now.values[now.chosen]).sum()) / max(1, len(now.chosen))
        least = min(now.give_way, np.finfo(float).max) - MARGIN * mean
        joining = ~self._pool & (now.values > least)
        if joining.sum() > count:
            joining &= _largest(np.where(joining, now.values, -np.inf), count)
        if self._pool.sum() + joining.sum() > 3 * count:
            self._pool &= _largest(np.where(self._pool, now.values, -np.inf), count)
            self._pool |= program.mandatory
        self._pool |= joining
        self._pool[now.chosen] = True

    def _pass(self, at: Multipliers) -> _Pass:
        """Value every group and bound the whole program."""
        from solvers.kernels.relaxation import reduced_values, select

        groups, state, prices = self._whole.groups, self._whole.state, prices_of(at)
        values, scratch = np.empty((2, self.program.n_groups))
        chosen = np.empty(self.program.n_groups, dtype=np.int64)

        def value(begin: int, end: int) -> None:
            reduced_values(groups, state, prices, begin, end, values)

        _in_slices(value, self._bounds, self._control.threads)
        count, give_way, _ = select(groups, values, state, chosen, scratch)
        if count < 0:
            return _Pass(-np.inf, at, values, chosen[:0], 0.0)
        bound = float(prices @ self._whole.dual.supply + values[chosen[:count]].sum())
        return _Pass(bound, at, values, chosen[:count].copy(), give_way)


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Return which are the largest, at least ``count`` of them being finite or not."""
    held = np.zeros(len(values), dtype=bool)
    if count >= len(values):
        held[:] = True
    else:
        held[np.argpartition(-values, count)[:count]] = True
    return held & (values > -np.inf)


def _even_slices(indptr: Ints, parts: int) -> Ints:
    """Return where to cut the groups so that each part has as many entries."""
    cuts = np.searchsorted(indptr, np.linspace(0, indptr[-1], parts + 1)[1:-1])
    return np.concatenate([[0], cuts, [len(indptr) - 1]])


def _in_slices(work: Callable[[int, int], None], bounds: Ints, threads: int) -> None:
    """Do some work on each slice, in threads where there are several."""
    slices = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
    if threads == 1:
        for begin, end in slices:
            work(begin, end)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, begin, end) for begin, end in slices]:
            done.result()
