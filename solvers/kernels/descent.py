"""Compiled pricing by branch and bound over tasks, for models made of pairs.

A node decides of some tasks whether they are members. What the others can add to a task's gain is at
most the sum of their largest effects on it, as many as there are members among them; those sums are
tabulated per number of decided tasks. So the worth of every group below a node is bounded, size by size.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, Floats2, OutFloats, Signs
from solvers.kernels.jit import kernel
from solvers.kernels.ranking import nth_largest
from solvers.kernels.separable import Descent, Numbers, Structure

IMPOSSIBLE = -1e300


@kernel
def bound_below(
    state: Signs,
    sums: Floats,
    base: float,
    size: int,
    undecided: int,
    others: Floats2,
    numbers: Numbers,
    enough: float,
    first: int,
    scratch: OutFloats,
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
    rigid = numbers.rigid
    best, best_at = IMPOSSIBLE, first
    # Each number of further members, the likeliest first.
    for turn in range(undecided + 2):
        k = first if turn == 0 else turn - 1
        after = size + k
        if k > undecided or (turn > 0 and k == first) or not numbers.min_size <= after <= numbers.max_size:
            continue
        factor = numbers.size_weights[after]
        total = base
        filled = 0
        # Members count in any case, of the undecided tasks the best ones.
        for t in range(len(state)):
            member = state[t] > 0
            if state[t] < 0 or (k == 0 and not member):
                continue
            gain = (sums[t] + others[k if member else k - 1, t]) * factor
            value = numbers.gain_worth[t] * gain + numbers.over[t]
            if gain < numbers.floor[t]:
                value = IMPOSSIBLE
            if not rigid:
                value = max(value, 0.0)
            if member:
                total += value
            else:
                scratch[filled] = value - numbers.hold[t]
                filled += 1
        if 0 < k < filled:
            nth_largest(scratch, filled, k)
        for i in range(min(k, filled)):
            total += scratch[i]
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
    done = 0
    depth = position[0]
    root = position[2]
    while depth >= root:
        if side[depth] == 0:
            # A node is entered: bound what lies below.
            if done >= nodes:
                position[0] = depth
                return False
            done += 1
            position[1] += 1
            bound, further = bound_below(
                state, sums[depth], base[depth], at.size[depth], at.undecided[depth],
                structure.others[depth], numbers, worths[0], likely[depth], scratch,
            )  # fmt: skip
            likely[depth] = further
            counts = bound > worths[0]
            if not counts or depth == count:
                side[depth] = 2
            if counts and depth == count:
                # All is decided: a group to keep, unless it is forbidden.
                for f in range(len(forbidden)):
                    same = True
                    for t in range(n_tasks):
                        same &= forbidden[f, t] == (state[t] > 0)
                    counts &= not same
                slot = found[0]
                if counts:
                    found[0] = min(found[0] + 1, room + 1 if keep else room)
                if counts and slot == room:
                    if keep:
                        position[0] = depth
                        return False
                    slot = 0
                    for r in range(1, room):
                        if worths[1 + r] < worths[1 + slot]:
                            slot = r
                if counts:
                    worths[1 + slot] = bound
                    for t in range(n_tasks):
                        groups[slot, t] = state[t] > 0
                    if not keep and found[0] == room:
                        least = worths[1]
                        for r in range(1, room):
                            least = min(least, worths[1 + r])
                        worths[0] = max(worths[0], least)
        if side[depth] < 2 and depth < count:
            # Go down: first with the atom of this depth, where that is allowed, then without.
            entering = side[depth] == 0
            side[depth] += 1
            allowed = True
            for k in range(depth + 1):
                if entering and conflicts[depth, k] and (k == depth or side[k] == 1):
                    allowed = False
            if not allowed:
                continue
            held = 0
            cost = 0.0
            for t in range(n_tasks):
                sums[depth + 1, t] = sums[depth, t]
                if entering:
                    sums[depth + 1, t] += effects[depth, t]
                if atoms[depth, t]:
                    held += 1
                    cost += numbers.hold[t]
                    state[t] = 1 if entering else -1
            at.undecided[depth + 1] = at.undecided[depth] - held
            if not entering:
                held = 0
                cost = 0.0
            at.size[depth + 1] = at.size[depth] + held
            base[depth + 1] = base[depth] - cost
            likely[depth + 1] = max(0, likely[depth] - held)
            depth += 1
            side[depth] = 0
            continue
        # Everything below is done: take back the decision.
        if depth < count:
            for t in range(n_tasks):
                if atoms[depth, t]:
                    state[t] = 0
        depth -= 1
    position[0] = root - 1
    return True
