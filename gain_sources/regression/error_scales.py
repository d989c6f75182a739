"""How far predictions are off, task by task, learnt from groups that were left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

PRIOR_ENTRIES = 5.0
"""The errors of all tasks together count as so many entries of each task."""


def task_means(squares: Numbers) -> Numbers:
    """Return the mean square of each task, drawn towards that of all tasks; shape (N,).

    Parameters
    ----------
    squares
        Shape (M, N): squared errors of what was left out, NaN elsewhere.

    Returns
    -------
    ndarray
        Shape (N,), NaN if there is no error at all.
    """
    counts = np.isfinite(squares).sum(axis=0)
    sums = np.nansum(squares, axis=0)
    if not counts.sum():
        return np.full(squares.shape[1], np.nan)
    typical = float(sums.sum() / counts.sum())
    means: Numbers = (sums + PRIOR_ENTRIES * typical) / (counts + PRIOR_ENTRIES)
    return means
