"""Numbers and arrays that nobody writes to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def is_number(value: object) -> bool:
    """Whether this is a finite number; True and False are none."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(value)


def read_only(given: ArrayLike, dtype: type) -> NDArray[Any]:
    """Return a read-only array: what is given, if nobody can write to it, else a copy."""
    if (
        isinstance(given, np.ndarray)
        and given.dtype == dtype
        and given.base is None
        and given.flags.c_contiguous
        and not given.flags.writeable
    ):
        return given
    return given_away(np.array(given, dtype=dtype))


def power_of_two(magnitude: float) -> float:
    """Return the largest power of two up to a number above 0: a unit by which division is exact."""
    return math.ldexp(1.0, math.frexp(magnitude)[1] - 1)


def given_away(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array as read-only, so that a tensor takes it over without a copy."""
    array.setflags(write=False)
    return array
