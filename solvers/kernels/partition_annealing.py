"""Compiled kernel of simulated annealing over partitions.

Array conventions as in :mod:`solvers.kernels.relaxation`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def _draw(random: NDArray[np.uint64], limit: int) -> int:
    """Advance a xorshift generator (Marsaglia, 2003) and return a number below ``limit``."""
    word = random[0]
    word ^= word << np.uint64(13)
    word ^= word >> np.uint64(7)
    word ^= word << np.uint64(17)
    random[0] = word
    return int(word >> np.uint64(11)) % limit


@kernel
def anneal_partition(
    indptr: Ints,
    members: NDArray[np.int32],
    holders: Ints,
    holding: Ints,
    weight: Floats,
    value: Floats,
    cost: Floats,
    fixed: NDArray[np.bool_],
    least: int,
    most: int,
    cap: float,
    owner: Ints,
    chosen: Ints,
    count: int,
    best: Ints,
    record: float,
    temperatures: Floats,
    random: NDArray[np.uint64],
) -> tuple[int, float]:
    """Force in one group per temperature, taking out those it overlaps, and one more where it is full.

    ``holding[holders[t] : holders[t + 1]]`` are the groups that hold task t. A move changes the sum of
    the weights, which hold a price for every task, and is accepted by the rule of Metropolis. While a
    task is in no group, every second move forces in a group that holds one such task. ``owner[t]`` is
    the group of task t or −1, and ``chosen`` the groups, ``count`` of them; both are kept up to date.
    ``best`` receives every partition whose values add up to more than ``record``, preceded by its
    number. Returns the number of groups and the best value.
    """
    n_tasks = len(owner)
    n_groups = len(weight)
    place = np.full(n_groups, -1, dtype=np.int64)
    loose = np.empty(n_tasks, dtype=np.int64)
    at = np.full(n_tasks, -1, dtype=np.int64)
    left = 0
    total = 0.0
    spent = 0.0
    for t in range(n_tasks):
        if owner[t] < 0:
            at[t] = left
            loose[left] = t
            left += 1
    for k in range(count):
        place[chosen[k]] = k
        total += value[chosen[k]]
        spent += cost[chosen[k]]
    going = np.empty(n_tasks + 1, dtype=np.int64)
    marked = np.zeros(n_groups, dtype=np.bool_)
    for move in range(len(temperatures)):
        if left and _draw(random, 2):
            t = loose[_draw(random, left)]
            width = holders[t + 1] - holders[t]
            if width == 0:
                continue
            entering = holding[holders[t] + _draw(random, width)]
        else:
            entering = _draw(random, n_groups)
        if place[entering] >= 0:
            continue
        change = weight[entering]
        after = spent + cost[entering]
        leaving = 0
        barred = False
        for e in range(indptr[entering], indptr[entering + 1]):
            g = owner[members[e]]
            if g >= 0 and not marked[g]:
                marked[g] = True
                going[leaving] = g
                leaving += 1
                change -= weight[g]
                after -= cost[g]
                barred |= fixed[g]
        if not barred and count - leaving + 1 > most:
            lightest = -1
            for k in range(count):
                g = chosen[k]
                if not marked[g] and not fixed[g] and (lightest < 0 or weight[g] < weight[lightest]):
                    lightest = g
            if lightest < 0:
                barred = True
            else:
                marked[lightest] = True
                going[leaving] = lightest
                leaving += 1
                change -= weight[lightest]
                after -= cost[lightest]
        for k in range(leaving):
            marked[going[k]] = False
        uniform = (_draw(random, 1 << 53) + 1) * 2.0**-53
        if barred or after > cap or change <= temperatures[move] * np.log(uniform):
            continue
        for k in range(leaving):
            g = going[k]
            count -= 1
            moved = chosen[count]
            chosen[place[g]] = moved
            place[moved] = place[g]
            place[g] = -1
            total -= value[g]
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                owner[t] = -1
                at[t] = left
                loose[left] = t
                left += 1
        chosen[count] = entering
        place[entering] = count
        count += 1
        total += value[entering]
        spent = after
        for e in range(indptr[entering], indptr[entering + 1]):
            t = members[e]
            owner[t] = entering
            left -= 1
            last = loose[left]
            loose[at[t]] = last
            at[last] = at[t]
            at[t] = -1
        if left == 0 and count >= least and total > record:
            record = total
            best[0] = count
            for k in range(count):
                best[k + 1] = chosen[k]
    return count, record


def compile_kernels() -> None:
    """Compile all of the above, or load what was compiled, on a group of one task."""
    nothing, one, indptr = np.zeros(1), np.zeros(1, dtype=np.int64), np.array([0, 1])
    anneal_partition(
        indptr,
        np.zeros(1, dtype=np.int32),
        indptr,
        one,
        nothing,
        nothing,
        nothing,
        np.zeros(1, dtype=np.bool_),
        1,
        1,
        np.inf,
        np.array([-1]),
        np.zeros(2, dtype=np.int64),
        0,
        np.zeros(3, dtype=np.int64),
        -np.inf,
        np.ones(1),
        np.ones(1, dtype=np.uint64),
    )
