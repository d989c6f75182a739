"""Two-step: a curve from a score of affinity to the gain, then a regression of what is left on membership."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import DataError, GainSourceInfo, GainTensor, Predictor
from engine.errors import UsageError
from engine.gains.folds import group_folds
from gain_sources.regression.canonical_gains import canonical_gains, larger_groups
from gain_sources.regression.canonical_model import CanonicalModel
from gain_sources.regression.error_scales import task_means
from gain_sources.regression.leave_one_out_ridge import Design, fit_ridge
from gain_sources.regression.membership_model import task_rows
from gain_sources.regression.pair_scores import PairScores
from gain_sources.regression.score_spline import ScoreSpline, fit_spline

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class TwoStep(Predictor):
    """Spline of an affinity score and ridge regression on the residual, one of each per task.

    The recipe is that of ETAP, whose score is read from the gradients of one training. Here it comes
    from the known groups: the mean over the other members of the task's gain in a pair with each,
    measured where the pair is known, and else from a mean of pair effects fitted on all groups. A
    group is scored without its own gains, so that the curve is not fitted to a score that knows the
    answer.

    Attributes
    ----------
    folds
        Of the groups, for scores and errors.
    seed
        Of the folds.
    """

    folds: int = 5
    seed: int = 0
    info = GainSourceInfo(
        summary="spline of a pair score plus ridge regression of the rest on membership (ETAP's recipe); for "
        "comparison: never the best in our tables",
        requires=("scipy",),
        reference="Ayman, Laszka and Mukhopadhyay, Ensemble Prediction of Task Affinity, ICLR 2026",
    )

    @property
    def caution(self) -> str:
        """That another source predicts better."""
        return (
            "two-step has never had the least error in our comparisons (benchmarks/RESULTS.md): take ridge, "
            "gaussian-process or stacked unless you compare with ETAP"
        )

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise UsageError(f"folds must be 2 or more, not {self.folds}.")
        if self.seed < 0:
            raise UsageError(f"seed must be 0 or more, not {self.seed}.")

    def fit(self, gains: GainTensor) -> CanonicalModel:
        """Fit both steps, and learn their errors from groups that are left out in turn.

        Parameters
        ----------
        gains
            Gains or losses; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        """
        known = canonical_gains(gains)
        larger = larger_groups(known, "two-step")
        squares = np.full(larger.membership.shape, np.nan)
        for fold in self._folds(larger):
            kept = np.setdiff1d(np.arange(larger.n_groups), fold)
            left_out = larger.select(fold)
            predicted = self._regression(larger.select(kept)).predict(left_out.membership)
            squares[fold] = np.square(left_out.gains - predicted)
        errors = np.sqrt(task_means(squares))
        regression = self._regression(larger, errors)
        return CanonicalModel.of(gains.tasks, known, regression, "two-step")

    def _folds(self, gains: GainTensor) -> list[NDArray[np.int64]]:
        """Return the rows of each fold; none where too few groups can be left out."""
        try:
            fold = group_folds(gains.membership, self.folds, self.seed)
        except DataError:
            return []
        return [np.flatnonzero(fold == one) for one in range(self.folds) if (fold == one).any()]

    def _regression(self, gains: GainTensor, errors: Numbers | None = None) -> TwoStepRegression:
        """Fit both steps on groups of two or more."""
        pairs = PairScores.of(gains)
        scores = pairs.scores(gains.membership)
        for fold in self._folds(gains):
            others = gains.select(np.setdiff1d(np.arange(gains.n_groups), fold))
            scores[fold] = PairScores.of(others).scores(gains.membership[fold])
        curves, effects, constants = [], np.zeros(pairs.pairs.shape), np.zeros(gains.n_tasks)
        for task in range(gains.n_tasks):
            held = gains.membership[:, task]
            values, score = gains.gains[held, task], scores[held, task]
            curve = fit_spline(score, values)
            rows = others_of(gains.membership[held], task)
            rest = fit_ridge(Design.of(rows, np.ones(len(rows)), intercept=True), values - curve(score))
            curves.append(curve)
            effects[:, task], constants[task] = rest.effects, rest.constant
        unknown = np.full(gains.n_tasks, np.nan)
        return TwoStepRegression(
            pairs, tuple(curves), effects, constants, unknown if errors is None else errors
        )


@dataclass(frozen=True, eq=False)
class TwoStepRegression:
    """Both steps.

    Attributes
    ----------
    pairs
        Of the first step.
    curves
        One per task.
    effects, constants
        Shape (N, N), of each other member on each task, and (N,): the second step.
    errors
        Shape (N,): standard error of each task.
    """

    pairs: PairScores
    curves: tuple[ScoreSpline, ...]
    effects: Numbers
    constants: Numbers
    errors: Numbers

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the gains, shape (m, N), NaN where the task is not a member."""
        scores = self.pairs.scores(membership)
        found = np.full(membership.shape, np.nan)
        for task, curve in enumerate(self.curves):
            held = np.flatnonzero(membership[:, task])
            if len(held):
                rest = others_of(membership[held], task) @ self.effects[:, task] + self.constants[task]
                found[held, task] = curve(scores[held, task]) + rest
        return found

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return their standard errors, shape (m, N), NaN where the task is not a member."""
        return np.where(membership, self.errors, np.nan)


def others_of(membership: NDArray[np.bool_], task: int) -> Numbers:
    """Return who else is in each group, shape (n, N)."""
    return task_rows(membership, task, np.ones(membership.shape[1] + 1))
