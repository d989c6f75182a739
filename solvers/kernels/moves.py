"""The compiled local search: the best addition, removal or exchange, again and again.

Array conventions as in :mod:`solvers.kernels.relaxation`.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, Ints, OutInts, Signs
from solvers.kernels.jit import inner, kernel
from solvers.kernels.programs import GroupArrays


@inner
def _fits(groups: GroupArrays, loads: Ints, entering: int, leaving: int) -> bool:
    """Whether a group may enter when another leaves, under the membership limit."""
    indptr, members = groups.indptr, groups.members
    for e in range(indptr[entering], indptr[entering + 1]):
        load = loads[members[e]] + 1
        for f in range(indptr[leaving], indptr[leaving + 1]):
            if members[f] == members[e]:
                load -= 1
        if load > groups.shares:
            return False
    return True


@kernel
def improve(groups: GroupArrays, state: Signs, floor: Floats, chosen: OutInts, count: int, steps: int) -> int:
    """Local search by best add, drop or swap; not for partitions.

    ``chosen`` holds the groups at entry and exit, and their new number is returned. ``floor[t]`` is
    the finite worth of leaving task t unserved, low enough to make serving it come first. Groups in
    state −1 are not added, those in state 1 not removed.
    """
    indptr, members, serve, cost = groups.indptr, groups.members, groups.serve, groups.cost
    n_tasks = len(floor)
    n_groups = len(cost)
    first = np.empty(n_tasks)
    second = np.empty(n_tasks)
    server = np.empty(n_tasks, dtype=np.int64)
    loads = np.empty(n_tasks, dtype=np.int64)
    taken = np.zeros(n_groups, dtype=np.bool_)
    slots = n_tasks + groups.most + 1
    loss = np.empty(slots)
    correction = np.zeros(slots)
    touched = np.empty(slots, dtype=np.int64)
    # Where any group may leave for any other, the groups that one touches and the one that is missed
    # least are all that can leave best.
    plain = groups.shares == 0 and not np.isfinite(groups.cap)
    for _ in range(steps):
        # The two best values of each task, who gives the best, and what each group's leaving would lose.
        for t in range(n_tasks):
            first[t] = floor[t]
            second[t] = floor[t]
            server[t] = -1
            loads[t] = 0
        spent = 0.0
        for i in range(count):
            g = chosen[i]
            taken[g] = True
            loss[i] = -groups.opening[g]
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
        for t in range(n_tasks):
            if server[t] >= 0:
                loss[server[t]] += second[t] - first[t]
        least = -1
        for i in range(count):
            if state[chosen[i]] == 0 and (least < 0 or loss[i] > loss[least]):
                least = i
        best_gain = 1e-12
        best_in = -1
        best_out = -1
        if count > groups.least and least >= 0 and loss[least] > best_gain:
            best_gain = loss[least]
            best_out = least
        # Each group that may enter: alone, or in the place of a chosen one. ``correction[i]`` is what it
        # makes up for where the group at position i leaves.
        for g in range(n_groups):
            if state[g] != 0 or taken[g]:
                continue
            gain = groups.opening[g]
            met = 0
            crowded = False
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                over = max(serve[e] - first[t], 0.0)
                gain += over
                i = server[t]
                if i >= 0 and serve[e] > second[t]:
                    if correction[i] == 0.0:
                        touched[met] = i
                        met += 1
                    correction[i] += serve[e] - second[t] - over
                if loads[t] >= groups.shares > 0:
                    crowded = True
            if gain > best_gain and count < groups.most and not crowded and spent + cost[g] <= groups.cap:
                best_gain = gain
                best_in = g
                best_out = -1
            tried = count
            if plain:
                tried = met
                if least >= 0 and correction[least] == 0.0:
                    touched[met] = least
                    tried = met + 1
            for j in range(tried):
                i = touched[j] if plain else j
                total = gain + loss[i] + correction[i]
                correction[i] = 0.0
                if total <= best_gain or state[chosen[i]] != 0:
                    continue
                if not plain:
                    if spent + cost[g] - cost[chosen[i]] > groups.cap:
                        continue
                    if crowded and not _fits(groups, loads, g, chosen[i]):
                        continue
                best_gain = total
                best_in = g
                best_out = i
        if best_out >= 0:
            taken[chosen[best_out]] = False
            chosen[best_out] = best_in
            if best_in < 0:
                count -= 1
                chosen[best_out] = chosen[count]
        elif best_in >= 0:
            chosen[count] = best_in
            count += 1
        else:
            break
    return count
