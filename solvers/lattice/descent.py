"""Compiled pricing by branch and bound over tasks, for models made of pairs.

A node decides of some tasks whether they are members. What the others can add to a task's gain is at
most the sum of their largest effects on it, as many as there are members among them; those sums are
tabulated per number of decided tasks. So the worth of every group below a node is bounded, size by size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.presolve.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

IMPOSSIBLE = -1e300


@kernel
def sum_of_largest(values: Floats, count: int, rank: int) -> float:
    """Return the sum of the ``rank`` largest among the first ``count`` values, reordering them."""
    low, high = 0, count - 1
    while low < high and rank < count:
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
        if rank - 1 <= right:
            high = right
        elif rank - 1 >= left:
            low = left
        else:
            break
    total = 0.0
    for i in range(min(rank, count)):
        total += values[i]
    return total


@kernel
def bound_below(
    state: NDArray[np.int8],
    sums: Floats,
    base: float,
    size: int,
    undecided: int,
    others: Floats,
    partners: Floats,
    min_size: int,
    max_size: int,
    size_weights: Floats,
    gain_worth: Floats,
    over: Floats,
    floor: Floats,
    hold: Floats,
    rigid: bool,
    enough: float,
    first: int,
    scratch: Floats,
) -> tuple[float, int]:
    """Bound the worth of all groups that agree with what is decided.

    Parameters
    ----------
    state
        Shape (N,): 1 for members, −1 for tasks left out, 0 for undecided ones.
    sums
        Shape (N,): effect of the members on each task.
    base
        What the members cost to hold, negative.
    size, undecided
        Numbers of members and of undecided tasks.
    others, partners
        Shape (N + 1, N): the largest sum of effects of k undecided tasks on each task; and of k − 1
        others where the task itself is one of the k.
    enough
        The search for a tighter bound ends once a size exceeds this.
    first
        How many more members to look at first.
    scratch
        Shape (N,).

    Returns
    -------
    float
        The bound, ``IMPOSSIBLE`` where no group is left.
    int
        The number of further members at which it is reached.
    """
    n_tasks = len(state)
    best, best_at = IMPOSSIBLE, first
    for turn in range(undecided + 2):
        k = first if turn == 0 else turn - 1
        if k > undecided or (turn > 0 and k == first):
            continue
        after = size + k
        if after < min_size or after > max_size:
            continue
        factor = size_weights[after]
        total = base
        filled = 0
        for t in range(n_tasks):
            if state[t] < 0:
                continue
            if state[t] > 0:
                gain = (sums[t] + others[k, t]) * factor
                value = gain_worth[t] * gain + over[t]
                if gain < floor[t]:
                    value = IMPOSSIBLE if rigid else 0.0
                total += value if rigid else max(value, 0.0)
            elif k > 0:
                gain = (sums[t] + partners[k, t]) * factor
                value = gain_worth[t] * gain + over[t]
                if gain < floor[t]:
                    value = IMPOSSIBLE if rigid else 0.0
                scratch[filled] = (value if rigid else max(value, 0.0)) - hold[t]
                filled += 1
        if k > 0:
            total += sum_of_largest(scratch, filled, k)
        if total > best:
            best, best_at = total, k
            if best > enough:
                break
    return best, best_at


@kernel
def descend(
    atoms: Bools,
    effects: Floats,
    conflicts: Bools,
    forbidden: Bools,
    others: Floats,
    partners: Floats,
    min_size: int,
    max_size: int,
    size_weights: Floats,
    gain_worth: Floats,
    over: Floats,
    floor: Floats,
    hold: Floats,
    rigid: bool,
    nodes: int,
    position: Ints,
    side: NDArray[np.int8],
    state: NDArray[np.int8],
    sums: Floats,
    base: Floats,
    likely: Ints,
    keep: bool,
    found: Ints,
    worths: Floats,
    groups: Bools,
) -> bool:
    """Search depth first for the groups that are worth most; return whether all were looked at.

    The state of the search lives in the arrays, so that a later call goes on where this one stopped.

    Parameters
    ----------
    atoms, effects, conflicts
        Shapes (K, N), (K, N) and (K, K), as in :func:`solvers.lattice.climbing_kernels.climb`; atoms are
        decided in this order.
    forbidden
        Shape (F, N): groups that do not count.
    others, partners
        Shape (K + 1, N + 1, N): as in :func:`bound_below`, by the number of decided atoms.
    min_size, max_size, size_weights, gain_worth, over, floor, hold, rigid
        As in :func:`solvers.lattice.climbing_kernels.climb`; ``min_size`` is 2 or more.
    nodes
        Look at so many nodes at most.
    position
        Shape (3,): the current depth, less than that of the root at the end; the number of nodes so far;
        and the depth of the root, above which nothing is decided here.
    side
        Shape (K + 1,): what was tried at each depth: 0 nothing, 1 with the atom, 2 also without.
    state
        Shape (N,), as in :func:`bound_below`.
    sums, base, likely
        Shapes (K + 1, N), (K + 1,) and (K + 1,): of the node at each depth.
    keep
        True to keep every group worth more than ``worths[0]`` and stop when there is no more room;
        False to keep the best ones, and then only better groups are sought.
    found
        Shape (1,): how many groups are kept.
    worths, groups
        Shape (R + 1,) and (R, N): what a group must exceed, then the worth of those kept, and these.
    """
    count, n_tasks = atoms.shape
    room = len(groups)
    scratch = np.empty(n_tasks)
    size = 0
    undecided = 0
    for t in range(n_tasks):
        if state[t] > 0:
            size += 1
        elif state[t] == 0:
            undecided += 1
    done = 0
    depth = position[0]
    root = position[2]
    while depth >= root:
        if side[depth] == 0:
            # A node is entered.
            if done >= nodes:
                position[0] = depth
                return False
            done += 1
            position[1] += 1
            limit = worths[0]
            bound, at = bound_below(
                state, sums[depth], base[depth], size, undecided, others[depth], partners[depth],
                min_size, max_size, size_weights, gain_worth, over, floor, hold, rigid,
                limit, likely[depth], scratch,
            )  # fmt: skip
            likely[depth] = at
            if bound <= limit:
                side[depth] = 2
            elif depth == count:
                side[depth] = 2
                counts = True
                for f in range(len(forbidden)):
                    same = True
                    for t in range(n_tasks):
                        if forbidden[f, t] != (state[t] > 0):
                            same = False
                    if same:
                        counts = False
                if counts:
                    if found[0] < room:
                        slot = found[0]
                        found[0] += 1
                    elif keep:
                        found[0] += 1
                        position[0] = depth
                        return False
                    else:
                        slot = 0
                        for r in range(1, room):
                            if worths[1 + r] < worths[1 + slot]:
                                slot = r
                    worths[1 + slot] = bound
                    for t in range(n_tasks):
                        groups[slot, t] = state[t] > 0
                    if not keep and found[0] == room:
                        least = worths[1]
                        for r in range(1, room):
                            least = min(least, worths[1 + r])
                        worths[0] = max(worths[0], least)
        if side[depth] < 2 and depth < count:
            entering = side[depth] == 0
            side[depth] += 1
            allowed = True
            if entering:
                if conflicts[depth, depth]:
                    allowed = False
                for k in range(depth):
                    if conflicts[depth, k] and side[k] == 1:
                        allowed = False
            held = 0
            cost = 0.0
            for t in range(n_tasks):
                if atoms[depth, t]:
                    held += 1
                    cost += hold[t]
                    if side[depth] == 2:
                        # It was a member until now, unless that was not allowed.
                        if state[t] > 0:
                            size -= 1
                        else:
                            undecided -= 1
                        state[t] = -1
                    elif allowed:
                        state[t] = 1
            if not allowed:
                continue
            if entering:
                size += held
                undecided -= held
            for t in range(n_tasks):
                sums[depth + 1, t] = sums[depth, t] + (effects[depth, t] if entering else 0.0)
            base[depth + 1] = base[depth] - (cost if entering else 0.0)
            likely[depth + 1] = max(0, likely[depth] - held) if entering else likely[depth]
            depth += 1
            side[depth] = 0
            continue
        # Everything below is done: take back the decision above.
        if depth < count and side[depth] == 2:
            for t in range(n_tasks):
                if atoms[depth, t] and state[t] != 0:
                    if state[t] > 0:
                        size -= 1
                    state[t] = 0
                    undecided += 1
        depth -= 1
    position[0] = root - 1
    return True
