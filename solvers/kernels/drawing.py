"""Random numbers for kernels."""

from __future__ import annotations

import numpy as np

from solvers.kernels.arrays import Random
from solvers.kernels.jit import inner

DRAWS = 1 << 53
"""As many numbers as a double can tell apart."""


@inner
def draw(random: Random, limit: int) -> int:
    """Advance a xorshift generator (Marsaglia, 2003) and return a number below ``limit``."""
    word = random[0]
    word ^= word << np.uint64(13)
    word ^= word >> np.uint64(7)
    word ^= word << np.uint64(17)
    random[0] = word
    return int(word >> np.uint64(11)) % limit


@inner
def accepts(random: Random, change: float, temperature: float) -> bool:
    """Whether the rule of Metropolis accepts a change of value."""
    return bool(change > temperature * np.log((draw(random, DRAWS) + 1) / DRAWS))
