"""The compiled table of the knapsack problem over sets of tasks.

A set of tasks is a number whose bit t stands for task t; a table over all sets has 2^N columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.kernels.arrays import OutFloats2, OutInts, OutInts2
from solvers.kernels.jit import kernel
from solvers.kernels.programs import GroupArrays


class Chains(NamedTuple):
    """The most that k groups serving a set A are worth, and the chains of groups that reach it.

    Attributes
    ----------
    values, last
        Shape (places + 1, 2^N): the value, and the last link of the chain, −1 for none.
    group_of, before
        The group of each link and the link before it.
    used
        Shape (1,): number of links.
    """

    values: OutFloats2
    last: OutInts2
    group_of: OutInts
    before: OutInts
    used: OutInts


@kernel
def take_groups(groups: GroupArrays, alike: bool, chains: Chains, first: int, stop: int) -> int:
    """Offer groups ``first`` to ``stop - 1``, each at most once; return the first one not offered.

    Stops early where the links might not suffice. With ``alike``, serving is worth nothing, so that a
    group serves all it can.
    """
    indptr, members, serve = groups.indptr, groups.members, groups.serve
    values, last, used = chains.values, chains.last, chains.used
    places, sets = values.shape
    value = np.empty(sets)
    link = np.empty(sets, dtype=np.int64)
    for group in range(first, stop):
        if used[0] + (places - 1) * sets > len(chains.group_of):
            return group
        able = 0
        for entry in range(indptr[group], indptr[group + 1]):
            if serve[entry] > -np.inf:
                able |= 1 << members[entry]
        # From the most groups to the fewest, so that a group joins no chain that it is in.
        for place in range(min(places - 2, group), -1, -1):
            if not alike:
                for tasks in range(sets):
                    value[tasks] = values[place, tasks]
                    link[tasks] = last[place, tasks]
                # What the group adds to each set by serving one member after the other.
                for entry in range(indptr[group], indptr[group + 1]):
                    if serve[entry] == -np.inf:
                        continue
                    bit = 1 << members[entry]
                    for tasks in range(sets):
                        if not tasks & bit and value[tasks] + serve[entry] > value[tasks | bit]:
                            value[tasks | bit] = value[tasks] + serve[entry]
                            link[tasks | bit] = link[tasks]
            for tasks in range(sets):
                worth = (values[place, tasks] if alike else value[tasks]) + groups.opening[group]
                served = tasks | able if alike else tasks
                if worth > values[place + 1, served]:
                    values[place + 1, served] = worth
                    last[place + 1, served] = used[0]
                    chains.group_of[used[0]] = group
                    chains.before[used[0]] = last[place, tasks] if alike else link[tasks]
                    used[0] += 1
    return stop
