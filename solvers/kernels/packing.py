"""The compiled choice of disjoint groups, one after the other."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Ints, OutInts, Signs
from solvers.kernels.jit import kernel
from solvers.kernels.programs import GroupArrays


@kernel
def pack(groups: GroupArrays, state: Signs, order: Ints, n_tasks: int, chosen: OutInts) -> int:
    """Choose disjoint groups in a given order of preference, the forced ones first; return their number."""
    indptr, members = groups.indptr, groups.members
    taken = np.zeros(n_tasks, dtype=np.bool_)
    count = 0
    spent = 0.0
    for wanted in range(1, -1, -1):
        for i in range(len(order)):
            g = order[i]
            if state[g] != wanted or count >= groups.most or spent + groups.cost[g] > groups.cap:
                continue
            free = True
            for e in range(indptr[g], indptr[g + 1]):
                free &= not taken[members[e]]
            if free:
                chosen[count] = g
                count += 1
                spent += groups.cost[g]
                for e in range(indptr[g], indptr[g + 1]):
                    taken[members[e]] = True
    return count
