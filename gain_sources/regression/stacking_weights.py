"""Weights of an ensemble: not negative, summing to one, drawn towards equal ones where little is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

PRIOR_GROUPS = 10.0
"""Equal weights count as so many groups."""


def stacking_weights(predicted: Numbers, values: Numbers, groups: int) -> Numbers:
    """Return the weights of the least squared error on what was left out.

    Minimises the mean over the entries of (y − Σ w f)², plus a penalty on the squared distance of w
    from equal weights. Its strength is that of ten more groups on which no member is better than
    another: entries of one group share their training, so that groups are what counts.

    Parameters
    ----------
    predicted
        Shape (E, K): of each of K members, one column.
    values
        Shape (E,).
    groups
        From how many groups the entries are.

    Returns
    -------
    ndarray
        Shape (K,).
    """
    from scipy.optimize import nnls

    count = predicted.shape[1]
    errors = values[:, None] - predicted
    equal = np.full(count, 1.0 / count)
    scale = float(np.sqrt(np.mean(errors**2)))
    if count == 1 or scale == 0:
        return equal
    # As the weights sum to one, y − Σ w f = Σ w (y − f): the least norm of a mixture of errors.
    mixed = errors.T @ errors / (len(values) * scale**2)
    penalty = PRIOR_GROUPS / groups
    normal = mixed + penalty * np.eye(count)
    root = np.linalg.cholesky(normal).T
    wanted = np.linalg.solve(root.T, penalty * equal)
    # The sum is held by a row that outweighs the others.
    strong = 1e4 * float(np.sqrt(np.trace(normal)))
    found, _ = nnls(np.vstack([root, np.full(count, strong)]), np.append(wanted, strong))
    weights: Numbers = found / found.sum()
    return weights
