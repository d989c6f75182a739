"""Metrics of regression tasks, over many networks at once; the mean where a task has several outputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def squared_error(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean squared error."""
    return _mean((outputs - _column(targets)) ** 2)


def root_squared_error(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the root of the mean squared error."""
    return np.sqrt(squared_error(outputs, targets))


def absolute_error(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean absolute error."""
    return _mean(np.abs(outputs - _column(targets)))


def huber(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean Huber loss: squares up to a gap of 1, straight beyond."""
    gap = np.abs(outputs - _column(targets))
    return _mean(np.where(gap <= 1, gap**2 / 2, gap - 0.5))


def explained(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return R², the share of variance explained; NaN where the targets do not vary."""
    wanted = _column(targets)
    spread = ((wanted - wanted.mean(axis=0)) ** 2).sum(axis=0)
    if not _varies(wanted):
        return np.full(outputs.shape[:-2], np.nan)
    missed = ((outputs - wanted) ** 2).sum(axis=-2)
    return np.asarray((1 - missed / spread).mean(axis=-1))


def pearson(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the correlation; NaN where the targets do not vary, 0 where the outputs do not."""
    wanted = _column(targets)
    if not _varies(wanted):
        return np.full(outputs.shape[:-2], np.nan)
    left = outputs - outputs.mean(axis=-2, keepdims=True)
    right = wanted - wanted.mean(axis=0)
    below = np.sqrt((left**2).sum(axis=-2) * (right**2).sum(axis=0))
    varies = (outputs != outputs[..., :1, :]).any(axis=-2) & (below > 0)
    above = (left * right).sum(axis=-2)
    return np.asarray(np.where(varies, above / np.where(varies, below, 1.0), 0.0).mean(axis=-1))


def spearman(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the correlation of ranks, ties at their mean; undefined as :func:`pearson` is."""
    from scipy.stats import rankdata

    return pearson(rankdata(outputs, axis=-2), rankdata(_column(targets), axis=0))


def _mean(values: Numbers) -> Numbers:
    return np.asarray(values.mean(axis=(-2, -1)))


def _column(targets: Numbers) -> Numbers:
    return targets.reshape(len(targets), -1)


def _varies(wanted: Numbers) -> bool:
    return bool((wanted != wanted[0]).any(axis=0).all())
