"""What a network is measured against: a mean per task, and ridge regression on membership."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gain_sources.meta_learner.known import Groups
from gain_sources.regression.leave_one_out_ridge import Design, Numbers, fit_ridge


@dataclass(frozen=True, eq=False)
class Baseline:
    """A mean per task, and a constant plus an effect of every other member.

    Attributes
    ----------
    means, constants
        Shape (N,).
    effects
        Shape (N, N): ``effects[j, t]`` is what j does to t; the diagonal is 0.
    """

    means: Numbers
    constants: Numbers
    effects: Numbers

    @classmethod
    def fit(cls, membership: Groups, values: Numbers) -> Baseline:
        """Fit every task; one that no group holds has the mean of all others.

        Parameters
        ----------
        membership
            Shape (M, N).
        values
            Shape (M, N): read where the task is a member.
        """
        count = membership.shape[1]
        overall = float(values[membership].mean()) if membership.any() else 0.0
        means, constants = np.full(count, overall), np.full(count, overall)
        effects = np.zeros((count, count))
        for task in np.flatnonzero(membership.any(axis=0)):
            held = membership[:, task]
            rows = membership[held].astype(np.float64)
            rows[:, task] = 0.0
            fitted = fit_ridge(Design.of(rows, np.ones(len(rows)), intercept=True), values[held, task])
            means[task], constants[task] = values[held, task].mean(), fitted.constant
            effects[:, task] = fitted.effects
        np.fill_diagonal(effects, 0.0)
        return cls(means, constants, effects)

    @classmethod
    def zero(cls, count: int) -> Baseline:
        """Return the baseline that says 0 of everything."""
        return cls(np.zeros(count), np.zeros(count), np.zeros((count, count)))

    def ridge(self, membership: Groups) -> Numbers:
        """Return the value of each task in each group by the ridge regression, shape (m, N)."""
        found: Numbers = self.constants + membership @ self.effects
        return found
