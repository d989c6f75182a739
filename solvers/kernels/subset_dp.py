"""The compiled loops of ``subset-dp``.

A set of tasks is a number whose bit t stands for task t; a table over all sets has shape (2^N,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def raise_worth(
    indptr: Ints,
    members: NDArray[np.int32],
    serve: Floats,
    opening: Floats,
    additive: bool,
    worth: Floats,
    first: int,
    last: int,
) -> None:
    """Raise the worth of each set to that of being served by one of the groups ``first`` to ``last - 1``."""
    values = np.empty(len(worth))
    sets = np.empty(len(worth), dtype=np.int64)
    for group in range(first, last):
        count = 1
        values[0] = opening[group] if additive else np.inf
        sets[0] = 0
        for entry in range(indptr[group], indptr[group + 1]):
            value = serve[entry]
            if value == -np.inf:
                continue
            bit = 1 << members[entry]
            for index in range(count):
                held = values[index]
                values[count + index] = held + value if additive else min(held, value)
                sets[count + index] = sets[index] | bit
            count *= 2
        for index in range(1, count):
            worth[sets[index]] = max(worth[sets[index]], values[index])


@kernel
def raise_layer(worth: Floats, below: Floats, additive: bool, layer: Floats, first: int, last: int) -> None:
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


@kernel
def take_groups(
    indptr: Ints,
    members: NDArray[np.int32],
    serve: Floats,
    opening: Floats,
    alike: bool,
    values: Floats,
    last: Ints,
    group_of: Ints,
    before: Ints,
    used: Ints,
    first: int,
    stop: int,
) -> int:
    """Offer groups ``first`` to ``stop - 1``, each at most once; return the first one not offered.

    ``values[k, A]`` is the most that k groups serving the set A are worth, ``last[k, A]`` the last link
    of their chain: link i is group ``group_of[i]`` after link ``before[i]``. Stops early where the
    links might not suffice. With ``alike``, serving is worth nothing, so that a group serves all it can.
    """
    places, sets = values.shape
    value = np.empty(sets)
    link = np.empty(sets, dtype=np.int64)
    for group in range(first, stop):
        if used[0] + (places - 1) * sets > len(group_of):
            return group
        able = 0
        for entry in range(indptr[group], indptr[group + 1]):
            if serve[entry] > -np.inf:
                able |= 1 << members[entry]
        for place in range(min(places - 2, group), -1, -1):
            if alike:
                for tasks in range(sets if place else 1):  # no group at all serves only the empty set
                    worth = values[place, tasks] + opening[group]
                    if worth > values[place + 1, tasks | able]:
                        values[place + 1, tasks | able] = worth
                        last[place + 1, tasks | able] = used[0]
                        group_of[used[0]] = group
                        before[used[0]] = last[place, tasks]
                        used[0] += 1
                continue
            value[:] = values[place]
            link[:] = last[place]
            for entry in range(indptr[group], indptr[group + 1]):
                if serve[entry] == -np.inf:
                    continue
                bit = 1 << members[entry]
                for tasks in range(sets):
                    if not tasks & bit and value[tasks] + serve[entry] > value[tasks | bit]:
                        value[tasks | bit] = value[tasks] + serve[entry]
                        link[tasks | bit] = link[tasks]
            for tasks in range(sets):
                worth = value[tasks] + opening[group]
                if worth > values[place + 1, tasks]:
                    values[place + 1, tasks] = worth
                    last[place + 1, tasks] = used[0]
                    group_of[used[0]] = group
                    before[used[0]] = link[tasks]
                    used[0] += 1
    return stop


def compile_kernels() -> None:
    """Compile all of the above, or load what was compiled, on a group of one task."""
    indptr, members = np.array([0, 1]), np.zeros(1, dtype=np.int32)
    serve, opening = np.zeros(1), np.zeros(1)
    worth, layer = np.full(2, -np.inf), np.full(2, -np.inf)
    raise_worth(indptr, members, serve, opening, True, worth, 0, 1)
    raise_layer(worth, np.array([0.0, -np.inf]), True, layer, 1, 2)
    values, last = np.full((2, 2), -np.inf), np.full((2, 2), -1)
    group_of, before = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    used = np.zeros(1, dtype=np.int64)
    take_groups(indptr, members, serve, opening, False, values, last, group_of, before, used, 0, 1)
