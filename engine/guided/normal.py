"""The closed form of the normal distribution that expected improvements are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def expected_excess(mean: Numbers, std: Numbers) -> Numbers:
    """Return E[max(X, 0)] of normal X, entry by entry; NaN where either is.

    Parameters
    ----------
    mean, std
        Of equal shapes; a standard deviation of 0 stands for a certain value.
    """
    from scipy.special import ndtr

    certain = std <= 0
    safe = np.where(certain, 1.0, std)
    scaled = mean / safe
    density = np.exp(-0.5 * np.square(scaled)) / np.sqrt(2.0 * np.pi)
    excess: Numbers = np.where(certain, np.maximum(mean, 0.0), mean * ndtr(scaled) + safe * density)
    return excess
