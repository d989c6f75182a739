"""The compiled search tree of ``branch-and-bound``: depth first, a Lagrangian bound at each node.

Array conventions as in :mod:`solvers.kernels.relaxation`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel
from solvers.kernels.moves import improve, pack, worth
from solvers.kernels.relaxation import Floats, Ints, Members, ascend, assign, fix, rank_descending

ROOT_ITERATIONS = 120
NODE_ITERATIONS = 30


@kernel
def _settle(
    indptr: Ints,
    members: Members,
    serve: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    penalty: Floats,
    limits: Ints,
    cap: float,
    trail: Ints,
    tree: Ints,
) -> bool:
    """Drop what the forced groups exclude; return False on a contradiction."""
    n_tasks = len(penalty)
    n_groups = len(cost)
    loads = np.zeros(n_tasks, dtype=np.int64)
    open_task = np.empty(n_tasks, dtype=np.bool_)
    for t in range(n_tasks):
        open_task[t] = np.isinf(penalty[t])
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
                    open_task[members[e]] = False
        elif state[g] == 0:
            cheapest = min(cheapest, cost[g])
    if count > limits[0] or spent > cap:
        return False
    to_serve = 0
    for t in range(n_tasks):
        if limits[2] > 0 and loads[t] > limits[2]:
            return False
        if open_task[t]:
            to_serve += 1
    left = count
    for g in range(n_groups):
        if state[g] != 0:
            continue
        drop = count == limits[0] or spent + cost[g] > cap
        if limits[2] > 0 and not drop:
            for e in range(indptr[g], indptr[g + 1]):
                if loads[members[e]] >= limits[2]:
                    drop = True
                    break
        if not drop and (count + 1 == limits[0] or spent + cost[g] + cheapest > cap):
            # Nothing fits after this group, so it has to serve whatever is left.
            served = 0
            for e in range(indptr[g], indptr[g + 1]):
                if serve[e] > -np.inf and open_task[members[e]]:
                    served += 1
            drop = served < to_serve
        if drop:
            state[g] = -1
            trail[tree[1]] = g
            tree[1] += 1
            continue
        left += 1
    for g in range(n_groups):
        if state[g] == 0:
            for e in range(indptr[g], indptr[g + 1]):
                if serve[e] > -np.inf:
                    open_task[members[e]] = False
    for t in range(n_tasks):
        if open_task[t]:
            return False
    return bool(left >= limits[1])


@kernel
def _primal(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    penalty: Floats,
    floor: Floats,
    limits: Ints,
    cap: float,
    rigid: bool,
    values: Floats,
    frequency: Floats,
    chosen: Ints,
    served: Floats,
    best: Floats,
    solution: Ints,
) -> None:
    """Make a solution from what the relaxation favours, and keep it if it is the best."""
    n_groups = len(open_)
    order = np.empty(n_groups, dtype=np.int64)
    count = solution[0] * 0  # a plain 0 would compile the local search a second time
    if rigid:
        rank_descending(values, order)
        count = pack(indptr, members, cost, state, order, limits, cap, len(penalty), chosen)
    else:
        spent = 0.0
        for g in range(n_groups):
            if state[g] > 0:
                chosen[count] = g
                count += 1
                spent += cost[g]
        rank_descending(frequency, order)
        for i in range(n_groups):
            g = order[i]
            if count >= limits[0] or frequency[g] <= 0.0:
                break
            if state[g] == 0 and spent + cost[g] <= cap and limits[2] == 0:
                chosen[count] = g
                count += 1
                spent += cost[g]
        count = improve(indptr, members, serve, open_, cost, state, floor, limits, cap, chosen, count, 50)
    value = worth(indptr, members, serve, open_, penalty, chosen, count, rigid, served)
    if count >= limits[1] and value > best[0]:
        best[0] = value
        solution[0] = count
        for i in range(count):
            solution[i + 1] = chosen[i]


@kernel
def search(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    penalty: Floats,
    floor: Floats,
    limits: Ints,
    cap: float,
    rigid: bool,
    step_up: float,
    max_nodes: int,
    tree: Ints,
    branch: Ints,
    side: NDArray[np.int8],
    start: Ints,
    trail: Ints,
    bounds: Floats,
    saved_u: Floats,
    saved_mu: Floats,
    saved_lam: Floats,
    u: Floats,
    mu: Floats,
    lam: Floats,
    best: Floats,
    solution: Ints,
) -> bool:
    """Explore up to ``max_nodes`` nodes; return whether the tree is exhausted.

    The state of the search lives in the arrays, so that a later call goes on where this one stopped.
    ``tree`` holds depth, length of the trail and nodes so far; ``branch, side, start, bounds`` and the
    saved multipliers have one entry per level; ``best[0]`` is the best value and ``solution`` its
    groups, preceded by their number. A node is pruned when its bound is at most ``best[0] + step_up``.
    Where the arrays have no room for another level, the search pauses before its node.
    """
    n_groups = len(open_)
    n_tasks = len(penalty)
    values = np.empty(n_groups)
    frequency = np.empty(n_groups)
    entries = np.empty(len(members), dtype=np.bool_)
    chosen = np.empty(max(n_groups, limits[0]) + 1, dtype=np.int64)
    served = np.empty(n_tasks)
    before = np.empty(n_groups, dtype=np.int8)
    explored = 0
    while explored < max_nodes and tree[0] + 1 < len(branch):
        explored += 1
        tree[2] += 1
        depth = tree[0]
        bound = np.inf
        closed = not _settle(
            indptr, members, serve, cost, state, penalty, limits, cap, trail, tree
        )  # fmt: skip
        free = 0
        if not closed:
            for g in range(n_groups):
                if state[g] == 0:
                    free += 1
            if tree[2] == 1:
                for g in range(n_groups):
                    frequency[g] = 0.0
                    total = open_[g]
                    for e in range(indptr[g], indptr[g + 1]):
                        total += serve[e]
                    values[g] = total / max(1, indptr[g + 1] - indptr[g])
                _primal(
                    indptr, members, serve, open_, cost, state, penalty, floor, limits, cap, rigid,
                    values, frequency, chosen, served, best, solution,
                )  # fmt: skip
            enough = best[0] + step_up
            iterations = ROOT_ITERATIONS if depth == 0 else NODE_ITERATIONS
            bound, _ = ascend(
                indptr, members, serve, open_, cost, state, floor, limits, cap, rigid,
                u, mu, lam, best[0], enough, iterations, values, frequency,
            )  # fmt: skip
            if bound <= enough:
                closed = True
        if not closed:
            _primal(
                indptr, members, serve, open_, cost, state, penalty, floor, limits, cap, rigid,
                values, frequency, chosen, served, best, solution,
            )  # fmt: skip
            enough = best[0] + step_up
            for g in range(n_groups):
                before[g] = state[g]
            fixed = fix(indptr, members, serve, state, limits, rigid, u, bound, enough, values, entries)
            for g in range(n_groups):
                if state[g] != before[g]:
                    trail[tree[1]] = g
                    tree[1] += 1
            closed = fixed < 0 or free == 0
        if not closed:
            pick = -1
            score = -1.0
            total = 0.0
            for g in range(n_groups):
                if state[g] == 0 and frequency[g] > total:
                    total = frequency[g]
            for g in range(n_groups):
                if state[g] == 0:
                    share = frequency[g] / max(total, 1e-12)
                    merit = share * (1.02 - share)
                    if merit > score:
                        score = merit
                        pick = g
            if pick < 0:
                # Everything was just fixed: look at the node again, as a leaf.
                continue
            branch[depth] = pick
            side[depth] = 1
            start[depth] = tree[1]
            bounds[depth] = bound
            assign(saved_u[depth], u)
            assign(saved_mu[depth], mu)
            saved_lam[depth] = lam[0]
            state[pick] = 1
            trail[tree[1]] = pick
            tree[1] += 1
            tree[0] = depth + 1
            continue
        while True:
            if tree[0] == 0:
                return True
            level = tree[0] - 1
            while tree[1] > start[level]:
                tree[1] -= 1
                state[trail[tree[1]]] = 0
            if side[level] == 1 and bounds[level] > best[0] + step_up:
                side[level] = 0
                state[branch[level]] = -1
                trail[tree[1]] = branch[level]
                tree[1] += 1
                assign(u, saved_u[level])
                assign(mu, saved_mu[level])
                lam[0] = saved_lam[level]
                break
            tree[0] = level
    return False
