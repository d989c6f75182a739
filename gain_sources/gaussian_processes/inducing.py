"""Many measurements, told by what they say of the gains in a few groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_processes.entries import GainEntries
from gain_sources.gaussian_processes.kernels import GroupPairs
from gain_sources.gaussian_processes.likelihood import entry_scales, inverse, relative_noise
from gain_sources.gaussian_processes.parameters import Parameters

Numbers = NDArray[np.float64]

_IGNORANCE = 1e-6


def condense(
    entries: GainEntries, parameters: Parameters, groups: NDArray[np.bool_]
) -> tuple[GainEntries, tuple[Numbers, ...]]:
    """Replace entries by as good measurements of the gains in a few groups.

    Given the gains of a task in the inducing groups, every entry is taken as independent of the others,
    with its exact mean and variance (the fully independent training conditional of Snelson and
    Ghahramani, NIPS 2006). All that the entries of a task say is then one measurement of its gains in the
    inducing groups, with correlated errors. What a training run adds to all its tasks counts as an
    error of each of them.

    Parameters
    ----------
    entries
        What was measured.
    parameters
        Of the process.
    groups
        Shape (U, N): the inducing groups, each once.

    Returns
    -------
    entries, errors
        An entry for each task and inducing group, member or not; and per task the covariance of their
        errors, in squared units of the entries.
    """
    count = len(groups)
    inside = GroupPairs.of(groups, groups, parameters.weights)
    across = GroupPairs.of(entries.membership, groups, parameters.weights)
    own, shared = parameters.own.covariance(inside), parameters.shared.covariance(inside)
    own_across, shared_across = parameters.own.covariance(across), parameters.shared.covariance(across)
    n_tasks = entries.n_tasks
    prior = parameters.own.variance(across.left_shares)
    prior_shared = parameters.shared.variance(across.left_shares)
    scales, noise = entry_scales(entries, parameters), relative_noise(entries, parameters)
    values, errors = np.empty((n_tasks, count)), []
    for task, loads in enumerate(parameters.loadings):
        here = entries.of_task(task)
        rows, size = entries.rows[here], float(loads @ loads)
        between = own + size * shared
        between[np.diag_indices(count)] += _IGNORANCE * np.trace(between) / count
        weights = (own_across[rows] + size * shared_across[rows]) @ inverse(between)[0]
        explained = np.sum(weights * (own_across[rows] + size * shared_across[rows]), axis=1)
        unexplained = np.maximum(prior[rows] + size * prior_shared[rows] - explained, 0.0)
        variance = noise[here] + size * np.exp(parameters.run) + unexplained
        precision = (weights / variance[:, None]).T @ weights
        precision[np.diag_indices(count)] += _IGNORANCE
        error = inverse(precision)[0]
        measured = entries.values[here] / scales[here]
        values[task] = error @ (weights.T @ (measured / variance))
        errors.append(error)
    rows, starts = np.tile(np.arange(count), n_tasks), np.arange(n_tasks + 1) * count
    nothing = np.zeros(values.size)
    condensed = GainEntries(groups, rows, values.ravel(), nothing, starts, entries.alone_is_zero)
    in_gains = values.ravel() * entry_scales(condensed, parameters)
    return replace(condensed, values=in_gains), tuple(errors)


def without_runs(parameters: Parameters) -> Parameters:
    """Return parameters of the same functions with next to nothing added by a run."""
    return replace(parameters, run=float(np.log(_IGNORANCE)))
