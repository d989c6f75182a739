"""The compiled loops over the splits of every set of tasks.

A set of tasks is a number whose bit t stands for task t; a table over all sets has shape (2^N,).
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, OutFloats
from solvers.kernels.jit import kernel
from solvers.kernels.programs import GroupArrays


@kernel
def raise_worth(groups: GroupArrays, additive: bool, worth: OutFloats, first: int, last: int) -> None:
    """Raise the worth of each set to that of being served by one of the groups ``first`` to ``last - 1``."""
    values = np.empty(len(worth))
    sets = np.empty(len(worth), dtype=np.int64)
    for group in range(first, last):
        count = 1
        values[0] = groups.opening[group] if additive else np.inf
        sets[0] = 0
        for entry in range(groups.indptr[group], groups.indptr[group + 1]):
            value = groups.serve[entry]
            if value == -np.inf:
                continue
            bit = 1 << groups.members[entry]
            for index in range(count):
                held = values[index]
                values[count + index] = held + value if additive else min(held, value)
                sets[count + index] = sets[index] | bit
            count *= 2
        for index in range(1, count):
            worth[sets[index]] = max(worth[sets[index]], values[index])


@kernel
def raise_layer(
    worth: Floats, below: Floats, additive: bool, layer: OutFloats, first: int, last: int
) -> None:
    """Split each set from ``first`` to ``last - 1`` in the best part with its lowest task, and the rest."""
    for tasks in range(first, last):
        lowest = tasks & -tasks
        others = tasks ^ lowest
        best = -np.inf
        part = others
        while True:
            one, rest = worth[part | lowest], below[others ^ part]
            value = one + rest if additive else min(one, rest)
            best = max(best, value)
            if part == 0:
                break
            part = (part - 1) & others
        layer[tasks] = best
