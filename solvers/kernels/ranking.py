"""The largest of some numbers; NumPy's own functions do the same but take ten seconds to compile."""

from __future__ import annotations

from solvers.kernels.arrays import OutFloats
from solvers.kernels.jit import inner


@inner
def nth_largest(values: OutFloats, count: int, rank: int) -> float:
    """Return the value of a rank (1 is the largest) among the first ``count``, by quickselect.

    Reorders them so that the first ``rank`` are the largest.
    """
    low, high, wanted = 0, count - 1, rank - 1
    while low < high:
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
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    return float(values[wanted])
