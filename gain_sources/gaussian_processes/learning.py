"""Parameters of a Gaussian process over groups, from gains: a first guess and a search from there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_processes.entries import GainEntries
from gain_sources.gaussian_processes.kernels import GroupPairs
from gain_sources.gaussian_processes.likelihood import negative_log_likelihood
from gain_sources.gaussian_processes.parameters import Parameters, belief, first_parameters

Numbers = NDArray[np.float64]

LEARNED_FROM = 1000
"""Number of entries that most of the learning uses."""

_STEPS, _FEW_STEPS = 50, 8
_REACH = 8.0


def first_guess(entries: GainEntries, functions: int) -> Parameters:
    """Return parameters to start from: rough scales, and loadings from correlations between tasks.

    Parameters
    ----------
    entries
        What is known.
    functions
        Number of common functions, r.
    """
    tasks, counts = entries.tasks, np.diff(entries.starts)
    squares = np.bincount(tasks, entries.values**2, entries.n_tasks)
    typical = max(float(squares.sum() / counts.sum()), 1e-12)
    scales = 0.5 * np.log((squares + 2.0 * typical) / (counts + 2.0))
    centre = float(scales.mean())
    table = np.zeros(entries.membership.shape)
    table[entries.rows, tasks] = entries.values / np.exp(scales)[tasks]
    member = entries.membership.astype(np.float64)
    together = table.T @ table / np.maximum(member.T @ member, 1.0)
    values, vectors = np.linalg.eigh(together)
    loadings = np.full((entries.n_tasks, functions), 0.1)
    for one in range(min(functions, entries.n_tasks)):
        vector = vectors[:, -1 - one]
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
        loadings[:, one] = 0.7 * vector * np.sqrt(max(values[-1 - one], 0.0))
    return first_parameters(centre, scales - centre, loadings)


def learn(entries: GainEntries, start: Parameters, *, all_entries: bool) -> Parameters:
    """Return the parameters of the highest posterior density that is found from a start.

    Most steps use runs with about a thousand entries, drawn evenly; a few more use all.

    Parameters
    ----------
    entries
        What is known.
    start
        Where the search starts.
    all_entries
        Whether to use all entries in the end.
    """
    runs = np.arange(len(entries.membership))
    wanted = int(np.ceil(len(runs) * LEARNED_FROM / len(entries.values)))
    if wanted >= len(runs):
        return _searched(entries, start, _STEPS)
    some = np.sort(np.random.default_rng(0).permutation(len(runs))[: max(wanted, 2)])
    found = _searched(entries.some(some), start, _STEPS)
    return _searched(entries, found, _FEW_STEPS) if all_entries else found


def _searched(entries: GainEntries, start: Parameters, steps: int) -> Parameters:
    def loss(array: Numbers) -> tuple[float, Numbers]:
        parameters = start.replaced(array)
        pairs = GroupPairs.of(entries.membership, entries.membership, parameters.weights)
        value, slope = negative_log_likelihood(entries, pairs, parameters)
        prior, prior_slope = belief(parameters)
        return value + prior, slope + prior_slope

    first = start.as_array()
    from scipy.optimize import minimize

    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=[(one - _REACH, one + _REACH) for one in first],
        options={"maxiter": steps, "ftol": 1e-7},
    )
    return start.replaced(found.x)
