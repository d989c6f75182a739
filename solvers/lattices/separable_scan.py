"""The scan of a separable model: compiled, in blocks, on as many threads as allowed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.gains.separable import SeparableModel
from engine.solving.control import Control
from solvers.kernels.arrays import fitted
from solvers.kernels.lanes import NEVER, Tables
from solvers.kernels.loading import loading
from solvers.lattices.form import LatticeForm, Prices
from solvers.lattices.threads import Stopped, done_on_threads

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOW_TASKS = 10
"""So many tasks make the lanes of a block: 1024 numbers, which stay in the nearest cache."""

LEAST_WEIGHT = 1e-15
LOWEST = -1e10
"""Below any gain, and above ``NEVER`` times the least weight."""

MOST_DEMANDS = 64
"""Each demand that tasks be together or apart takes one bit of a word."""

SLICES = 64
DOUBLE_TASKS = 18
"""With more tasks the first look at all groups is in single precision, which takes half the time."""


def can_scan(form: LatticeForm) -> bool:
    """Whether the structure of a form's model, and its demands, suit the compiled scan."""
    return form.is_structured and len(form.limits.apart) + len(form.limits.together) <= MOST_DEMANDS


class SeparableScan:
    """Evaluates every group of a separable model.

    Parameters
    ----------
    form
        The program; :func:`can_scan` must hold.
    threads
        How many threads to use.
    """

    def __init__(self, form: LatticeForm, threads: int) -> None:
        self.form, self.threads = form, threads
        count = form.n_tasks
        # Of a first look, and of a second. One that is not used is not compiled.
        self.precisions = (np.float32 if count > DOUBLE_TASKS else np.float64, np.float64)
        model: Any = form.model
        structure: SeparableModel = model
        self.low = min(LOW_TASKS, count)
        self.n_blocks = 1 << (count - self.low)
        # Gains so directed that a larger one is worth more, and scaled to magnitudes around 1.
        turned = np.where(form.weights == 0, form.direction, np.sign(form.weights))
        effects = structure.pairs * turned
        np.fill_diagonal(effects, 0.0)
        weights = np.asarray(structure.size_weights, dtype=np.float64)
        reach = (np.abs(weights) * np.maximum(np.arange(count + 1) - 1, 0)).max(initial=0.0)
        self.scale = float(np.abs(effects).max(initial=0.0) * reach) or 1.0
        effects /= self.scale
        self.offsets = structure.offsets * turned / self.scale
        self.gain_worth = np.abs(form.weights) * self.scale
        # A floor on gains that are worth less the larger they are is left to the second look.
        floor = np.where(turned == form.direction, form.floor / self.scale, -np.inf)
        self.floor = np.where(
            np.isfinite(floor), floor - self.offsets - self._rounding(self.precisions[0]), LOWEST
        )
        lanes = np.arange(1 << self.low)
        bits = (lanes[:, None] >> np.arange(self.low) & 1).astype(bool)
        sums = (bits.astype(np.float64) @ effects[: self.low]).T
        if not form.is_partition:
            sums[: self.low][~bits.T] = NEVER
        sizes = bits.sum(axis=1) + np.arange(count - self.low + 1)[:, None]
        weights = np.maximum(weights, LEAST_WEIGHT)
        self.bits = bits
        limits = form.limits
        self.sized = (sizes >= max(2, limits.min_size)) & (sizes <= limits.max_size)
        self.tables: tuple[Any, ...] = tuple(
            (
                effects.astype(kind),
                self.low,
                np.ascontiguousarray(sums, dtype=kind),
                np.ascontiguousarray(bits.T, dtype=kind),
                weights[np.minimum(sizes, count)].astype(kind),
            )
            for kind in self.precisions
        )
        self.demands = self._demands()

    def _rounding(self, kind: type[np.floating[Any]]) -> float:
        """Return how far the gain of a task may be off: it is a sum of N terms."""
        return float(np.finfo(kind).eps) * 2 * (self.form.n_tasks + 2)

    def error(self, prices: Prices, *, exact: bool = False) -> float:
        """Return how far the worth of a group may be off, at a first look or an exact one."""
        kind = self.precisions[exact]
        count, eps = self.form.n_tasks, float(np.finfo(kind).eps)
        added = float(np.abs(self._over(prices)).max())
        largest = float(self.gain_worth.max())
        held = float(np.abs(prices.hold).sum())
        return count * (self._rounding(kind) * largest + (count + 3) * eps * (largest + added)) + (
            (count + 3) * eps * held
        )

    def _over(self, prices: Prices) -> Floats:
        return self.gain_worth * self.offsets - prices.serve

    def bests(self, prices: Prices, control: Control) -> Floats | None:
        """Return the largest worth in each block, None if interrupted."""
        return self._scan(prices, np.arange(self.n_blocks), control, exact=False)

    def refined(
        self, prices: Prices, blocks: Ints, bests: Floats, control: Control
    ) -> tuple[Floats, float] | None:
        """Return the largest worth in some blocks in double precision, None if interrupted."""
        exact = self._scan(prices, blocks, control, exact=True)
        return None if exact is None else (exact, self.error(prices, exact=True))

    def _scan(self, prices: Prices, blocks: Ints, control: Control, exact: bool) -> Floats | None:
        with loading(control):
            from solvers.kernels.group_scan import scan
            from solvers.kernels.jit import prepared

            for kind in set(self.precisions):
                prepared(scan, np.dtype(kind).name)
        tables = self._tables(prices, exact)
        bests = np.empty(len(blocks))
        nothing, none = np.full(len(blocks), np.inf), np.zeros(0, dtype=np.int64)
        edges = np.linspace(0, len(blocks), min(SLICES, len(blocks)) + 1).astype(np.int64)
        slices = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))

        def work(part: tuple[int, int], stopped: Stopped) -> bool:
            if stopped():
                return False
            scan(blocks, *part, tables, bests, nothing, none)
            return True

        return bests if done_on_threads(work, slices, self.threads, control) else None

    def collect(
        self, prices: Prices, blocks: Ints, thresholds: Floats, most: int, exact: bool
    ) -> Ints | None:
        """Return the codes of all groups in some blocks above the block's threshold, None if too many."""
        from solvers.kernels.group_scan import scan

        codes, bests = np.empty(most, dtype=np.int64), np.empty(len(blocks))
        count = scan(blocks, 0, len(blocks), self._tables(prices, exact), bests, thresholds, codes)
        return None if count > most else codes[:count]

    def _tables(self, prices: Prices, exact: bool) -> Tables:
        form, kind = self.form, self.precisions[exact]
        over = self._over(prices)
        least = self.floor
        if not form.is_partition:
            # A group does not serve where that is worth less than nothing.
            with np.errstate(divide="ignore", invalid="ignore"):
                even = np.where(
                    self.gain_worth > 0, -over / self.gain_worth, np.where(over > 0, -np.inf, np.inf)
                )
            least = np.clip(np.maximum(least, even), LOWEST, -LOWEST)
        held = self.bits @ prices.hold[: self.low]
        base = np.where(self.sized, -held, NEVER)
        values = (
            *self.tables[exact],
            base.astype(kind),
            *self.demands,
            self.gain_worth.astype(kind),
            over.astype(kind),
            least.astype(kind),
            prices.hold.astype(kind),
            form.is_partition,
        )
        return fitted(Tables, **dict(zip(Tables._fields, values, strict=True)))

    def _demands(self) -> tuple[NDArray[np.uint64], Ints, Ints]:
        """Return what "apart" and "together" forbid of each lane, given the high part of a group."""
        limits = self.form.limits
        sets = [(0, tasks) for tasks in limits.apart] + [(1, tasks) for tasks in limits.together]
        bad = np.zeros((3, len(self.bits)), dtype=np.uint64)
        high = np.zeros((2, len(sets)), dtype=np.int64)
        for index, (together, tasks) in enumerate(sets):
            low_part = sorted(task for task in tasks if task < self.low)
            high_part = sorted(task - self.low for task in tasks if task >= self.low)
            high[0, index] = sum(1 << task for task in high_part)
            high[1, index] = len(high_part)
            held = self.bits[:, low_part].sum(axis=1)
            none, full = held == 0, held == len(low_part)
            forbidden = (~none, ~full, ~none & ~full) if together else (held > 1, ~none, held > 1)
            for state, lanes in enumerate(forbidden):
                bad[state] |= lanes.astype(np.uint64) << np.uint64(index)
        return bad, high, np.array([kind for kind, _ in sets], dtype=np.int64)
