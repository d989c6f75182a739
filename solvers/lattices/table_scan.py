"""The scan of any gain model: its predictions for all groups, kept in memory or in a file, or made anew."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.solving.control import Control
from solvers.kernels.lanes import NEVER
from solvers.kernels.loading import loading
from solvers.lattices.form import Floats, LatticeForm, Members, Prices
from solvers.lattices.threads import Stopped, done_on_threads

Ints = NDArray[np.int64]

LOW_TASKS = 12
"""So many tasks make the lanes of a block."""

HALF_LARGEST = 6e4
"""Half precision holds magnitudes up to 65504."""

LEAST = -5e4
"""What may not be chosen is worth less, in any precision and unit of a table."""


class TableScan:
    """Looks the value of every task in every group up.

    Parameters
    ----------
    form
        The program.
    threads
        How many threads to use.
    memory
        Bytes that the table may take: in double precision where that fits, else in single precision.
    folder
        Where a table that does not fit is kept in half precision, in a file that vanishes with this object;
        None evaluates the model in every pass.
    """

    def __init__(self, form: LatticeForm, threads: int, memory: float, folder: str | None = None) -> None:
        self.form, self.threads = form, threads
        count = form.n_tasks
        self.low = min(LOW_TASKS, count)
        self.n_blocks, self.lanes = 1 << (count - self.low), 1 << self.low
        # A partition needs one number per group, a selection one per task.
        shape = (self.n_blocks, self.lanes) if form.is_partition else (self.n_blocks, count, self.lanes)
        cells = float(np.prod(shape))
        self.table: NDArray[Any] | None = None
        if 4 * cells <= memory:
            self.table = np.empty(shape, dtype=np.float64 if 8 * cells <= memory else np.float32)
        elif folder is not None:
            with tempfile.TemporaryFile(dir=folder) as file:
                self.table = np.memmap(file, dtype=np.float16, mode="w+", shape=shape)
        self.scale = 1.0
        self.largest = 0.0
        self.filled = 0
        limits = form.limits
        sized = limits.min_size > 1 or limits.max_size < count
        # Without floors, only a group that may not be chosen serves nobody.
        self._restricted = not np.isfinite(form.floor).any() and bool(
            sized or limits.together or limits.apart or limits.forbidden
        )
        self._bits = (np.arange(self.lanes)[:, None] >> np.arange(count) & 1).astype(bool)

    @property
    def complete(self) -> bool:
        """Whether every group has been evaluated, or none is kept."""
        return self.table is None or self.filled == self.n_blocks

    def fill(self, control: Control) -> bool:
        """Evaluate the model on all groups, from where an earlier call stopped; return whether all are."""
        table = self.table
        while table is not None and self.filled < self.n_blocks:
            if control.should_stop():
                return False
            values = self._evaluated(self.filled)
            magnitude = float(np.abs(values[values > NEVER]).max(initial=0.0))
            if self.filled == 0 and table.dtype == np.float16:
                self.scale = magnitude or 1.0
            self.largest = max(self.largest, magnitude)
            if table.dtype == np.float16:
                values = values / self.scale
                # What half precision cannot hold is found out by the second look.
                values = np.where(values > HALF_LARGEST, np.inf, np.maximum(values, -HALF_LARGEST))
            table[self.filled] = values
            self.filled += 1
        return True

    @property
    def totals(self) -> Floats | None:
        """Shape (2^N,): the total value of each group by its code, where groups are disjoint and listed."""
        if self.table is None or not self.complete or not self.form.is_partition:
            return None
        if self.table.dtype == np.float16:
            return None
        return np.asarray(self.table.reshape(-1), dtype=np.float64)

    def _members(self, block: int) -> Members:
        count = self.form.n_tasks
        held = block >> (np.arange(count) - self.low) & 1
        held[: self.low] = 0
        members: Members = self._bits | held.astype(bool)
        return members

    def _evaluated(self, block: int) -> Floats:
        """Return what a block's row of the table holds; what may not be chosen is worth nothing anywhere."""
        form = self.form
        member = self._members(block)
        some = member.any(axis=1)
        values = np.full(member.shape, -np.inf)
        values[some] = form.values(member[some])
        values[~some | ~form.admitted(member, values)] = -np.inf
        if not form.is_partition:
            return np.ascontiguousarray(np.maximum(values, NEVER).T)
        able = np.isfinite(values)
        totals = np.where(able, values, 0.0).sum(axis=1)
        return np.where(able.any(axis=1), totals, NEVER)

    def error(self, prices: Prices) -> float:
        """Return how far the worth of a group may be off."""
        count = self.form.n_tasks
        added = float(np.abs(prices.serve).sum() + np.abs(prices.hold).sum()) + count * self.largest
        rounding = float(np.finfo(np.float64).eps) * (2 * count + 3) * max(added, 1e-300)
        if self.table is None or self.table.dtype == np.float64:
            return rounding
        stored = 1 if self.form.is_partition else count
        precision = np.finfo(self.table.dtype)
        lost = float(precision.eps) * self.largest + float(precision.smallest_subnormal) * self.scale
        return rounding + stored * lost

    def bests(self, prices: Prices, control: Control) -> Floats | None:
        """Return the largest worth in each block, None if interrupted."""
        if not self.fill(control):
            return None
        if not self.form.is_partition:
            with loading(control):
                import solvers.kernels.margins  # noqa: F401
        bests = np.full(self.n_blocks, NEVER)
        shared = self._shared(prices)

        def work(block: int, stopped: Stopped) -> bool:
            if stopped():
                return False
            bests[block] = self._worth(block, prices, shared).max()
            return True

        return bests if done_on_threads(work, range(self.n_blocks), self.threads, control) else None

    def refined(
        self, prices: Prices, blocks: Ints, bests: Floats, control: Control
    ) -> tuple[Floats, float] | None:
        """Return what the first look gave: a second one in the same table would be no more exact."""
        return bests, self.error(prices)

    def collect(
        self, prices: Prices, blocks: Ints, thresholds: Floats, most: int, exact: bool
    ) -> Ints | None:
        """Return the codes of all groups in some blocks above the block's threshold, None if too many."""
        found: list[Ints] = [np.zeros(0, dtype=np.int64)]
        shared, count = self._shared(prices), 0
        for block, threshold in zip(blocks.tolist(), thresholds.tolist(), strict=True):
            lanes = np.flatnonzero(self._worth(block, prices, shared) > threshold)
            count += len(lanes)
            if count > most:
                return None
            found.append((block << self.low) | lanes)
        return np.concatenate(found)

    def _shared(self, prices: Prices) -> Floats:
        """Return what a lane's low tasks cost, shape (lanes,): their holding, in partitions their serving."""
        each = prices.serve if self.form.is_partition else prices.hold
        return _subset_sums(each[: self.low])

    def _worth(self, block: int, prices: Prices, shared: Floats) -> Floats:
        """Return the worth of each group of a block, shape (lanes,)."""
        each = prices.serve if self.form.is_partition else prices.hold
        high = [task for task in range(self.low, self.form.n_tasks) if block >> (task - self.low) & 1]
        cost = shared + each[high].sum()
        values = self._evaluated(block) if self.table is None else self.table[block]
        if self.table is None:
            self.largest = max(self.largest, float(np.abs(values[values > NEVER]).max(initial=0.0)))
        if values.dtype == np.float16:
            values = values.astype(np.float32)
        if self.form.is_partition:
            return np.asarray(values * self.scale - cost, dtype=np.float64)
        from solvers.kernels.margins import add_margins

        worth: Floats = -cost
        add_margins(values, prices.serve / self.scale, self.scale, worth)
        if self._restricted:
            worth[(values <= LEAST).all(axis=0)] = NEVER
        return worth


def _subset_sums(numbers: Floats) -> Floats:
    """Return the sum over the members of every subset, shape (2^n,)."""
    sums = np.zeros(1)
    for number in numbers:
        sums = np.concatenate([sums, sums + number])
    return sums
