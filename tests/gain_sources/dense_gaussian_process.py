"""A Gaussian process over groups, entry by entry and without any structure, to compare with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_processes.kernels import GroupKernel
from gain_sources.gaussian_processes.parameters import Parameters

Entry = tuple[frozenset[int], int]


def shares(group: frozenset[int], weights: Sequence[float]) -> dict[int, float]:
    total = sum(math.exp(weights[task]) for task in group)
    return {task: math.exp(weights[task]) / total for task in group}


def group_covariance(
    kernel: GroupKernel, left: frozenset[int], right: frozenset[int], weights: Sequence[float]
) -> float:
    one, other = shares(left, weights), shares(right, weights)
    apart = sum(math.exp(weights[task]) for task in left ^ right)
    return (
        math.exp(kernel.constant)
        + math.exp(kernel.additive) * sum(one[task] * other[task] for task in left & right)
        + math.exp(kernel.interaction) * math.exp(-math.exp(kernel.decay) * apart)
    )


def unit(entry: Entry, parameters: Parameters, alone_is_zero: bool) -> float:
    """Return the scale of one gain."""
    group, task = entry
    scale = math.exp(parameters.scale + parameters.scales[task])
    if not alone_is_zero:
        return scale
    return scale * (1.0 - shares(group, parameters.weights.tolist())[task]) ** parameters.shrinking


def true_covariance(
    left: list[Entry],
    right: list[Entry],
    parameters: Parameters,
    *,
    run_is_gain: bool = False,
    alone_is_zero: bool = True,
) -> NDArray[np.float64]:
    """Return the covariance of true gains, by the columns of the parameters."""
    weights = parameters.weights.tolist()
    found = np.zeros((len(left), len(right)))
    for i, (group, task) in enumerate(left):
        for j, (other_group, other_task) in enumerate(right):
            shared = group_covariance(parameters.shared, group, other_group, weights)
            if run_is_gain and group == other_group:
                shared += math.exp(parameters.run)
            value = parameters.loadings[task] @ parameters.loadings[other_task] * shared
            if task == other_task:
                value += group_covariance(parameters.own, group, other_group, weights)
            found[i, j] = value * unit(left[i], parameters, alone_is_zero)
            found[i, j] *= unit(right[j], parameters, alone_is_zero)
    return found


def error_covariance(
    entries: list[Entry],
    runs: list[int],
    variances: list[float],
    parameters: Parameters,
    *,
    run_is_gain: bool = False,
    alone_is_zero: bool = True,
) -> NDArray[np.float64]:
    """Return the covariance of what measurements are off."""
    found = np.zeros((len(entries), len(entries)))
    units = [unit(entry, parameters, alone_is_zero) for entry in entries]
    for i, (_, task) in enumerate(entries):
        for j, (_, other) in enumerate(entries):
            if runs[i] == runs[j] and not run_is_gain:
                both = parameters.loadings[task] @ parameters.loadings[other]
                found[i, j] = units[i] * units[j] * both * math.exp(parameters.run)
        scale = math.exp(parameters.scale + parameters.scales[task])
        found[i, i] += scale**2 * math.exp(parameters.noise + parameters.noises[task]) + variances[i]
    return found


def log_likelihood(values: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    _, determinant = np.linalg.slogdet(covariance)
    fit = values @ np.linalg.solve(covariance, values)
    return -0.5 * float(fit + determinant + len(values) * np.log(2.0 * np.pi))


def members(membership: NDArray[np.bool_]) -> tuple[list[Entry], list[int]]:
    """Return the entries of a membership, row by row, and the row of each."""
    entries = [
        (frozenset(np.flatnonzero(row).tolist()), int(t)) for row in membership for t in np.flatnonzero(row)
    ]
    rows = [row for row, held in enumerate(membership) for _ in np.flatnonzero(held)]
    return entries, rows
