"""The compiled local search for groups of a separable model that are worth much at given prices."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, OutBools2, OutFloats
from solvers.kernels.jit import kernel
from solvers.kernels.separable import Atoms, Numbers

MOST_EXCHANGED = 64
"""Exchanges are tried among up to so many atoms: there are K² of them, each as dear as an addition."""

UNFIT = -1e6
"""What a task counts that a group must serve and may not."""


@kernel
def climb(starts: OutBools2, atoms: Atoms, numbers: Numbers, alone: Floats, worths: OutFloats) -> None:
    """Improve groups by adding, removing or exchanging tasks, the best change first.

    Parameters
    ----------
    starts
        Shape (R, K): atoms of each group, overwritten by those of the group that the climb ends at.
    atoms, numbers
        What groups are made of and worth; one smaller than allowed may be passed through.
    alone
        Shape (N,): what each task alone is worth.
    worths
        Shape (R,): what the groups are worth, −inf where no admitted group was met.
    """
    tasks, sizes, effects, conflicts = atoms.tasks, atoms.sizes, atoms.effects, atoms.conflicts
    gain_worth, over, floor, rigid = numbers.gain_worth, numbers.over, numbers.floor, numbers.rigid
    n_tasks = len(alone)
    none = len(sizes) - 1
    sums = np.empty(n_tasks)
    members = np.empty(n_tasks, dtype=np.bool_)
    for r in range(len(starts)):
        # The effect of the group on each task, and its members.
        size = 0
        for t in range(n_tasks):
            sums[t] = 0.0
            members[t] = False
            for k in range(none):
                if starts[r, k]:
                    sums[t] += effects[k, t]
                    members[t] |= tasks[k, t]
            if members[t]:
                size += 1
        now = -np.inf
        exchanging = False  # only where neither addition nor removal helps, since there are many
        for _ in range(4 * none + 1):
            best, best_in, best_out = now, none, none
            for entering in range(none + 1):
                if entering < none and starts[r, entering]:
                    continue
                # An atom may enter where it clashes with none, or with the one that leaves.
                clashes, clashing = 0, none
                for k in range(none):
                    if conflicts[entering, k] and (k == entering or starts[r, k]):
                        clashes += 1
                        clashing = k
                if clashes > 1:
                    continue
                for leaving in range(none + 1):
                    if leaving < none and not starts[r, leaving]:
                        continue
                    if (entering < none and leaving < none) != exchanging:
                        continue
                    if clashes == 1 and clashing != leaving:
                        continue
                    after = size + sizes[entering] - sizes[leaving]
                    if entering < none or leaving < none:
                        if after > numbers.max_size or after < min(size, numbers.min_size):
                            continue
                    elif now > -np.inf:
                        continue  # the group itself is looked at once
                    if after < 1:
                        continue
                    # What the group is worth with the one and without the other.
                    value = 0.0
                    factor = numbers.size_weights[after]
                    for t in range(n_tasks):
                        if tasks[leaving, t] or not (members[t] or tasks[entering, t]):
                            continue
                        if after == 1:
                            value = alone[t]
                            continue
                        gain = (sums[t] + effects[entering, t] - effects[leaving, t]) * factor
                        each = gain_worth[t] * gain + over[t]
                        if gain < floor[t]:
                            each = UNFIT if rigid else 0.0
                        if rigid or each > 0.0:
                            value += each
                        value -= numbers.hold[t]
                    if value > best + 1e-12:
                        best, best_in, best_out = value, entering, leaving
            now = best
            if best_in == none and best_out == none:
                if exchanging or none > MOST_EXCHANGED:
                    break
                exchanging = True
                continue
            exchanging = False
            for t in range(n_tasks):
                sums[t] += effects[best_in, t] - effects[best_out, t]
                members[t] = (members[t] or tasks[best_in, t]) and not tasks[best_out, t]
            size += sizes[best_in] - sizes[best_out]
            if best_in < none:
                starts[r, best_in] = True
            if best_out < none:
                starts[r, best_out] = False
        worths[r] = now if size >= numbers.min_size else -np.inf
