"""Violated inequalities: triangles, and the stars among the 2-partition inequalities."""

from __future__ import annotations

import numpy as np

from solvers.graphs.form import Floats
from solvers.graphs.pairs import Pairs
from solvers.graphs.rows import Rows

CAPACITY = 400_000
"""So many violated triangles are looked at."""

LARGEST_STAR = 12


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
    from solvers.kernels.inequalities import triangles

    corners = np.empty((CAPACITY, 3), dtype=np.int64)
    violation = np.empty(CAPACITY)
    count = triangles(x, least, corners, violation)
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
    from solvers.kernels.inequalities import stars

    n = pairs.n
    members = np.empty((n * n, LARGEST_STAR + 1), dtype=np.int64)
    sizes = np.empty(n * n, dtype=np.int64)
    violation = np.empty(n * n)
    count = stars(x, least, members, sizes, violation)
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
