"""Compiled pricing by branch and bound over tasks, for models made of pairs.

A node decides of some tasks whether they are members. What the others can add to a task's gain is at
most the sum of their largest effects on it, as many as there are members among them; those sums are
tabulated per number of decided tasks. So the worth of every group below a node is bounded, size by size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel
from solvers.kernels.relaxation import nth_largest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

IMPOSSIBLE = -1e300


class Numbers(NamedTuple):
    """What a group is worth at some prices, as in :func:`solvers.kernels.climbing.climb`.

    Attributes
    ----------
    min_size, max_size
        Bounds on the number of tasks; 2 or more.
    size_weights
        Shape (N + 1,).
    gain_worth, over, floor, hold
        Shape (N,).
    rigid
        Whether every member is served.
    """

    min_size: int
    max_size: int
    size_weights: Floats
    gain_worth: Floats
    over: Floats
    floor: Floats
    hold: Floats
    rigid: bool


class Structure(NamedTuple):
    """What is decided, in this order, and what it does to the gains.

    Attributes
    ----------
    atoms, effects, conflicts
        Shapes (K, N), (K, N) and (K, K), as in :func:`solvers.kernels.climbing.climb`.
    forbidden
        Shape (F, N): groups that do not count.
    others
        Shape (K + 1, N + 1, N): by the number of decided atoms, the largest sum of the effects of k undecided
        tasks on each other task.
    """

    atoms: Bools
    effects: Floats
    conflicts: Bools
    forbidden: Bools
    others: Floats


class Descent(NamedTuple):
    """The state of a search, so that a later call goes on where an earlier one stopped.

    Attributes
    ----------
    position
        Shape (3,): the current depth, less than that of the root at the end; the number of nodes so far;
        and the depth of the root, above which nothing is decided here.
    side
        Shape (K + 1,): what was tried at each depth: 0 nothing, 1 with the atom, 2 also without.
    state
        Shape (N,): 1 for members, −1 for tasks left out, 0 for undecided ones.
    sums, base, likely
        Shapes (K + 1, N), (K + 1,) and (K + 1,), of the node at each depth: effect of the members on each
        task, what they cost to hold (negative), and how many more members the bound is reached with.
    found
        Shape (1,): how many groups are kept.
    worths, groups
        Shape (R + 1,) and (R, N): what a group must exceed, then the worth of those kept, and these.
    """

    position: Ints
    side: NDArray[np.int8]
    state: NDArray[np.int8]
    sums: Floats
    base: Floats
    likely: Ints
    found: Ints
    worths: Floats
    groups: Bools

    @property
    def kept(self) -> Bools:
        """Shape (k, N): the groups found."""
        return self.groups[: min(int(self.found[0]), len(self.groups))]


@kernel
def sum_of_largest(values: Floats, count: int, rank: int) -> float:
    """Return the sum of the ``rank`` largest among the first ``count`` values, reordering them."""
    if rank < count:
        nth_largest(values, count, rank)
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
    numbers: Numbers,
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
    others
        Shape (N + 1, N): those of :class:`Structure` at this depth.
    numbers
        What a group is worth.
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
    gain_worth, over, floor, rigid = numbers.gain_worth, numbers.over, numbers.floor, numbers.rigid
    n_tasks = len(state)
    best, best_at = IMPOSSIBLE, first
    for turn in range(undecided + 2):
        k = first if turn == 0 else turn - 1
        if k > undecided or (turn > 0 and k == first):
            continue
        after = size + k
        if after < numbers.min_size or after > numbers.max_size:
            continue
        factor = numbers.size_weights[after]
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
                gain = (sums[t] + others[k - 1, t]) * factor
                value = gain_worth[t] * gain + over[t]
                if gain < floor[t]:
                    value = IMPOSSIBLE if rigid else 0.0
                scratch[filled] = (value if rigid else max(value, 0.0)) - numbers.hold[t]
                filled += 1
        if k > 0:
            total += sum_of_largest(scratch, filled, k)
        if total > best:
            best, best_at = total, k
            if best > enough:
                break
    return best, best_at


@kernel
def descend(structure: Structure, numbers: Numbers, at: Descent, nodes: int, keep: bool) -> bool:
    """Search depth first for the groups that are worth most; return whether all were looked at.

    Parameters
    ----------
    structure, numbers
        What is decided, and what a group is worth.
    at
        The state of the search, changed.
    nodes
        Look at so many nodes at most.
    keep
        True to keep every group worth more than ``worths[0]`` and stop when there is no more room;
        False to keep the best ones, and then only better groups are sought.
    """
    atoms, effects, conflicts = structure.atoms, structure.effects, structure.conflicts
    forbidden = structure.forbidden
    position, side, state, sums, base = at.position, at.side, at.state, at.sums, at.base
    likely, found, worths, groups = at.likely, at.found, at.worths, at.groups
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
            bound, further = bound_below(
                state, sums[depth], base[depth], size, undecided, structure.others[depth],
                numbers, limit, likely[depth], scratch,
            )  # fmt: skip
            likely[depth] = further
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
                    cost += numbers.hold[t]
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
