"""Compiled simulated annealing over partitions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.kernels.arrays import Bools, Floats, Ints, Members, OutInts, Random
from solvers.kernels.drawing import accepts, draw
from solvers.kernels.jit import kernel


class Parts(NamedTuple):
    """The groups that a partition may be made of.

    Attributes
    ----------
    indptr, members
        Group g has the tasks ``members[indptr[g] : indptr[g + 1]]``.
    holders, holding
        Task t is in the groups ``holding[holders[t] : holders[t + 1]]``.
    weight, value, cost
        Shape (K,): value with a price for every member, value without, cost.
    fixed
        Shape (K,): groups that stay.
    least, most, cap
        Bounds on the number of groups, and on what they cost.
    """

    indptr: Ints
    members: Members
    holders: Ints
    holding: Ints
    weight: Floats
    value: Floats
    cost: Floats
    fixed: Bools
    least: int
    most: int
    cap: float


@kernel
def anneal_partition(
    parts: Parts,
    owner: OutInts,
    chosen: OutInts,
    count: int,
    best: OutInts,
    record: float,
    temperatures: Floats,
    random: Random,
) -> tuple[int, float]:
    """Force in one group per temperature, taking out those it overlaps, and one more where it is full.

    A move changes the sum of the weights, which hold a price for every task, and is accepted by the rule of
    Metropolis. While a task is in no group, every second move forces in a group that holds one such task.
    ``owner[t]`` is the group of task t or −1, and ``chosen`` the groups, ``count`` of them; both are kept
    up to date. ``best`` receives every partition whose values add up to more than ``record``, preceded by
    its number. Returns the number of groups and the best value.
    """
    indptr, members, weight, value, cost = parts.indptr, parts.members, parts.weight, parts.value, parts.cost
    holders, fixed = parts.holders, parts.fixed
    n_tasks = len(owner)
    n_groups = len(weight)
    place = np.full(n_groups, -1)
    loose = np.empty(n_tasks, dtype=np.int64)
    at = np.full(n_tasks, -1)
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
        if left and draw(random, 2):
            t = loose[draw(random, left)]
            width = holders[t + 1] - holders[t]
            if width == 0:
                continue
            entering = parts.holding[holders[t] + draw(random, width)]
        else:
            entering = draw(random, n_groups)
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
        if not barred and count - leaving + 1 > parts.most:
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
        if not accepts(random, change, temperatures[move]) or barred or after > parts.cap:
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
        if left == 0 and count >= parts.least and total > record:
            record = total
            best[0] = count
            for k in range(count):
                best[k + 1] = chosen[k]
    return count, record
