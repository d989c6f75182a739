"""The compiled local search for partitions whose groups are worth a weighted sum of their pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


ROUNDING = 1e-13
"""Relative to a fine, the largest number in a sum: changes of this size are rounding."""

MOST_SWEEPS = 1000


@kernel
def group_worth(
    size: int,
    pairs: float,
    linear: float,
    alone: float,
    clashes: int,
    min_size: int,
    max_size: int,
    size_weights: Floats,
    fine: float,
) -> float:
    """Return what one group of a partition is worth, minus a fine for each demand it breaks."""
    if size == 0:
        return 0.0
    worth = alone if size == 1 else size_weights[size] * pairs + linear
    return worth - fine * (max(0, min_size - size) + max(0, size - max_size) + clashes)


@kernel
def improve_listed_partition(
    codes: Ints,
    totals: Floats,
    n_tasks: int,
    min_groups: int,
    max_groups: int,
    fine: float,
    restarts: int,
    seed: int,
    best_codes: Ints,
) -> float:
    """Move and exchange tasks between groups whose worth is looked up; then perturb the best partition.

    Parameters
    ----------
    codes
        Shape (slots,): the groups at the start, some of them empty, overwritten. Bit t tells whether task t
        is a member.
    totals
        Shape (2^N,): what each group is worth, that of no task 0.
    n_tasks
        N.
    min_groups, max_groups, fine, restarts, seed
        As for :func:`improve_partition`.
    best_codes
        Shape (slots,): the best partition, written.

    Returns
    -------
    float
        What it is worth, fines included.
    """
    slots = len(codes)
    best = -np.inf
    random = seed
    place = np.zeros(n_tasks, dtype=np.int64)
    for restart in range(restarts + 1):
        if restart > 0:
            for g in range(slots):
                codes[g] = best_codes[g]
            random = (random * 1103515245 + 12345) % 2147483648
            for _ in range(2 + (random >> 8) % max(1, n_tasks // 3)):
                random = (random * 1103515245 + 12345) % 2147483648
                t = (random >> 8) % n_tasks
                random = (random * 1103515245 + 12345) % 2147483648
                h = (random >> 8) % slots
                for g in range(slots):
                    codes[g] &= ~(1 << t)
                codes[h] |= 1 << t
        groups = 0
        total = 0.0
        for g in range(slots):
            groups += codes[g] != 0
            total += totals[codes[g]]
            for t in range(n_tasks):
                if (codes[g] >> t) & 1:
                    place[t] = g
        total -= fine * (max(0, groups - max_groups) + max(0, min_groups - groups))
        for _ in range(MOST_SWEEPS):
            improved = False
            for t in range(n_tasks):
                g = place[t]
                gain, to, partner = ROUNDING * fine, -1, -1
                left = codes[g] ^ (1 << t)
                for h in range(slots):
                    if h == g:
                        continue
                    after = groups - (left == 0) + (codes[h] == 0)
                    change = totals[left] + totals[codes[h] | (1 << t)] - totals[codes[g]] - totals[codes[h]]
                    change -= fine * (max(0, after - max_groups) - max(0, groups - max_groups))
                    change -= fine * (max(0, min_groups - after) - max(0, min_groups - groups))
                    if change > gain:
                        gain, to, partner = change, h, -1
                for s in range(t + 1, n_tasks):
                    h = place[s]
                    if h == g:
                        continue
                    change = totals[left | (1 << s)] + totals[(codes[h] ^ (1 << s)) | (1 << t)]
                    change -= totals[codes[g]] + totals[codes[h]]
                    if change > gain:
                        gain, to, partner = change, h, s
                if to < 0:
                    continue
                improved = True
                total += gain
                groups += ((codes[to] == 0) - (left == 0)) * (partner < 0)
                codes[g] = left
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


@kernel
def improve_partition(
    label: Ints,
    slots: int,
    sizes: Ints,
    between: Floats,
    inner: Floats,
    linear: Floats,
    alone: Floats,
    conflicts: NDArray[np.bool_],
    min_groups: int,
    max_groups: int,
    min_size: int,
    max_size: int,
    size_weights: Floats,
    fine: float,
    restarts: int,
    seed: int,
    best_label: Ints,
) -> float:
    """Move and exchange atoms between groups while that helps; then perturb the best partition, and again.

    Parameters
    ----------
    label
        Shape (K,): the group of each atom at the start, overwritten.
    slots
        Number of groups there may be, empty ones included.
    sizes
        Shape (K,): tasks of each atom.
    between, inner
        Shapes (K, K) and (K,): effects between two atoms, both ways, and within one.
    linear, alone
        Shape (K,): what an atom is worth besides, in a group of two tasks or more and as a group of one task.
    conflicts
        Shape (K, K): atoms that exclude one another.
    min_groups, max_groups, min_size, max_size
        Demands, each unit of violation of which costs ``fine``.
    size_weights
        Shape (N + 1,): weight of the pairs in a group of each size.
    restarts
        How often to perturb.
    seed
        Decides the perturbations, above 0.
    best_label
        Shape (K,): the best partition, written.

    Returns
    -------
    float
        What it is worth, fines included.
    """
    count = len(label)
    size = np.zeros(slots, dtype=np.int64)
    pairs = np.zeros(slots)
    extra = np.zeros(slots)
    single = np.zeros(slots)
    clashes = np.zeros(slots, dtype=np.int64)
    links = np.zeros((slots, count))
    foes = np.zeros((slots, count), dtype=np.int64)
    worth = np.zeros(slots)
    best = -np.inf
    random = seed
    for restart in range(restarts + 1):
        if restart > 0:
            # Perturb: some atoms go to random groups.
            for k in range(count):
                label[k] = best_label[k]
            random = (random * 1103515245 + 12345) % 2147483648
            kicked = 2 + random % max(1, count // 4)
            for _ in range(kicked):
                random = (random * 1103515245 + 12345) % 2147483648
                k = (random >> 8) % count
                random = (random * 1103515245 + 12345) % 2147483648
                label[k] = (random >> 8) % slots
        groups = 0
        for g in range(slots):
            size[g], pairs[g], extra[g], single[g], clashes[g] = 0, 0.0, 0.0, 0.0, 0
            for k in range(count):
                links[g, k] = 0.0
                foes[g, k] = 0
        for k in range(count):
            g = label[k]
            size[g] += sizes[k]
            pairs[g] += links[g, k] + inner[k]
            extra[g] += linear[k]
            single[g] += alone[k]
            clashes[g] += foes[g, k]
            for j in range(count):
                links[g, j] += between[k, j]
                foes[g, j] += conflicts[k, j]
        total = 0.0
        for g in range(slots):
            worth[g] = group_worth(
                size[g], pairs[g], extra[g], single[g], clashes[g], min_size, max_size, size_weights, fine
            )
            total += worth[g]
            groups += size[g] > 0
        total -= fine * (max(0, groups - max_groups) + max(0, min_groups - groups))
        for _ in range(MOST_SWEEPS):
            improved = False
            for k in range(count):
                g = label[k]
                left = group_worth(
                    size[g] - sizes[k], pairs[g] - links[g, k] - inner[k], extra[g] - linear[k],
                    single[g] - alone[k], clashes[g] - foes[g, k], min_size, max_size, size_weights, fine,
                )  # fmt: skip
                emptied = size[g] == sizes[k]
                gain, to, partner = ROUNDING * fine, -1, -1
                tried_empty = False
                for h in range(slots):
                    if h == g or (size[h] == 0 and (tried_empty or emptied)):
                        continue
                    tried_empty |= size[h] == 0
                    after = groups - emptied + (size[h] == 0)
                    change = left - worth[g] - worth[h]
                    change += group_worth(
                        size[h] + sizes[k], pairs[h] + links[h, k] + inner[k], extra[h] + linear[k],
                        single[h] + alone[k], clashes[h] + foes[h, k], min_size, max_size, size_weights, fine,
                    )  # fmt: skip
                    change -= fine * (max(0, after - max_groups) - max(0, groups - max_groups))
                    change -= fine * (max(0, min_groups - after) - max(0, min_groups - groups))
                    if change > gain:
                        gain, to, partner = change, h, -1
                for j in range(k + 1, count):
                    h = label[j]
                    if h == g:
                        continue
                    change = -worth[g] - worth[h]
                    change += group_worth(
                        size[g] - sizes[k] + sizes[j],
                        pairs[g] - links[g, k] - inner[k] + links[g, j] - between[k, j] + inner[j],
                        extra[g] - linear[k] + linear[j], single[g] - alone[k] + alone[j],
                        clashes[g] - foes[g, k] + foes[g, j] - conflicts[k, j],
                        min_size, max_size, size_weights, fine,
                    )  # fmt: skip
                    change += group_worth(
                        size[h] - sizes[j] + sizes[k],
                        pairs[h] - links[h, j] - inner[j] + links[h, k] - between[k, j] + inner[k],
                        extra[h] - linear[j] + linear[k], single[h] - alone[j] + alone[k],
                        clashes[h] - foes[h, j] + foes[h, k] - conflicts[k, j],
                        min_size, max_size, size_weights, fine,
                    )  # fmt: skip
                    if change > gain:
                        gain, to, partner = change, h, j
                if to < 0:
                    continue
                improved = True
                total += gain
                for turn in range(1 if partner < 0 else 2):
                    moved = k if turn == 0 else partner
                    source = g if turn == 0 else to
                    target = to if turn == 0 else g
                    groups += (size[target] == 0) * 1
                    size[source] -= sizes[moved]
                    pairs[source] -= links[source, moved] + inner[moved]
                    clashes[source] -= foes[source, moved]
                    extra[source] -= linear[moved]
                    single[source] -= alone[moved]
                    for j in range(count):
                        links[source, j] -= between[moved, j]
                        foes[source, j] -= conflicts[moved, j]
                    size[target] += sizes[moved]
                    pairs[target] += links[target, moved] + inner[moved]
                    clashes[target] += foes[target, moved]
                    extra[target] += linear[moved]
                    single[target] += alone[moved]
                    for j in range(count):
                        links[target, j] += between[moved, j]
                        foes[target, j] += conflicts[moved, j]
                    groups -= (size[source] == 0) * 1
                    label[moved] = target
                for h in (g, to):
                    worth[h] = group_worth(
                        size[h], pairs[h], extra[h], single[h], clashes[h],
                        min_size, max_size, size_weights, fine,
                    )  # fmt: skip
            if not improved:
                break
        if total > best:
            best = total
            for k in range(count):
                best_label[k] = label[k]
    return best
