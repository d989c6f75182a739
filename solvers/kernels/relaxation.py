"""Compiled kernels of the relaxation: reduced values, selection, dual ascent, fixing.

Conventions of all kernels on a program. ``state[g]`` is 0 for a free group, 1 for a forced one, −1 for a
dropped one. ``prices`` has shape (2 N + 1,): Lagrange multipliers of serving each task exactly once, of the
membership limit of each task, and of the cost limit.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, OutBools, OutFloats, OutInts, OutSigns, Signs
from solvers.kernels.jit import kernel
from solvers.kernels.programs import FIRST_STEP, LEAST_STEP, MOMENTUM, PATIENCE, STEP_DECAY, Dual, GroupArrays
from solvers.kernels.ranking import nth_largest


@kernel
def reduced_values(
    groups: GroupArrays, state: Signs, prices: Floats, begin: int, end: int, values: OutFloats
) -> None:
    """Write the value of choosing each group of a range at some prices, −inf for dropped ones."""
    indptr, members, serve = groups.indptr, groups.members, groups.serve
    n_tasks = len(prices) // 2
    least = -np.inf if groups.rigid else 0.0
    for g in range(begin, end):
        if state[g] < 0:
            values[g] = -np.inf
            continue
        value = groups.opening[g] - prices[2 * n_tasks] * groups.cost[g]
        for e in range(indptr[g], indptr[g + 1]):
            value += max(serve[e] - prices[members[e]], least)
        if groups.shares > 0 and not groups.rigid:
            for e in range(indptr[g], indptr[g + 1]):
                value -= prices[n_tasks + members[e]]
        values[g] = value


@kernel
def select(
    groups: GroupArrays, values: Floats, state: Signs, chosen: OutInts, scratch: OutFloats
) -> tuple[int, float, float]:
    """Choose the forced groups and the free ones of the largest values.

    Writes the chosen groups to ``chosen`` and returns their number, −1 if the limits exclude every
    choice; the least value of a chosen free group that gives way to another one (0 while there is
    room); and the value that replaces a chosen group when it is dropped.
    """
    forced = 0
    free = 0
    positive = 0
    for g in range(len(values)):
        if state[g] > 0:
            forced += 1
        elif state[g] == 0:
            scratch[free] = values[g]
            free += 1
            if values[g] > 0.0:
                positive += 1
    room = groups.most - forced
    need = max(0, groups.least - forced)
    wanted = min(room, max(positive, need))
    if wanted > free or room < 0:
        return -1, 0.0, 0.0
    # Everything worth choosing fits, or else the wanted number divides the values.
    threshold = 0.0
    ties = 0
    if wanted != positive:
        threshold = np.inf
        if wanted > 0:
            threshold = nth_largest(scratch, free, wanted)
            for i in range(wanted):
                if scratch[i] == threshold:
                    ties += 1
    count = 0
    last = np.inf
    following = -np.inf
    for g in range(len(values)):
        if state[g] < 0:
            continue
        if state[g] == 0:
            taken = values[g] > threshold
            if values[g] == threshold and ties > 0:
                ties -= 1
                taken = True
            if not taken:
                following = max(following, values[g])
                continue
            last = min(last, values[g])
        chosen[count] = g
        count += 1
    # Below the room, groups of no worth chosen to reach the least number give way too.
    give_way = last if wanted == room else min(last, 0.0)
    return count, give_way, following if wanted <= need else max(0.0, following)


@kernel
def ascend(
    groups: GroupArrays,
    dual: Dual,
    state: Signs,
    prices: OutFloats,
    target: float,
    enough: float,
    iterations: int,
    values: OutFloats,
    frequency: OutFloats,
) -> float:
    """Tighten the Lagrangian bound by Polyak steps towards ``target``.

    On return ``prices`` holds the best ones, ``values`` the reduced values under them and ``frequency``
    how often each group was chosen, recent iterations weighing more. Stops as soon as the bound is below
    ``enough``. Returns the bound, −inf if the limits exclude every choice.
    """
    indptr, members, serve, rigid = groups.indptr, groups.members, groups.serve, groups.rigid
    supply, low, high = dual.supply, dual.low, dual.high
    n_groups = len(values)
    size = len(prices)
    n_tasks = size // 2
    shared = groups.shares > 0 and not rigid
    capped = supply[size - 1] > 0.0
    chosen = np.empty(n_groups, dtype=np.int64)
    scratch = np.empty(n_groups)
    best_prices = np.empty(size)
    slope = np.empty(size)
    direction = np.empty(size)
    for i in range(size):
        best_prices[i] = prices[i]
        direction[i] = 0.0
    for g in range(n_groups):
        frequency[g] = 0.0
    best = np.inf
    theta = FIRST_STEP
    norm = 1.0
    stale = 0
    for iteration in range(iterations + 1):
        done = iteration == iterations or best <= enough or theta < LEAST_STEP or norm <= 1e-30
        if done:
            for i in range(size):
                prices[i] = best_prices[i]
        reduced_values(groups, state, prices, 0, n_groups, values)
        if done:
            break
        # The relaxation at these prices, and by how much its choice leaves or breaks each demand.
        count = select(groups, values, state, chosen, scratch)[0]
        if count < 0:
            return -np.inf
        bound = 0.0
        for i in range(size):
            bound += prices[i] * supply[i]
            slope[i] = supply[i]
        for i in range(count):
            g = chosen[i]
            bound += values[g]
            frequency[g] += 1.0
            if capped:
                slope[size - 1] -= groups.cost[g]
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                if rigid or serve[e] > prices[t]:
                    slope[t] -= 1.0
                if shared:
                    slope[n_tasks + t] -= 1.0
        if iteration % 8 == 7:
            for g in range(n_groups):
                frequency[g] *= 0.7
        stale += 1
        if bound < best - 1e-12 * abs(bound):
            if best - bound > 1e-3 * (best - target):
                stale = 0
            best = bound
            for i in range(size):
                best_prices[i] = prices[i]
        if stale >= PATIENCE:
            theta *= STEP_DECAY
            stale = 0
        # A price at its least cannot fall further; those of serving keep part of the last direction.
        norm = 0.0
        for i in range(size):
            if slope[i] > 0.0 and prices[i] <= low[i]:
                slope[i] = 0.0
            direction[i] = slope[i] + (MOMENTUM * direction[i] if i < n_tasks else 0.0)
            norm += direction[i] * direction[i]
        step = theta * max(bound - target, 1e-12) / max(norm, 1e-30)
        for i in range(size):
            prices[i] = min(max(prices[i] - step * direction[i], low[i]), high[i])
    return best


@kernel
def fix(
    groups: GroupArrays,
    state: OutSigns,
    prices: Floats,
    bound: float,
    enough: float,
    values: Floats,
    entries: OutBools,
) -> int:
    """Drop and force groups, and mark entries that may still serve, by their reduced values.

    A decision is fixed when the opposite one would push the bound down to ``enough`` or below.
    Returns the number of groups fixed, −1 if nothing can beat ``enough``.
    """
    n_groups = len(values)
    chosen = np.empty(n_groups, dtype=np.int64)
    scratch = np.empty(n_groups)
    count, give_way, replaced = select(groups, values, state, chosen, scratch)
    if count < 0 or bound <= enough:
        return -1
    fixed = 0
    following = 0
    for g in range(n_groups):
        if state[g] < 0:
            continue
        # What is chosen comes in ascending order.
        if following < count and chosen[following] == g:
            following += 1
            with_group = bound
            if state[g] == 0 and bound - values[g] + replaced <= enough:
                state[g] = 1
                fixed += 1
        else:
            with_group = bound + values[g] - give_way
            if with_group <= enough:
                state[g] = -1
                fixed += 1
                continue
        if not groups.rigid:
            for e in range(groups.indptr[g], groups.indptr[g + 1]):
                loss = groups.serve[e] - prices[groups.members[e]]
                if loss < 0.0 and with_group + loss <= enough:
                    entries[e] = False
    return fixed
