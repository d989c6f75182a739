"""Compiled kernels that evaluate every group of a separable model, block by block.

A group is a code: bit t tells whether task t is a member. The high bits name a block, the low bits a
lane in it; what the low tasks contribute is tabulated once per lane, so that the value of a task in
all groups of a block is one multiplication and two additions per lane, in vector registers.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, Ints, OutFloats, OutInts
from solvers.kernels.jit import kernel
from solvers.kernels.lanes import NEVER, Tables


@kernel
def scan(
    blocks: Ints,
    first: int,
    last: int,
    tables: Tables,
    bests: OutFloats,
    thresholds: Floats,
    codes: OutInts,
) -> int:
    """Evaluate every group of some blocks: write the largest worth in each, and list groups.

    Parameters
    ----------
    blocks
        Shape (B,): codes of the high tasks.
    first, last
        Look at the blocks ``first`` to ``last − 1``.
    tables
        What to read.
    bests
        Shape (B,): the largest worth in each block, written, ``NEVER`` where no group may be chosen.
    thresholds
        Shape (B,): groups worth more than that of their block are listed.
    codes
        Codes of these groups, written as far as there is room.

    Returns
    -------
    int
        The number of groups listed; where there is no room for all, one that is larger than that.
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
    high_sums = np.empty_like(hold)
    worth = np.empty_like(low_sums[0])
    lanes = len(worth)
    zero = worth.dtype.type(0.0)
    never = worth.dtype.type(NEVER)
    found = 0
    for i in range(first, last):
        block = blocks[i]
        bests[i] = NEVER
        # The state of each demand, given the high part: broken, or what it forbids the low part.
        state = np.uint64(0)
        second = np.uint64(0)
        broken = found > len(codes)
        for s in range(len(demands)):
            held = block & tables.high_parts[0, s]
            count = 0
            while held:
                held &= held - 1
                count += 1
            if demands[s] == 0:
                broken |= count > 1
                if count == 1:
                    state |= np.uint64(1) << np.uint64(s)
            elif count == tables.high_parts[1, s]:
                if count > 0:
                    state |= np.uint64(1) << np.uint64(s)
                else:
                    second |= np.uint64(1) << np.uint64(s)
            else:
                broken |= count > 0
        if broken:
            continue
        # What the high part contributes to every lane.
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
        # The value of one task after the other, in all lanes at once.
        for t in range(n_tasks):
            if t >= low_bits and not (block >> (t - low_bits)) & 1:
                continue
            each, add, sums, floor = tables.gain_worth[t], tables.over[t], high_sums[t], tables.least[t]
            if tables.rigid:
                if t < low_bits:
                    for lane in range(lanes):
                        value = (sums + low_sums[t, lane]) * size_weights[members, lane]
                        value = each * value + add if value >= floor else never
                        worth[lane] += low_member[t, lane] * value
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
        best = never
        for lane in range(lanes):
            best = max(best, worth[lane])
        bests[i] = best
        if best > thresholds[i]:
            for lane in range(lanes):
                if worth[lane] > thresholds[i]:
                    if found < len(codes):
                        codes[found] = (block << low_bits) | lane
                    found += 1
    return found
