"""Compiled kernels of the relaxation of a graph: violated inequalities, and their multipliers."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Floats, Floats2, Ints, OutFloats, OutInts, OutInts2
from solvers.kernels.jit import kernel


@kernel
def triangles(x: Floats2, least: float, corners: OutInts2, violation: OutFloats) -> int:
    """Write violated triangle inequalities, as many as there is room for; return how many."""
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
def stars(x: Floats2, least: float, members: OutInts2, sizes: OutInts, violation: OutFloats) -> int:
    """Grow a star around each node from each neighbour, greedily, and write the violated ones."""
    n = len(x)
    largest = members.shape[1] - 1
    count = 0
    picked = np.empty(n, dtype=np.bool_)
    room = np.empty(n)
    for centre in range(n):
        for start in range(n):
            if start == centre or x[centre, start] < 0.05 or x[centre, start] > 0.95:
                continue
            for other in range(n):
                picked[other] = other == centre
                room[other] = x[centre, other]
            size = 0
            total = 0.0
            node = start
            # The leaf next that adds most, as long as there is one.
            while node >= 0 and size < largest:
                total += room[node]
                picked[node] = True
                size += 1
                members[count, size] = node
                best = 1e-4
                leaf = node
                node = -1
                for other in range(n):
                    room[other] -= x[leaf, other]
                    if not picked[other] and room[other] > best:
                        best, node = room[other], other
            if size >= 3 and total - 1.0 > least:
                members[count, 0] = centre
                sizes[count] = size
                violation[count] = total - 1.0
                count += 1
                if count == len(sizes):
                    return count
    return count


@kernel
def sweep(
    raw: OutFloats,
    lower: Floats,
    upper: Floats,
    indptr: Ints,
    columns: Ints,
    coefficients: Floats,
    limits: Floats,
    squares: Floats,
    multipliers: OutFloats,
    times: int,
) -> None:
    """Improve the multiplier of one inequality after another; ``raw`` follows.

    Row r holds that ``coefficients`` times ``columns``, from entry ``indptr[r]`` to ``indptr[r + 1]``, are
    at most ``limits[r]``; ``squares`` are the squared norms.
    """
    for _ in range(times):
        for row in range(len(limits)):
            excess = -limits[row]
            for entry in range(indptr[row], indptr[row + 1]):
                column = columns[entry]
                excess += coefficients[entry] * min(max(raw[column], lower[column]), upper[column])
            change = max(excess / squares[row], -multipliers[row])
            if change != 0.0:
                multipliers[row] += change
                for entry in range(indptr[row], indptr[row + 1]):
                    raw[columns[entry]] -= change * coefficients[entry]
