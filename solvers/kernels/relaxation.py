"""Compiled kernels of the relaxation: reduced values, selection, dual ascent, fixing.

Conventions of all kernels. A program of K groups is given by ``indptr, members, serve`` (entries) and
``open_, cost`` (per group). ``state[g]`` is 0 for a free group, 1 for a forced one, −1 for a dropped
one. ``penalty[t]`` is the price of leaving task t unserved, infinite where it must be served, and
``floor[t]`` a finite worth of leaving it unserved, lower than anything that serving can cost.
``limits`` holds the largest and least number of groups and the membership limit, as integers;
``cap`` is the cost limit. Multipliers are ``u`` per task (serve exactly once), ``mu`` per task
(membership limit) and ``lam[0]`` (cost limit). ``rigid`` means that a chosen group serves all its
members, as in a partition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel
from solvers.tables.presolve.interface import (
    FIRST_STEP,
    LARGEST_PRICE,
    LEAST_STEP,
    MOMENTUM,
    PATIENCE,
    STEP_DECAY,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Members = NDArray[np.int32]


@kernel
def assign(target: Floats, source: Floats) -> None:
    """Copy numbers; assigning a slice does the same but compiles far longer."""
    for i in range(len(source)):
        target[i] = source[i]


@kernel
def reduced_values(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    u: Floats,
    mu: Floats,
    lam: float,
    rigid: bool,
    shared: bool,
    begin: int,
    end: int,
    out: Floats,
) -> None:
    """Write the value of choosing each group of a range under the multipliers, −inf for dropped ones."""
    for g in range(begin, end):
        if state[g] < 0:
            out[g] = -np.inf
            continue
        value = open_[g] - lam * cost[g]
        if rigid:
            for e in range(indptr[g], indptr[g + 1]):
                value += serve[e] - u[members[e]]
        else:
            for e in range(indptr[g], indptr[g + 1]):
                value += max(serve[e] - u[members[e]], 0.0)
            if shared:
                for e in range(indptr[g], indptr[g + 1]):
                    value -= mu[members[e]]
        out[g] = value


@kernel
def nth_largest(values: Floats, count: int, rank: int) -> float:
    """Return the value of a rank (1 is the largest) among the first ``count``, by quickselect.

    Reorders them so that the first ``rank`` are the largest. NumPy's own partition does the same but
    takes ten seconds to compile.
    """
    low, high, wanted = 0, count - 1, rank - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    return float(values[wanted])


@kernel
def rank_descending(values: Floats, order: Ints) -> None:
    """Write the indices of ``values`` to ``order``, largest first, by heapsort.

    NumPy's own argsort takes eight seconds to compile.
    """
    count = len(values)
    for i in range(count):
        order[i] = i
    for step in range(count // 2 - 1 + count - 1, -1, -1):
        # First build a heap with the least value on top, then move tops to the end one by one.
        if step >= count - 1:
            root = step - (count - 1)
            end = count
        else:
            end = step + 1
            order[0], order[end] = order[end], order[0]
            root = 0
        while True:
            child = 2 * root + 1
            if child >= end:
                break
            if child + 1 < end and values[order[child + 1]] < values[order[child]]:
                child += 1
            if values[order[root]] <= values[order[child]]:
                break
            order[root], order[child] = order[child], order[root]
            root = child


@kernel
def select(
    values: Floats, state: NDArray[np.int8], most: int, least: int, chosen: Ints, scratch: Floats
) -> tuple[int, float, float]:
    """Choose the forced groups and the best free ones.

    Writes the chosen groups to ``chosen`` and returns their number, the least value of a chosen free
    group that gives way to another one (0 while there is room), and the value that replaces a chosen
    group when it is dropped.
    """
    count = 0
    free = 0
    positive = 0
    for g in range(len(values)):
        if state[g] > 0:
            chosen[count] = g
            count += 1
        elif state[g] == 0:
            scratch[free] = values[g]
            free += 1
            if values[g] > 0.0:
                positive += 1
    room = most - count
    need = max(0, least - count)
    wanted = min(room, max(positive, need))
    if wanted > free or room < 0:
        return -1, 0.0, 0.0
    if wanted <= 0:
        next_value = -np.inf
        for i in range(free):
            if scratch[i] > next_value:
                next_value = scratch[i]
        # No free group fits, or none is worth it.
        return count, (np.inf if room <= 0 else 0.0), next_value
    if positive <= room and positive >= need:
        # Everything worth choosing fits: no ranking is needed.
        least_chosen = np.inf
        for g in range(len(values)):
            if state[g] == 0 and values[g] > 0.0:
                chosen[count] = g
                count += 1
                least_chosen = min(least_chosen, values[g])
        if positive > need:
            return count, (least_chosen if positive == room else 0.0), 0.0
        following = -np.inf
        for i in range(free):
            if scratch[i] <= 0.0:
                following = max(following, scratch[i])
        return count, (least_chosen if positive == room else 0.0), following
    if wanted < free:
        threshold = nth_largest(scratch, free, wanted)
        # The ranking leaves the larger values in front, so the next one is the largest behind.
        next_value = -np.inf
        for i in range(wanted, free):
            next_value = max(next_value, scratch[i])
    else:
        threshold = scratch[0]
        for i in range(free):
            if scratch[i] < threshold:
                threshold = scratch[i]
        next_value = -np.inf
    ties = wanted
    for g in range(len(values)):
        if state[g] == 0 and values[g] > threshold:
            ties -= 1
    for g in range(len(values)):
        if state[g] == 0:
            if values[g] > threshold:
                chosen[count] = g
                count += 1
            elif values[g] == threshold and ties > 0:
                ties -= 1
                chosen[count] = g
                count += 1
    # Below the room, groups of no worth were chosen to reach the least number; they give way too.
    give_way = threshold
    replaced = next_value if (wanted <= need) else max(0.0, next_value)
    return count, give_way, replaced


@kernel
def ascend(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    floor: Floats,
    limits: Ints,
    cap: float,
    rigid: bool,
    u: Floats,
    mu: Floats,
    lam: Floats,
    target: float,
    enough: float,
    iterations: int,
    values: Floats,
    frequency: Floats,
) -> tuple[float, int]:
    """Tighten the Lagrangian bound by Polyak steps towards ``target``.

    Multipliers stay within ``±floor``: larger ones prove nothing more and cost digits. On return
    ``u, mu, lam`` hold the best multipliers, ``values`` the reduced values under them and
    ``frequency`` how often each group was chosen, recent iterations weighing more. Stops as soon as
    the bound is below ``enough``. Returns the bound (−inf if the limits exclude every choice) and the
    number of iterations.
    """
    n_tasks = len(u)
    n_groups = len(open_)
    shared = limits[2] > 0 and not rigid
    capped = np.isfinite(cap)
    chosen = np.empty(n_groups, dtype=np.int64)
    scratch = np.empty(n_groups)
    best_u = np.empty(n_tasks)
    best_mu = np.empty(n_tasks)
    assign(best_u, u)
    assign(best_mu, mu)
    best_lam = lam[0]
    best = np.inf
    slope_u = np.empty(n_tasks)
    slope_mu = np.empty(n_tasks)
    direction = np.zeros(n_tasks)
    theta = FIRST_STEP
    stale = 0
    done = 0
    for g in range(n_groups):
        frequency[g] = 0.0
    for iteration in range(iterations):
        done = iteration + 1
        reduced_values(
            indptr, members, serve, open_, cost, state, u, mu, lam[0], rigid, shared, 0, n_groups, values
        )
        count, _, _ = select(values, state, limits[0], limits[1], chosen, scratch)
        if count < 0:
            return -np.inf, done
        bound = 0.0
        for t in range(n_tasks):
            bound += u[t]
            slope_u[t] = 1.0
        if shared:
            for t in range(n_tasks):
                bound += limits[2] * mu[t]
                slope_mu[t] = limits[2]
        slack = 0.0
        if capped:
            bound += lam[0] * cap
            slack = cap
        for i in range(count):
            g = chosen[i]
            bound += values[g]
            frequency[g] += 1.0
            if capped:
                slack -= cost[g]
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                if rigid or serve[e] > u[t]:
                    slope_u[t] -= 1.0
                if shared:
                    slope_mu[t] -= 1.0
        if iteration % 8 == 7:
            for g in range(n_groups):
                frequency[g] *= 0.7
        if bound < best - 1e-12 * abs(bound):
            if best - bound > 1e-3 * (best - target):
                stale = 0
            else:
                stale += 1
            best = bound
            assign(best_u, u)
            assign(best_mu, mu)
            best_lam = lam[0]
            if best <= enough:
                break
        else:
            stale += 1
        if stale >= PATIENCE:
            theta *= STEP_DECAY
            stale = 0
            if theta < LEAST_STEP:
                break
        # A task at the price of leaving it unserved cannot fall further.
        norm = 0.0
        for t in range(n_tasks):
            if slope_u[t] > 0.0 and u[t] <= floor[t]:
                slope_u[t] = 0.0
            direction[t] = slope_u[t] + MOMENTUM * direction[t]
            norm += direction[t] * direction[t]
            if shared:
                if slope_mu[t] > 0.0 and mu[t] <= 0.0:
                    slope_mu[t] = 0.0
                norm += slope_mu[t] * slope_mu[t]
        if capped:
            if slack > 0.0 and lam[0] <= 0.0:
                slack = 0.0
            norm += slack * slack
        if norm <= 1e-30:
            break
        step = theta * max(bound - target, 1e-12) / norm
        for t in range(n_tasks):
            u[t] = min(max(u[t] - step * direction[t], floor[t]), -floor[t])
            if shared:
                mu[t] = min(max(0.0, mu[t] - step * slope_mu[t]), -floor[t])
        if capped:
            lam[0] = min(max(0.0, lam[0] - step * slack), -LARGEST_PRICE * floor[0] / cap)
    assign(u, best_u)
    assign(mu, best_mu)
    lam[0] = best_lam
    reduced_values(
        indptr, members, serve, open_, cost, state, u, mu, lam[0], rigid, shared, 0, n_groups, values
    )
    return best, done


@kernel
def fix(
    indptr: Ints,
    members: Members,
    serve: Floats,
    state: NDArray[np.int8],
    limits: Ints,
    rigid: bool,
    u: Floats,
    bound: float,
    enough: float,
    values: Floats,
    entries: NDArray[np.bool_],
) -> int:
    """Drop and force groups, and mark entries that may still serve, by their reduced values.

    A decision is fixed when the opposite one would push the bound down to ``enough`` or below.
    Returns the number of groups fixed, −1 if nothing can beat ``enough``.
    """
    n_groups = len(values)
    chosen = np.empty(n_groups, dtype=np.int64)
    scratch = np.empty(n_groups)
    count, give_way, replaced = select(values, state, limits[0], limits[1], chosen, scratch)
    if count < 0 or bound <= enough:
        return -1
    taken = np.zeros(n_groups, dtype=np.bool_)
    for i in range(count):
        taken[chosen[i]] = True
    fixed = 0
    for g in range(n_groups):
        if state[g] < 0:
            continue
        if taken[g]:
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
        if not rigid:
            for e in range(indptr[g], indptr[g + 1]):
                loss = serve[e] - u[members[e]]
                if loss < 0.0 and with_group + loss <= enough:
                    entries[e] = False
    return fixed
