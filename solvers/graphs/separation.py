"""Violated inequalities: triangles, and the stars among the 2-partition inequalities; compiled."""

from __future__ import annotations

import numpy as np

from solvers.graphs.form import Floats, Ints
from solvers.graphs.pairs import Pairs
from solvers.graphs.rows import Rows
from solvers.kernels.jit import kernel

CAPACITY = 400_000
"""So many violated triangles are looked at."""

LARGEST_STAR = 12


@kernel
def _triangles(x: Floats, least: float, corners: Ints, violation: Floats) -> int:
    n = len(x)
    count = 0
    for centre in range(n):
        for one in range(n):
            near = x[centre, one] - 1.0 - least
            if one == centre or near <= -1.0:
                continue
            for other in range(one + 1, n):
                if near + x[centre, other] - x[one, other] > 0.0 and other != centre:
                    if count == len(violation):
                        return count
                    corners[count, 0] = one
                    corners[count, 1] = other
                    corners[count, 2] = centre
                    violation[count] = near + x[centre, other] - x[one, other] + least
                    count += 1
    return count


@kernel
def _stars(x: Floats, least: float, members: Ints, sizes: Ints, violation: Floats) -> int:
    """Grow a star around each node from each neighbour, greedily."""
    n = len(x)
    count = 0
    for centre in range(n):
        for start in range(n):
            if start == centre or x[centre, start] < 0.05 or x[centre, start] > 0.95:
                continue
            picked = np.zeros(n, dtype=np.bool_)
            room = x[centre].copy()
            room[centre] = 0.0
            size = 0
            total = 0.0
            node = start
            while size < LARGEST_STAR:
                total += room[node]
                picked[node] = True
                members[count, 1 + size] = node
                size += 1
                best, node_best = 1e-4, -1
                for other in range(n):
                    room[other] -= x[node, other]
                    if not picked[other] and other != centre and room[other] > best:
                        best, node_best = room[other], other
                if node_best < 0:
                    break
                node = node_best
            if size >= 3 and total - 1.0 > least:
                members[count, 0] = centre
                sizes[count] = size
                violation[count] = total - 1.0
                count += 1
                if count == len(sizes):
                    return count
    return count


def violated_triangles(pairs: Pairs, x: Floats, least: float, most: int) -> Rows:
    """Return the most violated triangle inequalities (Grötschel and Wakabayashi, 1989).

    Parameters
    ----------
    pairs
        The variables.
    x
        Shape (n, n): their values.
    least
        What counts as violated.
    most
        How many to return.
    """
    corners = np.empty((CAPACITY, 3), dtype=np.int64)
    violation = np.empty(CAPACITY)
    count = _triangles(x, least, corners, violation)
    corners, violation = corners[:count], violation[:count]
    if count > most:
        top = np.argpartition(-violation, most)[:most]
        corners, violation = corners[top], violation[top]
    return Rows.triangles(pairs, corners[np.argsort(-violation, kind="stable")])


def violated_stars(pairs: Pairs, x: Floats, least: float, most: int) -> Rows:
    """Return violated 2-partition inequalities with one node on one side.

    For a node s and a set T: Σ x_st over T − Σ x_tt' over the pairs of T ≤ 1 (Grötschel and
    Wakabayashi, 1989).

    Parameters
    ----------
    pairs, x, least, most
        As for :func:`violated_triangles`.
    """
    n = pairs.n
    members = np.empty((n * n, LARGEST_STAR + 1), dtype=np.int64)
    sizes = np.empty(n * n, dtype=np.int64)
    violation = np.empty(n * n)
    count = _stars(x, least, members, sizes, violation)
    rows, keys, seen = [], [], set()
    for place in np.argsort(-violation[:count], kind="stable"):
        centre, leaves = members[place, 0], np.sort(members[place, 1 : 1 + sizes[place]])
        key = (int(centre), *leaves.tolist())
        if key in seen:
            continue
        seen.add(key)
        one, other = np.triu_indices(len(leaves), k=1)
        columns = np.concatenate([pairs.number[centre, leaves], pairs.number[leaves[one], leaves[other]]])
        signs = np.concatenate([np.ones(len(leaves)), -np.ones(len(one))])
        rows.append((columns, signs, 1.0))
        keys.append(-1 - abs(hash(key)))
        if len(rows) == most:
            break
    return Rows.of(rows, keys)
