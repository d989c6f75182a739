"""The compiled local search for partitions whose groups are worth a weighted sum of their pairs."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import OutInts, Random
from solvers.kernels.drawing import draw
from solvers.kernels.jit import inner, kernel
from solvers.kernels.separable import PairArrays, Sums

ROUNDING = 1e-13
"""Relative to a fine, the largest number in a sum: changes of this size are rounding."""

MOST_SWEEPS = 1000


@inner
def _count_fine(given: PairArrays, groups: int) -> float:
    """Return the fine for too many or too few groups."""
    return given.fine * (max(0, groups - given.max_groups) + max(0, given.min_groups - groups))


@inner
def _worth(given: PairArrays, sums: Sums, g: int, leaving: int, entering: int) -> float:
    """Return what a group is worth without one atom and with another, minus its fines."""
    size = sums.size[g] - given.sizes[leaving] + given.sizes[entering]
    if size == 0:
        return 0.0
    clashes = sums.clashes[g] - sums.foes[g, leaving] + sums.foes[g, entering]
    clashes -= given.conflicts[leaving, entering]
    clashes += max(0, given.min_size - size) + max(0, size - given.max_size)
    if size == 1:
        single = sums.single[g] - given.alone[leaving] + given.alone[entering]
        return float(single - given.fine * clashes)
    pairs = sums.pairs[g] - sums.links[g, leaving] - given.inner[leaving]
    pairs += sums.links[g, entering] + given.inner[entering] - given.between[leaving, entering]
    extra = sums.extra[g] - given.linear[leaving] + given.linear[entering]
    return float(given.size_weights[size] * pairs + extra - given.fine * clashes)


@inner
def _shift(given: PairArrays, sums: Sums, k: int, g: int, sign: int) -> None:
    """Put an atom into a group, or take it out with a sign of −1."""
    sums.size[g] += sign * given.sizes[k]
    sums.pairs[g] += sign * (sums.links[g, k] + given.inner[k])
    sums.extra[g] += sign * given.linear[k]
    sums.single[g] += sign * given.alone[k]
    sums.clashes[g] += sign * sums.foes[g, k]
    for j in range(len(given.sizes)):
        sums.links[g, j] += sign * given.between[k, j]
        sums.foes[g, j] += sign * given.conflicts[k, j]


@kernel
def improve_partition(given: PairArrays, sums: Sums, restarts: int, random: Random, label: OutInts) -> None:
    """Move and exchange atoms between groups while that helps; then perturb the best partition, and again.

    Parameters
    ----------
    given
        The atoms, what they are worth, and demands.
    sums
        All zero, a row for each group there may be.
    restarts
        How often to perturb.
    random
        Decides the perturbations.
    label
        Shape (K,): the group of each atom at the start, overwritten by that in the best partition.
    """
    none = len(label)
    slots = len(sums.size)
    size = sums.size
    at = np.empty(none, dtype=np.int64)
    worth = np.empty(slots)
    for k in range(none):
        at[k] = -1
    best = -np.inf
    for restart in range(restarts + 1):
        # Back to the best partition, some atoms of which go to random groups.
        kicks = 0 if restart == 0 else 2 + draw(random, max(1, none // 4))
        for step in range(none + kicks):
            k = step if step < none else draw(random, none)
            g = label[k] if step < none else draw(random, slots)
            if g != at[k]:
                for turn in range(1 if at[k] < 0 else 0, 2):
                    _shift(given, sums, k, g if turn else at[k], 2 * turn - 1)
                at[k] = g
        groups = 0
        for g in range(slots):
            groups += size[g] > 0
        changed = True
        for _ in range(MOST_SWEEPS):
            improved = False
            for k in range(none + 1):
                if changed:
                    for g in range(slots):
                        worth[g] = _worth(given, sums, g, none, none)
                    changed = False
                if k == none:
                    break
                g = at[k]
                emptied = size[g] == given.sizes[k]
                gain, to, partner, after = ROUNDING * given.fine, -1, none, groups
                tried_empty = emptied
                # The best group to move to, or the best atom of another group to change places with.
                for choice in range(slots + none - k - 1):
                    j = none
                    h = choice
                    if choice >= slots:
                        j = choice - slots + k + 1
                        h = at[j]
                    if h == g:
                        continue
                    count = groups
                    if j == none:
                        if size[h] == 0 and tried_empty:
                            continue
                        tried_empty |= size[h] == 0
                        count += (size[h] == 0) - emptied
                    change = _worth(given, sums, g, k, j) + _worth(given, sums, h, j, k)
                    change -= worth[g] + worth[h]
                    if count != groups:
                        change -= _count_fine(given, count) - _count_fine(given, groups)
                    if change > gain:
                        gain, to, partner, after = change, h, j, count
                if to < 0:
                    continue
                improved = True
                changed = True
                groups = after
                for turn in range(4 if partner < none else 2):
                    moved = k if turn < 2 else partner
                    _shift(given, sums, moved, at[moved], 2 * (turn % 2) - 1)
                    if turn % 2 == 0:
                        at[moved] = to if turn < 2 else g
            if not improved:
                break
        total = -_count_fine(given, groups)
        for g in range(slots):
            total += worth[g]
        if total > best:
            best = total
            for k in range(none):
                label[k] = at[k]
