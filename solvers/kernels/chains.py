"""Kernighan-Lin chains, compiled: the same walk as in :mod:`solvers.graphs.chains`."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import OutInts
from solvers.kernels.demands import TOLERANCE, Demands
from solvers.kernels.jit import inner, kernel


@inner
def _outside(value: int, low: int, high: int) -> int:
    """Return how far a number lies outside bounds."""
    return max(value - high, 0) + max(low - value, 0)


@inner
def _short(need: float, value: float) -> float:
    """Return the violation of a floor at a value."""
    deficit = need - value
    return 1.0 + deficit if deficit > TOLERANCE else 0.0


@kernel
def walk(demands: Demands, labels: OutInts, slots: int, patience: int) -> float:
    """Move one node after another, each once and the best first; return by how much the score rose.

    ``labels`` becomes the best partition passed. The walk uses ``slots`` groups, and ends after
    ``patience`` moves without a new best.
    """
    weights, sizes, cost = demands.weights, demands.sizes, demands.cost
    low, high = demands.min_size, demands.max_size
    fewest, most = demands.min_groups, demands.max_groups
    floor_node, floor_effect, floor_need = demands.floor_node, demands.floor_effect, demands.floor_need
    forbidden = demands.forbidden
    n, floors, bans = len(labels), len(floor_node), len(forbidden)
    at = np.empty(n, dtype=np.int64)
    free = np.empty(n, dtype=np.bool_)
    joined = np.empty(slots)
    size = np.zeros(slots, dtype=np.int64)
    count = np.zeros(slots, dtype=np.int64)
    full = np.zeros(bans, dtype=np.int64)
    pull = np.zeros((n, slots))
    worth = np.zeros((floors, slots))
    held = np.zeros((bans, slots), dtype=np.int64)
    # What each group pulls a node with, its size, how it meets the floors, what forbidden it holds.
    for node in range(n):
        group = labels[node]
        at[node] = group
        free[node] = True
        size[group] += sizes[node]
        count[group] += 1
        for other in range(n):
            pull[other, group] += weights[node, other]
        for f in range(floors):
            worth[f, group] += floor_effect[f, node]
        for b in range(bans):
            held[b, group] += forbidden[b, node]
            full[b] += forbidden[b, node]
    groups = 0
    for group in range(slots):
        groups += count[group] > 0
    total = 0.0
    best = 0.0
    since = 0
    for _ in range(n):
        # The best move of a free node. Of the empty groups one may be opened.
        top, node_top, group_top = -np.inf, -1, -1
        empty = slots - 1
        for group in range(slots - 1, -1, -1):
            if count[group] == 0:
                empty = group
        for node in range(n):
            if not free[node]:
                continue
            own = at[node]
            # How violations of floors and sizes change where the node leaves, and where it joins.
            left = -_outside(size[own], low, high) + 0.0
            if count[own] > 1:
                left += _outside(size[own] - sizes[node], low, high)
            for other in range(slots):
                joined[other] = 0.0
            for f in range(floors):
                group = at[floor_node[f]]
                now = _short(floor_need[f], worth[f, group])
                effect = floor_effect[f, node]
                if floor_node[f] == node:
                    for other in range(slots):
                        joined[other] += _short(floor_need[f], worth[f, other]) - now
                elif group == own:
                    left += _short(floor_need[f], worth[f, group] - effect) - now
                else:
                    joined[group] += _short(floor_need[f], worth[f, group] + effect) - now
            for b in range(bans):
                if held[b, own] == full[b]:
                    outside = count[own] - held[b, own]
                    if outside == 0:
                        left -= 1.0
                    elif outside == 1 and not forbidden[b, node]:
                        left += 1.0
            for group in range(slots):
                if group == own or (count[group] == 0 and (group != empty or count[own] == 1)):
                    continue
                wrong = left + joined[group] + _outside(size[group] + sizes[node], low, high)
                if count[group] > 0:
                    wrong -= _outside(size[group], low, high)
                after = groups + (count[group] == 0) - (count[own] == 1)
                wrong += _outside(after, fewest, most) - _outside(groups, fewest, most)
                for b in range(bans):
                    if count[group] == held[b, group]:
                        lacking = full[b] - held[b, group]
                        if lacking == 0:
                            wrong -= 1.0
                        elif lacking == 1 and forbidden[b, node]:
                            wrong += 1.0
                gain = pull[node, group] - pull[node, own] - cost * wrong
                if gain > top:
                    top, node_top, group_top = gain, node, group
        if node_top < 0:
            break
        # Move it, once and for all.
        own = at[node_top]
        groups += (count[group_top] == 0) - (count[own] == 1)
        at[node_top] = group_top
        free[node_top] = False
        for turn in range(2):
            group = group_top if turn else own
            sign = 2 * turn - 1
            size[group] += sign * sizes[node_top]
            count[group] += sign
            for other in range(n):
                pull[other, group] += sign * weights[node_top, other]
            for f in range(floors):
                worth[f, group] += sign * floor_effect[f, node_top]
            for b in range(bans):
                held[b, group] += sign * forbidden[b, node_top]
        total += top
        since += 1
        if total > best + TOLERANCE * cost:
            best, since = total, 0
            for node in range(n):
                labels[node] = at[node]
        elif since >= patience:
            break
    return best
