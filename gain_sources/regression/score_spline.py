"""A smooth curve from a score to a value: a penalised spline, level beyond the scores it was fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gain_sources.regression.leave_one_out_ridge import Design, Fit, fit_ridge

Numbers = NDArray[np.float64]

SHAPES = ((2, 1), (3, 1), (3, 3))
"""Degree and number of pieces that are tried for each curve; the least leave-one-out error decides."""


@dataclass(frozen=True, eq=False)
class ScoreSpline:
    """A curve.

    Attributes
    ----------
    knots
        Ascending, the outermost repeated; empty for a constant.
    degree
        Of the pieces.
    fit
        The effects of the basis functions and the constant.
    """

    knots: Numbers
    degree: int
    fit: Fit

    def __call__(self, scores: Numbers) -> Numbers:
        """Return the values at these scores, shape (n,)."""
        if not len(self.knots):
            return np.full(len(scores), self.fit.constant)
        values: Numbers = basis(scores, self.knots, self.degree) @ self.fit.effects + self.fit.constant
        return values


def basis(scores: Numbers, knots: Numbers, degree: int) -> Numbers:
    """Return the values of the B-splines at these scores, shape (n, number of knots − degree − 1).

    Parameters
    ----------
    scores
        Shape (n,); one beyond the outermost knots counts as if it were there.
    knots, degree
        As in :class:`ScoreSpline`.
    """
    from scipy.interpolate import BSpline

    inside = np.clip(scores, knots[0], knots[-1])
    values: Numbers = BSpline.design_matrix(inside, knots, degree).toarray()
    return values


def fit_spline(scores: Numbers, values: Numbers) -> ScoreSpline:
    """Fit a curve, with the degree, the knots and the penalty of the least leave-one-out error.

    Parameters
    ----------
    scores, values
        Shape (n,), one or more.
    """
    count = len(values)
    constant = Fit(np.empty(0), float(values.mean()), np.inf, np.nan)
    best, least = ScoreSpline(np.empty(0), 0, constant), np.inf
    if count > 1:
        least = float(np.mean(np.square((values - values.mean()) * count / (count - 1))))
    for degree, pieces in SHAPES if np.ptp(scores) > 1e-9 * np.abs(scores).max() else ():
        if degree + pieces > count:
            continue
        inner = np.unique(np.quantile(scores, np.linspace(0, 1, pieces + 1)))
        knots = np.concatenate([np.full(degree, inner[0]), inner, np.full(degree, inner[-1])])
        rows = basis(scores, knots, degree)
        design = Design.of(rows, np.ones(count), intercept=True)
        fit = fit_ridge(design, values)
        left = 1.0 - design.unexplained(rows, fit.penalty)
        if (left <= 1e-9).any():
            continue
        error = float(np.mean(((values - rows @ fit.effects - fit.constant) / left) ** 2))
        if error < least * (1.0 - 1e-9):
            best, least = ScoreSpline(knots, degree, fit), error
    return best
