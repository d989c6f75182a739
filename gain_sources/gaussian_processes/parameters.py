"""What a Gaussian process over groups learns about its own prior, and what is believed of that beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gain_sources.gaussian_processes.kernels import GroupKernel

Numbers = NDArray[np.float64]

_KERNEL_BELIEF = np.log([0.3, 1.2, 0.3, 0.1])
_KERNEL_SPREAD = np.array([0.7, 0.7, 0.7, 0.7])
_RUN_BELIEF, _RUN_SPREAD = np.log(0.5), 0.5
_NOISE_BELIEF, _NOISE_SPREAD = np.log(0.5), 0.5
_SHRINKING_BELIEF, _SHRINKING_SPREAD = 0.75, 0.25
_TASK_SCALE_SPREAD, _TASK_NOISE_SPREAD = 0.5, 0.5
_LOADING_SPREAD = 1.0
_WEIGHT_SPREAD, _WEIGHT_SMOOTHING = 0.5, 0.01


@dataclass(frozen=True, eq=False)
class Parameters:
    """Covariances of the process; variances are logarithms, and relative to the scale of a task.

    Attributes
    ----------
    shared
        Kernel of each of the r functions of a group that all tasks have in common.
    run
        Variance of what one training run adds to each of them.
    own
        Kernel of the function of a group that a task has for itself.
    scale, noise
        Typical logarithm of a task's scale and of its noise variance.
    scales, noises
        Shape (N,): how far each task is from what is typical.
    loadings
        Shape (N, r): how much of each common function is in a task.
    weights
        Shape (N,): logarithm of how much each task counts in a group.
    shrinking
        How a gain goes to zero where a task is all of its group: as this power of the share of the
        others. No logarithm.
    """

    shared: GroupKernel
    run: float
    own: GroupKernel
    scale: float
    noise: float
    scales: Numbers
    noises: Numbers
    loadings: Numbers
    weights: Numbers
    shrinking: float

    @property
    def task_scales(self) -> Numbers:
        """Shape (N,): the scale of each task, in units of gain."""
        return np.asarray(np.exp(self.scale + self.scales))

    @property
    def task_noises(self) -> Numbers:
        """Shape (N,): the noise variance of each task, relative to its squared scale."""
        return np.asarray(np.exp(self.noise + self.noises))

    def as_array(self) -> Numbers:
        """Return all parameters in one row."""
        return np.concatenate(
            [
                self.shared.as_array(),
                [self.run],
                self.own.as_array(),
                [self.scale, self.noise],
                self.scales,
                self.noises,
                self.loadings.ravel(),
                self.weights,
                [self.shrinking],
            ]
        )

    def replaced(self, array: Numbers) -> Parameters:
        """Return parameters of the same shape with other values."""
        count = len(self.scales)
        shared, run, own, typical, scales, noises, loadings, weights, shrinking = np.split(
            array, np.cumsum([4, 1, 4, 2, count, count, self.loadings.size, count])
        )
        return Parameters(
            GroupKernel.from_array(shared),
            float(run[0]),
            GroupKernel.from_array(own),
            float(typical[0]),
            float(typical[1]),
            scales,
            noises,
            loadings.reshape(self.loadings.shape),
            weights,
            float(shrinking[0]),
        )

    def widened(self, counts: NDArray[np.int64], freedom: float) -> Parameters:
        """Return parameters with scales that allow for what is unknown about them.

        A scale that is only known within a factor stands for the mean of its square. The logarithm of one
        that was learned from n gains has about the variance 1 / (1 / spread² + n), twice that for
        independent gains: those of one task are correlated.

        Parameters
        ----------
        counts
            Shape (N,): how many gains of each task are known.
        freedom
            How many other numbers were learned, for each gain.
        """
        doubt = 1.0 / (_TASK_SCALE_SPREAD**-2 + counts)
        typical = self.scale + 0.5 * float(np.log1p(freedom))
        return replace(self, scale=typical, scales=self.scales + doubt)

    def reordered(self, before: NDArray[np.int64], after: NDArray[np.int64]) -> Parameters:
        """Return the parameters with their tasks in another order of the same columns."""
        place = np.argsort(before)[after]
        return replace(
            self,
            scales=self.scales[place],
            noises=self.noises[place],
            loadings=self.loadings[place],
            weights=self.weights[place],
        )


def first_parameters(scale: float, scales: Numbers, loadings: Numbers) -> Parameters:
    """Return what is believed before anything is fitted, given rough scales and loadings."""
    kernel = GroupKernel.from_array(_KERNEL_BELIEF)
    return Parameters(
        kernel,
        float(_RUN_BELIEF),
        kernel,
        scale,
        float(_NOISE_BELIEF),
        scales,
        np.zeros(len(scales)),
        loadings,
        np.zeros(len(scales)),
        _SHRINKING_BELIEF,
    )


def belief(parameters: Parameters) -> tuple[float, Numbers]:
    """Return minus the log prior density of the parameters, up to a constant, and its gradient.

    The typical scale has no prior. Log weights are normal with one spread that is itself unknown, which
    makes their density fall with their norm, not its square: where nothing tells tasks apart they are
    equal, and where something does they are little held back. All other priors are normal, with a factor
    of 1.6 to e either way in a variance.
    """
    centres = first_parameters(parameters.scale, 0.0 * parameters.scales, 0.0 * parameters.loadings)
    count = len(parameters.scales)
    spreads = np.concatenate(
        [
            _KERNEL_SPREAD,
            [_RUN_SPREAD],
            _KERNEL_SPREAD,
            [np.inf, _NOISE_SPREAD],
            np.full(count, _TASK_SCALE_SPREAD),
            np.full(count, _TASK_NOISE_SPREAD),
            np.full(parameters.loadings.size, _LOADING_SPREAD),
            np.full(count, np.inf),
            [_SHRINKING_SPREAD],
        ]
    )
    away = (parameters.as_array() - centres.as_array()) / spreads
    norm = float(np.sqrt(parameters.weights @ parameters.weights + _WEIGHT_SMOOTHING**2))
    slope = away / spreads
    slope[-1 - count : -1] = parameters.weights / (norm * _WEIGHT_SPREAD)
    return 0.5 * float(away @ away) + norm / _WEIGHT_SPREAD, slope
