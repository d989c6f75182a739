"""How far to leave the mean of a task: weights of a network and of ridge, by what they saw nothing of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gain_sources.meta_learner.known import FOLDS, Groups
from gain_sources.regression.leave_one_out_ridge import Numbers

PRIOR_ENTRIES = 4.0
"""The error variance of all tasks counts as so many residuals of each task."""


@dataclass(frozen=True, eq=False)
class Blend:
    """Mean of a task plus weighted deviations from it, in units of the task's scale.

    Attributes
    ----------
    ridge, network
        The weights: not negative, in all at most 1.
    variances
        Shape (N,): error variance per task; NaN where nothing was left out.
    disagreement
        Variance between networks on groups that none of them had seen, on average; infinite where it is not
        known, with a single repeat.
    """

    ridge: float
    network: float
    variances: Numbers
    disagreement: float = np.inf


def fit_blend(membership: Groups, values: Numbers, ridge: Numbers, network: Numbers) -> Blend:
    """Choose the weights of the least squared error, as far as they are sure to lessen it.

    The weights are multiplied with 1 − (standard error / mean)² of what they win per group, or 0: with few
    groups that is how much of the gain over the mean can be believed.

    Parameters
    ----------
    membership
        Shape (M, N).
    values
        Shape (M, N): deviations from the mean of the other folds, in units of the task's scale.
    ridge
        Shape (M, N): the deviations that a ridge predicts which did not see the group.
    network
        Shape (repeats, M, N): the same of one network per repeat.
    """
    average = network.mean(axis=0)
    entries = np.stack([ridge[membership], average[membership]])
    weights = _least_squares(entries, values[membership])
    blended = weights[0] * ridge + weights[1] * average
    won = np.where(membership, values**2 - (values - blended) ** 2, 0.0).sum(axis=1)
    expected, error = won.mean(), won.std(ddof=1) / np.sqrt(len(won))
    weights = weights * (max(0.0, 1.0 - (error / expected) ** 2) if expected > 0 else 0.0)
    left = np.where(membership, values - weights[0] * ridge - weights[1] * average, 0.0)
    counts = membership.sum(axis=0)
    overall = float((left**2).sum() / counts.sum())
    variances = ((left**2).sum(axis=0) + PRIOR_ENTRIES * overall) / (counts + PRIOR_ENTRIES)
    variances *= (len(membership) + 1) / (len(membership) - 1)  # few groups show few of the large errors
    repeats, disagreement = len(network), np.inf
    if repeats > 1:
        disagreement = float(network.var(axis=0, ddof=1)[membership].mean())
        # The mean of all networks varies less than that of the few which had not seen a group.
        surplus = weights[1] ** 2 * disagreement * (1 / repeats - 1 / (repeats * FOLDS))
        variances = np.maximum(variances - surplus, variances / 2)
    return Blend(float(weights[0]), float(weights[1]), variances, disagreement)


def _least_squares(entries: Numbers, values: Numbers) -> Numbers:
    """Return the two weights, not negative and in all at most 1, of the least squared error."""
    gram, product = entries @ entries.T, entries @ values

    def along(start: Numbers, end: Numbers) -> Numbers:
        """Return the best point between two."""
        way = end - start
        curvature = way @ gram @ way
        step = way @ (product - gram @ start) / curvature if curvature > 0 else 0.0
        return start + np.clip(step, 0.0, 1.0) * way

    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    points = [along(corners[one], corners[(one + 1) % 3]) for one in range(3)]
    if np.linalg.det(gram) > 1e-12 * gram[0, 0] * gram[1, 1]:
        free = np.linalg.solve(gram, product)
        if (free >= 0).all() and free.sum() <= 1:
            points.append(np.asarray(free))
    return min(points, key=lambda point: float(point @ gram @ point - 2 * point @ product))
