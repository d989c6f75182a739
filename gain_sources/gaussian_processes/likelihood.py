"""Marginal likelihood of gains under a Gaussian process over groups, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_processes.entries import GainEntries
from gain_sources.gaussian_processes.kernels import GroupPairs, shares_of, slope_by_weights
from gain_sources.gaussian_processes.parameters import Parameters

Numbers = NDArray[np.float64]

_LEAST_SHARE = 1e-3


@dataclass(frozen=True, eq=False)
class Factors:
    """The covariance of all entries, K = D + Z S Z', taken apart.

    D holds what tasks have for themselves: a block per task. S is the covariance of the r common
    functions at the M runs, and Z says how much of which function is in which entry. All values are
    in units of the entry.

    Attributes
    ----------
    inverses
        Per task, the inverse of its block of D.
    middle
        Shape (rM, rM): Q = (S⁻¹ + Z'D⁻¹Z)⁻¹, the posterior covariance of the common functions
        without the tasks' own.
    information
        Shape (rM, rM): Z'D⁻¹Z.
    weights
        Shape (E,): K⁻¹ y.
    common
        Shape (r, M): S Z'K⁻¹ y, the posterior mean of the common functions, runs included.
    log_determinant
        Of K.
    """

    inverses: tuple[Numbers, ...]
    middle: Numbers
    information: Numbers
    weights: Numbers
    common: Numbers
    log_determinant: float

    def solve(self, entries: GainEntries, loadings: Numbers, values: Numbers) -> Numbers:
        """Return K⁻¹ times other values of the same entries, shape (E,)."""
        rank = loadings.shape[1]
        projected = np.zeros((rank, len(entries.membership)))
        found = np.empty(len(values))
        for task, loads in enumerate(loadings):
            here = entries.of_task(task)
            found[here] = self.inverses[task] @ values[here]
            projected[:, entries.rows[here]] += loads[:, None] * found[here]
        common = (self.middle @ projected.ravel()).reshape(projected.shape)
        for task, loads in enumerate(loadings):
            here = entries.of_task(task)
            found[here] -= self.inverses[task] @ (loads @ common[:, entries.rows[here]])
        return found


def inverse(matrix: Numbers) -> tuple[Numbers, float]:
    """Return the inverse of a positive definite matrix and the logarithm of its determinant."""
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(matrix, lower=1, clean=0)
    if failed:
        raise np.linalg.LinAlgError("A covariance is not positive definite.")
    log_determinant = 2.0 * float(np.log(np.diagonal(factor)).sum())
    found, _ = lapack.dpotri(factor, lower=1)
    found = np.tril(found)
    return found + np.tril(found, -1).T, log_determinant


def factorise(
    entries: GainEntries, pairs: GroupPairs, parameters: Parameters, errors: Sequence[Numbers]
) -> Factors:
    """Take the covariance of all entries apart.

    Parameters
    ----------
    entries
        E entries of N tasks in M runs.
    pairs
        Of the M runs with themselves.
    parameters
        Of the process.
    errors
        Per task the error variances of its entries, or their covariance, in squared units of the
        entries.
    """
    own = parameters.own.covariance(pairs)
    shared = parameters.shared.covariance(pairs)
    shared[np.diag_indices_from(shared)] += np.exp(parameters.run)
    count, rank = len(own), parameters.loadings.shape[1]
    values = entries.values / entry_scales(entries, parameters)
    information = np.zeros((rank, count, rank, count))
    projected = np.zeros((rank, count))
    inverses, alone, log_determinant = [], np.empty(len(values)), 0.0
    for task in range(entries.n_tasks):
        here = entries.of_task(task)
        rows = entries.rows[here]
        block = own[np.ix_(rows, rows)]
        error = errors[task]
        block += np.diag(error) if error.ndim == 1 else error
        found, determinant = inverse(block) if len(rows) else (block, 0.0)
        inverses.append(found)
        log_determinant += determinant
        alone[here] = found @ values[here]
        loads = parameters.loadings[task]
        projected[:, rows] += loads[:, None] * alone[here]
        for one in range(rank):
            for other in range(rank):
                information[one, rows[:, None], other, rows[None, :]] += loads[one] * loads[other] * found
    root = np.asarray(np.linalg.cholesky(shared), dtype=np.float64)
    small = _between(root.T, information, root).reshape(rank * count, rank * count)
    small[np.diag_indices_from(small)] += 1.0
    small_inverse, determinant = inverse(small)
    left_over = small_inverse.reshape(rank, count, rank, count)
    middle = _between(root, left_over, root.T).reshape(rank * count, rank * count)
    common = (middle @ projected.ravel()).reshape(rank, count)
    weights = alone.copy()
    for task in range(entries.n_tasks):
        here = entries.of_task(task)
        carried = parameters.loadings[task] @ common[:, entries.rows[here]]
        weights[here] -= inverses[task] @ carried
    return Factors(
        tuple(inverses),
        middle,
        information.reshape(rank * count, rank * count),
        weights,
        common,
        log_determinant + determinant,
    )


def _between(left: Numbers, blocks: Numbers, right: Numbers) -> Numbers:
    """Return ``left @ block @ right`` of each of r × r blocks, stored as (r, M, r, M)."""
    found: Numbers = np.empty(blocks.shape)
    for one in range(blocks.shape[0]):
        for other in range(blocks.shape[2]):
            found[one, :, other] = left @ blocks[one, :, other] @ right
    return found


def relative_noise(entries: GainEntries, parameters: Parameters) -> Numbers:
    """Return the error variance of each entry in squared units of the entry, shape (E,)."""
    noise = np.square(parameters.task_scales) * parameters.task_noises
    return np.asarray((noise[entries.tasks] + entries.variances) / entry_scales(entries, parameters) ** 2)


def entry_scales(entries: GainEntries, parameters: Parameters) -> Numbers:
    """Return the unit of each entry, shape (E,): the scale of its task, less where it is most of a group."""
    scales = parameters.task_scales[entries.tasks]
    if entries.alone_is_zero:
        scales = scales * shrunk(entries.membership, parameters)[entries.rows, entries.tasks]
    return np.asarray(scales)


def shrunk(membership: NDArray[np.bool_], parameters: Parameters) -> Numbers:
    """Return a factor of the gain of each task in each group, shape (M, N): small for the dominant one."""
    return np.asarray(_others(shares_of(membership, parameters.weights)) ** parameters.shrinking)


def _others(shares: Numbers) -> Numbers:
    """Return the share of all others; never 0, as an entry has its unit from it."""
    return np.asarray(np.maximum(1.0 - shares, _LEAST_SHARE))


def negative_log_likelihood(
    entries: GainEntries, pairs: GroupPairs, parameters: Parameters
) -> tuple[float, Numbers]:
    """Return −log p(gains | parameters) and its gradient by ``parameters.as_array()``.

    Parameters
    ----------
    entries, pairs, parameters
        As for :func:`factorise`.
    """
    tasks, scales, noise = (
        entries.tasks,
        entry_scales(entries, parameters),
        relative_noise(entries, parameters),
    )
    errors = np.split(noise, entries.starts[1:-1])
    factors = factorise(entries, pairs, parameters, errors)
    values = entries.values / scales
    value = 0.5 * (
        float(values @ factors.weights) + factors.log_determinant + len(values) * np.log(2 * np.pi)
    )
    value += float(np.log(scales).sum())
    count, rank = len(pairs.overlap), parameters.loadings.shape[1]
    middle = factors.middle.reshape(rank, count, rank, count)
    ranks = range(rank)
    own_outer = np.zeros((count, count))
    noise_outer = np.empty(len(values))
    spread = np.zeros((rank, count))
    loadings = np.empty((entries.n_tasks, rank))
    for task in range(entries.n_tasks):
        here = entries.of_task(task)
        rows, found, weights = entries.rows[here], factors.inverses[task], factors.weights[here]
        loads = parameters.loadings[task]
        square = np.array([[middle[one][rows[:, None], other, rows] for other in ranks] for one in ranks])
        carried = np.einsum("k,klab,l->ab", loads, square, loads)
        outer = 0.5 * (found - found @ carried @ found - np.outer(weights, weights))
        own_outer[np.ix_(rows, rows)] += outer
        noise_outer[here] = np.diagonal(outer)
        spread[:, rows] += loads[:, None] * weights
        loadings[task] = (
            square.reshape(rank, rank, -1) @ found.ravel() @ loads - factors.common[:, rows] @ weights
        )
    information = factors.information
    shared_outer = -0.5 * spread.T @ spread
    for one in ranks:
        strip = information[one * count : (one + 1) * count]
        block = strip[:, one * count : (one + 1) * count]
        shared_outer += 0.5 * (block - strip @ factors.middle @ strip.T)
    known = entries.variances / scales**2
    noise_slope = noise_outer * (noise - known)
    scale_slope = 1.0 - values * factors.weights - 2.0 * noise_outer * known
    unit_slope = scale_slope - 2.0 * noise_slope
    by_weight, by_shrinking = _slope_by_units(entries, parameters, unit_slope)
    by_shared, shared_weight = parameters.shared.gradient(pairs, shared_outer)
    by_own, own_weight = parameters.own.gradient(pairs, own_outer)
    by_task_noise = np.bincount(tasks, noise_slope, entries.n_tasks)
    by_task_scale = np.bincount(tasks, scale_slope, entries.n_tasks)
    gradient = np.concatenate(
        [
            by_shared,
            [np.exp(parameters.run) * float(np.trace(shared_outer))],
            by_own,
            [by_task_scale.sum(), by_task_noise.sum()],
            by_task_scale,
            by_task_noise,
            loadings.ravel(),
            by_weight + shared_weight + own_weight,
            [by_shrinking],
        ]
    )
    return value, gradient


def _slope_by_units(
    entries: GainEntries, parameters: Parameters, unit_slope: Numbers
) -> tuple[Numbers, float]:
    """Return derivatives by the log weights and by ``shrinking``, given those by the entries' log units."""
    if not entries.alone_is_zero:
        return np.zeros(entries.n_tasks), 0.0
    shares = shares_of(entries.membership, parameters.weights)
    others = _others(shares)
    where = (entries.rows, entries.tasks)
    by_shares = np.zeros(shares.shape)
    by_shares[where] = -parameters.shrinking * unit_slope / others[where]
    by_shares[others <= _LEAST_SHARE] = 0.0
    return slope_by_weights(by_shares, shares), float(unit_slope @ np.log(others[where]))
