"""Random functions of a group, drawn from a prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_processes.kernels import GroupKernel, shares_of

Numbers = NDArray[np.float64]

_PARITIES = 512


def draw_functions(
    kernel: GroupKernel,
    membership: NDArray[np.bool_],
    weights: Numbers,
    count: int,
    random: np.random.Generator,
) -> Numbers:
    """Draw functions of a group whose covariance is that of a kernel, and evaluate them.

    The interaction is a sum of parities of random subsets of the tasks: the parity of a subset that
    holds a task with probability (1 − exp(−decay × weight)) / 2 has exactly that covariance, as these are the
    eigenfunctions of a product kernel over bits. Functions of one call share the subsets.

    Parameters
    ----------
    kernel
        The prior.
    membership
        Shape (m, N): where to evaluate.
    weights
        Shape (N,): logarithm of how much each task counts.
    count
        Number of functions, q.
    random
        Source of randomness.

    Returns
    -------
    ndarray
        Shape (m, q).
    """
    n_tasks = membership.shape[1]
    bits = membership.astype(np.float32)
    chance = -0.5 * np.expm1(-np.exp(kernel.decay + weights))
    subsets = (random.random((n_tasks, _PARITIES)) < chance[:, None]).astype(np.float32)
    held = bits @ subsets
    parities = 1.0 + 4.0 * np.floor(0.5 * held) - 2.0 * held
    heights = random.standard_normal((_PARITIES, count)) * np.exp(0.5 * kernel.interaction)
    found = (parities @ heights.astype(np.float32)).astype(np.float64) / np.sqrt(_PARITIES)
    effects = random.standard_normal((n_tasks, count)) * np.exp(0.5 * kernel.additive)
    found += shares_of(membership, weights) @ effects
    return np.asarray(found + random.standard_normal(count) * np.exp(0.5 * kernel.constant))
