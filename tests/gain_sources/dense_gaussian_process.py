"""A Gaussian process over groups, entry by entry and without any structure, to compare with."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_process_parameters import Parameters
from gain_sources.group_kernels import GroupKernel

Entry = tuple[frozenset[int], int]


def group_covariance(kernel: GroupKernel, left: frozenset[int], right: frozenset[int], n_tasks: int) -> float:
    gap = math.log(len(left)) - math.log(len(right))
    return (
        math.exp(kernel.constant)
        + math.exp(kernel.additive)
        * len(left & right)
        / n_tasks
        / (len(left) * len(right) / n_tasks**2) ** kernel.dilution
        + math.exp(kernel.interaction) * math.exp(-math.exp(kernel.decay) * len(left ^ right))
        + math.exp(kernel.size) * math.exp(-(gap**2) / (2.0 * math.exp(kernel.size_length) ** 2))
    )


def true_covariance(left: list[Entry], right: list[Entry], parameters: Parameters) -> NDArray[np.float64]:
    """Return the covariance of true gains, by the columns of the parameters."""
    n_tasks = len(parameters.scales)
    found = np.zeros((len(left), len(right)))
    for i, (group, task) in enumerate(left):
        for j, (other_group, other_task) in enumerate(right):
            shared = group_covariance(parameters.shared, group, other_group, n_tasks)
            value = parameters.loadings[task] @ parameters.loadings[other_task] * shared
            if task == other_task:
                value += group_covariance(parameters.own, group, other_group, n_tasks)
            found[i, j] = value * math.exp(
                2 * parameters.scale + parameters.scales[task] + parameters.scales[other_task]
            )
    return found


def error_covariance(
    entries: list[Entry], runs: list[int], variances: list[float], parameters: Parameters
) -> NDArray[np.float64]:
    """Return the covariance of what measurements are off."""
    found = np.zeros((len(entries), len(entries)))
    scales = [math.exp(parameters.scale + one) for one in parameters.scales]
    for i, (_, task) in enumerate(entries):
        for j, (_, other) in enumerate(entries):
            if runs[i] == runs[j]:
                both = parameters.loadings[task] @ parameters.loadings[other]
                found[i, j] = scales[task] * scales[other] * both * math.exp(parameters.run)
        found[i, i] += scales[task] ** 2 * math.exp(parameters.noise + parameters.noises[task]) + variances[i]
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
