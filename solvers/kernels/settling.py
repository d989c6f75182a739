"""The compiled consequences of what a node of a search tree has decided."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, Ints, OutSigns
from solvers.kernels.jit import kernel
from solvers.kernels.programs import GroupArrays


@kernel
def settle(groups: GroupArrays, state: OutSigns, penalty: Floats) -> bool:
    """Drop what the forced groups exclude; return False on a contradiction.

    ``penalty[t]`` is the price of leaving task t unserved, infinite where it must be served.
    """
    indptr, members, serve, cost = groups.indptr, groups.members, groups.serve, groups.cost
    n_tasks = len(penalty)
    n_groups = len(cost)
    loads = np.zeros(n_tasks, dtype=np.int64)
    waiting = np.empty(n_tasks, dtype=np.bool_)
    for t in range(n_tasks):
        waiting[t] = np.isinf(penalty[t])
    # What the forced groups hold, serve and cost.
    count = 0
    spent = 0.0
    cheapest = np.inf
    for g in range(n_groups):
        if state[g] > 0:
            count += 1
            spent += cost[g]
            for e in range(indptr[g], indptr[g + 1]):
                loads[members[e]] += 1
                if serve[e] > -np.inf:
                    waiting[members[e]] = False
        elif state[g] == 0:
            cheapest = min(cheapest, cost[g])
    if count > groups.most or spent > groups.cap:
        return False
    to_serve = 0
    for t in range(n_tasks):
        if loads[t] > groups.shares > 0:
            return False
        if waiting[t]:
            to_serve += 1
    # Each free group: whether it fits, and serves all that waits where nothing fits after it.
    left = count
    for g in range(n_groups):
        if state[g] != 0:
            continue
        crowded = False
        served = 0
        for e in range(indptr[g], indptr[g + 1]):
            if loads[members[e]] >= groups.shares > 0:
                crowded = True
            if serve[e] > -np.inf and waiting[members[e]]:
                served += 1
        last = count + 1 == groups.most or spent + cost[g] + cheapest > groups.cap
        full = count == groups.most or spent + cost[g] > groups.cap
        if full or crowded or (last and served < to_serve):
            state[g] = -1
        else:
            left += 1
    # Whether what is left can serve all that waits.
    for g in range(n_groups):
        if state[g] == 0:
            for e in range(indptr[g], indptr[g + 1]):
                if serve[e] > -np.inf:
                    waiting[members[e]] = False
    for t in range(n_tasks):
        if waiting[t]:
            return False
    return left >= groups.least


@kernel
def worth(groups: GroupArrays, penalty: Floats, chosen: Ints, count: int) -> float:
    """Return the value of a choice, −inf where a task that must be served is not."""
    best = np.empty(len(penalty))
    for t in range(len(best)):
        best[t] = -penalty[t]
    value = 0.0
    for i in range(count):
        g = chosen[i]
        value += groups.opening[g]
        for e in range(groups.indptr[g], groups.indptr[g + 1]):
            t = groups.members[e]
            if groups.rigid or groups.serve[e] > best[t]:
                best[t] = groups.serve[e]
    for t in range(len(best)):
        value += best[t]
    return value
