"""Kernighan-Lin chains, compiled: the same walk as in :mod:`solvers.graphs.chains`."""

from __future__ import annotations

import numpy as np

from solvers.graphs.chains import SPARE_GROUPS
from solvers.graphs.form import Bools, Floats, Ints
from solvers.graphs.moves import TOLERANCE, Penalties
from solvers.kernels.jit import kernel


def chain(penalties: Penalties, labels: Ints, patience: int) -> float:
    """Do what :func:`solvers.graphs.chains.chain` does."""
    slots = min(int(labels.max()) + 1 + SPARE_GROUPS, len(labels))
    gain: float = _chain(
        penalties.weights,
        penalties.sizes,
        penalties.limits,
        penalties.cost,
        penalties.floor_node,
        penalties.floor_effect,
        penalties.floor_need,
        penalties.forbidden,
        labels,
        slots,
        patience,
    )
    if gain > 0:
        labels[:] = np.unique(labels, return_inverse=True)[1]
    return gain


@kernel
def _outside(value: int, low: int, high: int) -> int:
    """Return how far a number lies outside bounds."""
    return max(value - high, 0) + max(low - value, 0)


@kernel
def _short(need: float, value: float) -> float:
    """Return the violation of a floor at a value."""
    deficit = need - value
    return 1.0 + deficit if deficit > TOLERANCE else 0.0


@kernel
def _chain(
    weights: Floats,
    sizes: Ints,
    limits: Ints,
    cost: float,
    floor_node: Ints,
    floor_effect: Floats,
    floor_need: Floats,
    forbidden: Bools,
    labels: Ints,
    slots: int,
    patience: int,
) -> float:
    n, floors, bans = len(labels), len(floor_node), len(forbidden)
    low, high, fewest, most = limits[0], limits[1], limits[2], limits[3]
    at = labels.copy()
    free = np.ones(n, dtype=np.bool_)
    pull = np.zeros((n, slots))
    size = np.zeros(slots, dtype=np.int64)
    count = np.zeros(slots, dtype=np.int64)
    worth = np.zeros((floors, slots))
    held = np.zeros((bans, slots), dtype=np.int64)
    full = np.zeros(bans, dtype=np.int64)
    for node in range(n):
        group = at[node]
        size[group] += sizes[node]
        count[group] += 1
        for other in range(n):
            pull[other, group] += weights[node, other]
        for one in range(floors):
            worth[one, group] += floor_effect[one, node]
        for one in range(bans):
            held[one, group] += forbidden[one, node]
            full[one] += forbidden[one, node]
    groups = 0
    for group in range(slots):
        groups += count[group] > 0
    joined = np.zeros(slots)
    total = 0.0
    best = 0.0
    since = 0
    for _ in range(n):
        top, node_top, group_top = -np.inf, -1, -1
        empty = -1
        for group in range(slots):
            if count[group] == 0:
                empty = group
                break
        for node in range(n):
            if not free[node]:
                continue
            own = at[node]
            left = 0.0
            joined[:] = 0.0
            for one in range(floors):
                holder = floor_node[one]
                group = at[holder]
                if holder == node:
                    now = _short(floor_need[one], worth[one, own])
                    for other in range(slots):
                        joined[other] += _short(floor_need[one], worth[one, other]) - now
                    continue
                effect = floor_effect[one, node]
                if effect == 0.0:
                    continue
                now = _short(floor_need[one], worth[one, group])
                if group == own:
                    left += _short(floor_need[one], worth[one, group] - effect) - now
                else:
                    joined[group] += _short(floor_need[one], worth[one, group] + effect) - now
            for one in range(bans):
                if held[one, own] == full[one]:
                    outside = count[own] - held[one, own]
                    if outside == 0:
                        left -= 1.0
                    elif outside == 1 and not forbidden[one, node]:
                        left += 1.0
            if count[own] > 1:
                left += _outside(size[own] - sizes[node], low, high)
            left -= _outside(size[own], low, high)
            for group in range(slots):
                if group == own or (count[group] == 0 and (group != empty or count[own] == 1)):
                    continue
                wrong = left + joined[group] + _outside(size[group] + sizes[node], low, high)
                if count[group] > 0:
                    wrong -= _outside(size[group], low, high)
                after = groups + (count[group] == 0) - (count[own] == 1)
                wrong += _outside(after, fewest, most) - _outside(groups, fewest, most)
                for one in range(bans):
                    if count[group] == held[one, group]:
                        lacking = full[one] - held[one, group]
                        if lacking == 0:
                            wrong -= 1.0
                        elif lacking == 1 and forbidden[one, node]:
                            wrong += 1.0
                gain = pull[node, group] - pull[node, own] - cost * wrong
                if gain > top:
                    top, node_top, group_top = gain, node, group
        if node_top < 0:
            break
        own = at[node_top]
        groups += (count[group_top] == 0) - (count[own] == 1)
        size[own] -= sizes[node_top]
        size[group_top] += sizes[node_top]
        count[own] -= 1
        count[group_top] += 1
        for other in range(n):
            pull[other, own] -= weights[node_top, other]
            pull[other, group_top] += weights[node_top, other]
        for one in range(floors):
            worth[one, own] -= floor_effect[one, node_top]
            worth[one, group_top] += floor_effect[one, node_top]
        for one in range(bans):
            held[one, own] -= forbidden[one, node_top]
            held[one, group_top] += forbidden[one, node_top]
        at[node_top] = group_top
        free[node_top] = False
        total += top
        since += 1
        if total > best + TOLERANCE * cost:
            best, since = total, 0
            labels[:] = at
        elif since >= patience:
            break
    return best
