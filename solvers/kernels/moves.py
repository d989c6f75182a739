"""Compiled kernels that make and better solutions: their worth, local search, packing.

Array conventions as in :mod:`solvers.kernels.relaxation`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel
from solvers.kernels.relaxation import Floats, Ints, Members


@kernel
def worth(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    penalty: Floats,
    chosen: Ints,
    count: int,
    rigid: bool,
    best: Floats,
) -> float:
    """Return the value of a choice, −inf where a task that must be served is not.

    ``best`` receives the value at which each task is served.
    """
    for t in range(len(best)):
        best[t] = -penalty[t]
    value = 0.0
    for i in range(count):
        g = chosen[i]
        value += open_[g]
        for e in range(indptr[g], indptr[g + 1]):
            if rigid or serve[e] > best[members[e]]:
                best[members[e]] = serve[e]
    for t in range(len(best)):
        value += best[t]
    return value


@kernel
def improve(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    floor: Floats,
    limits: Ints,
    cap: float,
    chosen: Ints,
    count: int,
    steps: int,
) -> int:
    """Local search by best add, drop or swap; not for partitions.

    ``chosen`` holds the groups at entry and exit, and their new number is returned. ``floor[t]`` is
    the finite worth of leaving task t unserved, low enough to make serving it come first. Groups in
    state −1 are not added, those in state 1 not removed.
    """
    n_tasks = len(floor)
    n_groups = len(open_)
    first = np.empty(n_tasks)
    second = np.empty(n_tasks)
    server = np.empty(n_tasks, dtype=np.int64)
    loads = np.zeros(n_tasks, dtype=np.int64)
    position = np.empty(n_groups, dtype=np.int64)
    slots = n_tasks + limits[0] + 1
    loss = np.empty(slots)
    correction = np.zeros(slots)
    touched = np.empty(slots, dtype=np.int64)
    # Where any group may leave for any other, the groups that one touches and the one that is missed
    # least are all that can leave best.
    plain = limits[2] == 0 and not np.isfinite(cap)
    for _ in range(steps):
        for t in range(n_tasks):
            first[t] = floor[t]
            second[t] = floor[t]
            server[t] = -1
            loads[t] = 0
        for g in range(n_groups):
            position[g] = -1
        spent = 0.0
        for i in range(count):
            g = chosen[i]
            position[g] = i
            spent += cost[g]
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                loads[t] += 1
                if serve[e] > first[t]:
                    second[t] = first[t]
                    first[t] = serve[e]
                    server[t] = i
                elif serve[e] > second[t]:
                    second[t] = serve[e]
        for i in range(count):
            loss[i] = -open_[chosen[i]]
        for t in range(n_tasks):
            if server[t] >= 0:
                loss[server[t]] += second[t] - first[t]
        best_gain = 1e-12
        best_in = -1
        best_out = -1
        least = -1
        for i in range(count):
            if state[chosen[i]] == 0 and (least < 0 or loss[i] > loss[least]):
                least = i
        if count > limits[1]:
            for i in range(count):
                if loss[i] > best_gain and state[chosen[i]] == 0:
                    best_gain = loss[i]
                    best_out = i
        for g in range(n_groups):
            if state[g] != 0 or position[g] >= 0:
                continue
            gain = open_[g]
            met = 0
            crowded = False
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                over = serve[e] - first[t]
                if over > 0.0:
                    gain += over
                if server[t] >= 0 and serve[e] > second[t]:
                    if correction[server[t]] == 0.0:
                        touched[met] = server[t]
                        met += 1
                    correction[server[t]] += serve[e] - second[t] - max(over, 0.0)
                if limits[2] > 0 and loads[t] >= limits[2]:
                    crowded = True
            if count < limits[0] and gain > best_gain and not crowded and spent + cost[g] <= cap:
                best_gain = gain
                best_in = g
                best_out = -1
            if plain:
                if least >= 0 and correction[least] == 0.0 and gain + loss[least] > best_gain:
                    best_gain = gain + loss[least]
                    best_in = g
                    best_out = least
                for j in range(met):
                    i = touched[j]
                    total = gain + loss[i] + correction[i]
                    correction[i] = 0.0
                    if total > best_gain and state[chosen[i]] == 0:
                        best_gain = total
                        best_in = g
                        best_out = i
                continue
            for i in range(count):
                total = gain + loss[i] + correction[i]
                correction[i] = 0.0
                if total <= best_gain or state[chosen[i]] != 0:
                    continue
                if spent + cost[g] - cost[chosen[i]] > cap:
                    continue
                if crowded and not _fits(indptr, members, loads, limits[2], g, chosen[i]):
                    continue
                best_gain = total
                best_in = g
                best_out = i
        if best_in < 0 and best_out < 0:
            break
        if best_out >= 0 and best_in >= 0:
            chosen[best_out] = best_in
        elif best_in >= 0:
            chosen[count] = best_in
            count += 1
        else:
            chosen[best_out] = chosen[count - 1]
            count -= 1
    return count


@kernel
def _fits(indptr: Ints, members: Members, loads: Ints, most: int, entering: int, leaving: int) -> bool:
    """Whether a group may enter when another leaves, under the membership limit."""
    for e in range(indptr[entering], indptr[entering + 1]):
        t = members[e]
        load = loads[t] + 1
        for f in range(indptr[leaving], indptr[leaving + 1]):
            if members[f] == t:
                load -= 1
        if load > most:
            return False
    return True


@kernel
def pack(
    indptr: Ints,
    members: Members,
    cost: Floats,
    state: NDArray[np.int8],
    order: Ints,
    limits: Ints,
    cap: float,
    n_tasks: int,
    chosen: Ints,
) -> int:
    """Choose disjoint groups in a given order of preference, the forced ones first."""
    taken = np.zeros(n_tasks, dtype=np.bool_)
    count = 0
    spent = 0.0
    for wanted in range(1, -1, -1):
        for i in range(len(order)):
            g = order[i]
            if state[g] != wanted:
                continue
            if count >= limits[0] or spent + cost[g] > cap:
                continue
            free = True
            for e in range(indptr[g], indptr[g + 1]):
                if taken[members[e]]:
                    free = False
                    break
            if free:
                chosen[count] = g
                count += 1
                spent += cost[g]
                for e in range(indptr[g], indptr[g + 1]):
                    taken[members[e]] = True
    return count
