"""The compiled local search for partitions whose groups' worth is looked up.

A group is a code: bit t tells whether task t is a member.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, OutInts, Random
from solvers.kernels.drawing import draw
from solvers.kernels.jit import inner, kernel

ROUNDING = 1e-13
"""Relative to a fine, the largest number in a sum: changes of this size are rounding."""

MOST_SWEEPS = 1000


@inner
def _count_fine(groups: int, min_groups: int, max_groups: int, fine: float) -> float:
    """Return the fine for too many or too few groups."""
    return fine * (max(0, groups - max_groups) + max(0, min_groups - groups))


@kernel
def improve_listed_partition(
    codes: OutInts,
    totals: Floats,
    n_tasks: int,
    min_groups: int,
    max_groups: int,
    fine: float,
    restarts: int,
    random: Random,
    best_codes: OutInts,
) -> float:
    """Move and exchange tasks between groups while that helps; then perturb the best partition, and again.

    Parameters
    ----------
    codes
        Shape (slots,): the groups at the start, some of them empty, overwritten.
    totals
        Shape (2^N,): what each group is worth, that of no task 0.
    n_tasks
        N.
    min_groups, max_groups, fine
        Demands, each unit of violation of which costs the fine.
    restarts
        How often to perturb.
    random
        Decides the perturbations.
    best_codes
        Shape (slots,): the best partition, written.

    Returns
    -------
    float
        What it is worth, fines included.
    """
    slots = len(codes)
    best = -np.inf
    place = np.zeros(n_tasks, dtype=np.int64)
    for restart in range(restarts + 1):
        if restart > 0:
            # Back to the best partition, some tasks of which go to random groups.
            for g in range(slots):
                codes[g] = best_codes[g]
            for _ in range(2 + draw(random, max(1, n_tasks // 3))):
                bit = 1 << draw(random, n_tasks)
                for g in range(slots):
                    codes[g] &= ~bit
                codes[draw(random, slots)] |= bit
        groups = 0
        total = 0.0
        for g in range(slots):
            groups += codes[g] != 0
            total += totals[codes[g]]
            for t in range(n_tasks):
                if (codes[g] >> t) & 1:
                    place[t] = g
        total -= _count_fine(groups, min_groups, max_groups, fine)
        for _ in range(MOST_SWEEPS):
            improved = False
            for t in range(n_tasks):
                g = place[t]
                gain, to, partner, after = ROUNDING * fine, -1, -1, groups
                # The best group to move to, or the best task of another group to change places with.
                for choice in range(slots + n_tasks - t - 1):
                    h = choice
                    s = -1
                    other = 0
                    count = groups
                    if choice >= slots:
                        s = choice - slots + t + 1
                        h = place[s]
                        other = 1 << s
                    if h == g:
                        continue
                    left = codes[g] ^ (1 << t) | other
                    joined = codes[h] ^ other | (1 << t)
                    change = totals[left] + totals[joined] - totals[codes[g]] - totals[codes[h]]
                    if s < 0:
                        count += (codes[h] == 0) - (left == 0)
                        if count != groups:
                            change -= _count_fine(count, min_groups, max_groups, fine)
                            change += _count_fine(groups, min_groups, max_groups, fine)
                    if change > gain:
                        gain, to, partner, after = change, h, s, count
                if to < 0:
                    continue
                improved = True
                total += gain
                groups = after
                codes[g] ^= 1 << t
                codes[to] |= 1 << t
                place[t] = to
                if partner >= 0:
                    codes[to] ^= 1 << partner
                    codes[g] |= 1 << partner
                    place[partner] = g
            if not improved:
                break
        if total > best:
            best = total
            for g in range(slots):
                best_codes[g] = codes[g]
    return best
