"""Compiled kernels that evaluate every group of a separable model, block by block.

A group is a code: bit t tells whether task t is a member. The high bits name a block, the low bits a
lane in it; what the low tasks contribute is tabulated once per lane, so that the value of a task in
all groups of a block is one multiplication and two additions per lane, in vector registers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel

Singles = NDArray[np.floating[Any]]
"""In single precision for a first look, in double precision for a second."""

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]

NEVER = -1e30
"""That of :mod:`solvers.lattices.form`; here again, since compiled code is kept by its own file."""


class Tables(NamedTuple):
    """What a scan reads, in the precision of the look.

    Attributes
    ----------
    effects
        Shape (N, N): effect of the row's task on the column's.
    low_bits
        Number of low tasks.
    low_sums
        Shape (N, lanes): effect of the low tasks of a lane on each task.
    low_member
        Shape (low tasks, lanes): 1 where the low task is in the lane, else 0.
    size_weights
        Shape (high tasks + 1, lanes): weight of the effects, given the number of high members.
    low_base
        Shape (high tasks + 1, lanes): what to begin with, given the number of high members:
        the prices of holding the low tasks, ``NEVER`` where the size is out of bounds.
    low_bad
        Shape (3, lanes): bit s is set where demand s forbids the lane, given that the high part is in
        state 0, 1 or 2 of that demand.
    high_parts
        Shape (2, demands): the high tasks of each demand, as a code, and their number.
    demands
        Shape (demands,): 0 for "apart", 1 for "together".
    gain_worth, over, least
        Shape (N,): a task that gains ``v`` counts ``gain_worth · v + over`` where ``v`` is at least
        ``least``, and otherwise nothing or, if ``rigid``, makes the group one that may not be chosen.
    hold
        Shape (N,): price of holding each task.
    rigid
        Whether every member is served.
    """

    effects: Singles
    low_bits: int
    low_sums: Singles
    low_member: Singles
    size_weights: Singles
    low_base: Singles
    low_bad: Bits
    high_parts: Ints
    demands: Ints
    gain_worth: Singles
    over: Singles
    least: Singles
    hold: Singles
    rigid: bool


@kernel
def block_worth(block: int, tables: Tables, high_sums: Singles, worth: Singles) -> bool:
    """Write the worth of every group of a block, ``NEVER`` for those that may not be chosen.

    Parameters
    ----------
    block
        Code of the high tasks.
    tables
        What to read.
    high_sums
        Scratch of shape (N,).
    worth
        Shape (lanes,), written.

    Returns
    -------
    bool
        False where no group of the block may be chosen; then nothing is written.
    """
    # Fields of a tuple are looked up once, not in every lane.
    effects, low_bits, low_sums, low_member = (
        tables.effects,
        tables.low_bits,
        tables.low_sums,
        tables.low_member,
    )
    size_weights, low_bad, demands, hold = tables.size_weights, tables.low_bad, tables.demands, tables.hold
    n_tasks = len(hold)
    lanes = len(worth)
    zero = worth.dtype.type(0.0)
    never = worth.dtype.type(NEVER)
    state = np.uint64(0)
    second = np.uint64(0)
    for s in range(len(demands)):
        held = block & tables.high_parts[0, s]
        count = 0
        while held:
            held &= held - 1
            count += 1
        if demands[s] == 0:
            if count > 1:
                return False
            if count == 1:
                state |= np.uint64(1) << np.uint64(s)
        elif count == tables.high_parts[1, s]:
            if count > 0:
                state |= np.uint64(1) << np.uint64(s)
            else:
                second |= np.uint64(1) << np.uint64(s)
        elif count > 0:
            return False
    for t in range(n_tasks):
        high_sums[t] = 0.0
    members = 0
    base = zero
    for b in range(n_tasks - low_bits):
        if (block >> b) & 1:
            members += 1
            base -= hold[low_bits + b]
            for t in range(n_tasks):
                high_sums[t] += effects[low_bits + b, t]
    for lane in range(lanes):
        worth[lane] = tables.low_base[members, lane] + base
    for t in range(n_tasks):
        if t >= low_bits and not (block >> (t - low_bits)) & 1:
            continue
        each, add, sums, floor = tables.gain_worth[t], tables.over[t], high_sums[t], tables.least[t]
        if tables.rigid:
            if t < low_bits:
                for lane in range(lanes):
                    value = (sums + low_sums[t, lane]) * size_weights[members, lane]
                    worth[lane] += low_member[t, lane] * (each * value + add if value >= floor else never)
            else:
                for lane in range(lanes):
                    value = (sums + low_sums[t, lane]) * size_weights[members, lane]
                    worth[lane] += each * value + add if value >= floor else never
        else:
            # low_sums hold NEVER where a low task is no member, so that it counts for nothing.
            for lane in range(lanes):
                value = (sums + low_sums[t, lane]) * size_weights[members, lane]
                worth[lane] += each * value + add if value >= floor else zero
    if len(demands):
        for lane in range(lanes):
            bad = (low_bad[1, lane] & state) | (low_bad[2, lane] & second)
            bad |= low_bad[0, lane] & ~(state | second)
            if bad:
                worth[lane] = never
    return True


@kernel
def scan(blocks: Ints, first: int, last: int, tables: Tables, bests: NDArray[np.float64]) -> None:
    """Write the largest worth in each of the blocks ``first`` to ``last − 1`` to ``bests``."""
    high_sums = np.empty_like(tables.over)
    worth = np.empty_like(tables.low_sums[0])
    for i in range(first, last):
        best = worth.dtype.type(NEVER)
        if block_worth(blocks[i], tables, high_sums, worth):
            for lane in range(len(worth)):
                best = max(best, worth[lane])
        bests[i] = best


@kernel
def collect(blocks: Ints, thresholds: NDArray[np.float64], tables: Tables, codes: Ints) -> int:
    """Write the codes of all groups of some blocks whose worth exceeds the block's threshold.

    Returns their number; where there is no room for all in ``codes``, one that is larger than that.
    """
    high_sums = np.empty_like(tables.over)
    worth = np.empty_like(tables.low_sums[0])
    found = 0
    for i in range(len(blocks)):
        if found > len(codes):
            break
        if not block_worth(blocks[i], tables, high_sums, worth):
            continue
        for lane in range(len(worth)):
            if worth[lane] > thresholds[i]:
                if found < len(codes):
                    codes[found] = (blocks[i] << tables.low_bits) | lane
                found += 1
    return found


@kernel
def add_margins(
    values: Singles, prices: NDArray[np.float64], scale: float, worth: NDArray[np.float64]
) -> None:
    """Add to the worth of each lane what serving its tasks is worth beyond their prices.

    Parameters
    ----------
    values
        Shape (N, lanes): the value of each task, far below any price where it may not be served.
    prices
        Shape (N,), in the unit of the values.
    scale
        What a unit of the values is worth.
    worth
        Shape (lanes,), added to.
    """
    for t in range(len(prices)):
        price = prices[t]
        for lane in range(len(worth)):
            worth[lane] += max(values[t, lane] - price, 0.0) * scale
