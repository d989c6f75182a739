"""Metrics of binary and multiclass tasks, over many networks at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def binary_cross_entropy(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean negative log-likelihood, natural logarithm."""
    losses = np.logaddexp(0.0, outputs) - outputs * targets.reshape(-1, 1)
    return np.asarray(losses.mean(axis=(-2, -1)))


def cross_entropy(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean negative log-likelihood, natural logarithm."""
    highest = outputs.max(axis=-1, keepdims=True)
    total = highest[..., 0] + np.log(np.exp(outputs - highest).sum(axis=-1))
    wanted = targets.reshape(-1).astype(np.int64)
    index = np.broadcast_to(wanted[:, None], (*outputs.shape[:-1], 1))
    right = np.take_along_axis(outputs, index, axis=-1)[..., 0]
    return np.asarray((total - right).mean(axis=-1))


def accuracy(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the share of samples whose class is right."""
    return np.asarray((_classes(outputs) == targets.reshape(-1)).mean(axis=-1))


def balanced_accuracy(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean over the classes that occur of the share of their samples that is right."""
    wanted = targets.reshape(-1)
    right = _classes(outputs) == wanted
    recalls = [right[..., wanted == number].mean(axis=-1) for number in np.unique(wanted)]
    return np.asarray(np.mean(recalls, axis=0))


def f1(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the harmonic mean of precision and recall of class 1; NaN where no sample is of it."""
    predicted, wanted = _classes(outputs) == 1, targets.reshape(-1) == 1
    if not wanted.any():
        return np.full(outputs.shape[:-2], np.nan)
    return np.asarray(2 * (predicted & wanted).sum(axis=-1) / (predicted.sum(axis=-1) + wanted.sum()))


def macro_f1(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean of F1 over the classes that occur in the targets or among the predictions."""
    hits, predicted, actual = _counts(outputs, targets)
    total = predicted + actual
    occurs = total > 0
    scores = np.where(occurs, 2 * hits / np.maximum(total, 1), 0.0)
    return np.asarray(scores.sum(axis=-1) / occurs.sum(axis=-1))


def matthews(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the correlation of predicted and true class, for several classes as in Gorodkin (2004).

    NaN where all targets are of one class, 0 where all predictions are.
    """
    hits, predicted, actual = _counts(outputs, targets)
    count = float(outputs.shape[-2])
    spread = count**2 - (actual**2).sum(axis=-1)
    if not spread > 0:
        return np.full(outputs.shape[:-2], np.nan)
    above = hits.sum(axis=-1) * count - (predicted * actual).sum(axis=-1)
    below = np.sqrt((count**2 - (predicted**2).sum(axis=-1)) * spread)
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0))


def auroc(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the area under the receiver operating characteristic, NaN where there is one class."""
    from scipy.stats import rankdata

    positive = targets.reshape(-1) == 1
    count, others = int(positive.sum()), int((~positive).sum())
    if not (count and others):
        return np.full(outputs.shape[:-2], np.nan)
    ranks = rankdata(outputs[..., 0], axis=-1)
    return np.asarray((ranks[..., positive].sum(axis=-1) - count * (count + 1) / 2) / (count * others))


def average_precision(outputs: Numbers, targets: Numbers) -> Numbers:
    """Return the mean of precision over the steps of recall, NaN where no sample is positive."""
    scores, positive = outputs[..., 0], targets.reshape(-1) == 1
    if not positive.any():
        return np.full(scores.shape[:-1], np.nan)
    order = np.argsort(-scores, axis=-1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=-1)
    hits = np.cumsum(positive[order], axis=-1)
    # Of equal scores only the last stands for a threshold.
    last = np.ones(ranked.shape, dtype=bool)
    last[..., :-1] = ranked[..., :-1] != ranked[..., 1:]
    precision = hits / np.arange(1, scores.shape[-1] + 1)
    recalled = np.where(last, hits, 0)
    before = np.maximum.accumulate(recalled, axis=-1)
    step = recalled - np.concatenate([np.zeros_like(before[..., :1]), before[..., :-1]], axis=-1)
    return np.asarray((np.where(last, step, 0) * precision).sum(axis=-1) / positive.sum())


def _classes(outputs: Numbers) -> NDArray[np.int64]:
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > 0).astype(np.int64)
    classes: NDArray[np.int64] = outputs.argmax(axis=-1)
    return classes


def _counts(outputs: Numbers, targets: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return per class how often it is predicted rightly, is predicted, and is true."""
    classes = np.arange(max(outputs.shape[-1], 2))
    predicted = _classes(outputs)[..., None] == classes
    actual = targets.reshape(-1, 1) == classes
    return (
        (predicted & actual).sum(axis=-2).astype(float),
        predicted.sum(axis=-2).astype(float),
        actual.sum(axis=0).astype(float),
    )
