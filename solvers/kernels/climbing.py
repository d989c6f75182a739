"""The compiled local search for groups of a separable model that are worth much at given prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


MOST_EXCHANGED = 64
"""Exchanges are tried among up to so many atoms: there are K² of them, each as dear as an addition."""


@kernel
def worth_of(
    members: Bools,
    sums: Floats,
    size: int,
    size_weights: Floats,
    gain_worth: Floats,
    over: Floats,
    floor: Floats,
    hold: Floats,
    alone: Floats,
    rigid: bool,
) -> float:
    """Return what a group is worth, given the sum of the effects of its members on each task."""
    total = 0.0
    factor = size_weights[size]
    for t in range(len(members)):
        if not members[t]:
            continue
        if size == 1:
            return float(alone[t])
        gain = sums[t] * factor
        value = gain_worth[t] * gain + over[t]
        if gain < floor[t]:
            value = -1e6 if rigid else 0.0
        if rigid or value > 0.0:
            total += value
        total -= hold[t]
    return total


@kernel
def climb(
    starts: Bools,
    atoms: Bools,
    effects: Floats,
    conflicts: Bools,
    min_size: int,
    max_size: int,
    size_weights: Floats,
    gain_worth: Floats,
    over: Floats,
    floor: Floats,
    hold: Floats,
    alone: Floats,
    rigid: bool,
    worths: Floats,
) -> None:
    """Improve groups by adding, removing or exchanging tasks, the best change first.

    Parameters
    ----------
    starts
        Shape (R, K): atoms of each group, overwritten by those of the group that the climb ends at.
    atoms
        Shape (K, N): tasks that are always together.
    effects
        Shape (K, N): effect of each atom on each task.
    conflicts
        Shape (K, K): atoms that exclude one another.
    min_size, max_size
        Bounds on the number of tasks; a smaller group may be passed through.
    size_weights, gain_worth, over, floor, hold
        As in :mod:`solvers.kernels.group_scan`, all in double precision, floors without margin.
    alone
        Shape (N,): what each task alone is worth.
    rigid
        Whether every member is served.
    worths
        Shape (R,): what the groups are worth, −inf where no admitted group was met.
    """
    count, n_tasks = atoms.shape
    sums = np.empty(n_tasks)
    trial = np.empty(n_tasks)
    members = np.empty(n_tasks, dtype=np.bool_)
    sizes = np.zeros(count, dtype=np.int64)
    for k in range(count):
        for t in range(n_tasks):
            sizes[k] += atoms[k, t]
    for r in range(len(starts)):
        size = 0
        for t in range(n_tasks):
            sums[t] = 0.0
            members[t] = False
        for k in range(count):
            if starts[r, k]:
                size += sizes[k]
                for t in range(n_tasks):
                    sums[t] += effects[k, t]
                    members[t] |= atoms[k, t]
        now = -np.inf
        if size > 0:
            now = worth_of(
                members, sums, size, size_weights, gain_worth, over, floor, hold, alone, rigid
            )  # fmt: skip
        exchanging = False  # only where neither addition nor removal helps, since there are many
        for _ in range(4 * count):
            best, best_in, best_out = now, -1, -1
            for entering in range(-1, count):
                if entering >= 0 and starts[r, entering]:
                    continue
                for leaving in range(-1, count):
                    if leaving >= 0 and not starts[r, leaving]:
                        continue
                    if (entering >= 0 and leaving >= 0) != exchanging or (entering < 0 and leaving < 0):
                        continue
                    after = size
                    if entering >= 0:
                        after += sizes[entering]
                    if leaving >= 0:
                        after -= sizes[leaving]
                    if after < 1 or after > max_size or after < min(size, min_size):
                        continue
                    if entering >= 0:
                        clash = False
                        for k in range(count):
                            if starts[r, k] and k != leaving and conflicts[entering, k]:
                                clash = True
                        if clash or conflicts[entering, entering]:
                            continue
                    for t in range(n_tasks):
                        trial[t] = sums[t]
                        if entering >= 0:
                            trial[t] += effects[entering, t]
                            members[t] |= atoms[entering, t]
                        if leaving >= 0:
                            trial[t] -= effects[leaving, t]
                            members[t] &= not atoms[leaving, t]
                    value = worth_of(
                        members, trial, after, size_weights, gain_worth, over, floor, hold, alone, rigid
                    )  # fmt: skip
                    for t in range(n_tasks):
                        if entering >= 0:
                            members[t] &= not atoms[entering, t]
                        if leaving >= 0:
                            members[t] |= atoms[leaving, t]
                    if value > best + 1e-12:
                        best, best_in, best_out = value, entering, leaving
            if best_in < 0 and best_out < 0:
                if exchanging or count > MOST_EXCHANGED:
                    break
                exchanging = True
                continue
            now, exchanging = best, False
            if best_in >= 0:
                starts[r, best_in] = True
                size += sizes[best_in]
                for t in range(n_tasks):
                    sums[t] += effects[best_in, t]
                    members[t] |= atoms[best_in, t]
            if best_out >= 0:
                starts[r, best_out] = False
                size -= sizes[best_out]
                for t in range(n_tasks):
                    sums[t] -= effects[best_out, t]
                    members[t] &= not atoms[best_out, t]
        worths[r] = now if size >= min_size else -np.inf
