"""Ridge regression whose penalty has the least leave-one-out error, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

PENALTIES = np.append(np.logspace(-6, 2, 33), np.inf)
"""Candidates, in units of the largest eigenvalue of a task's design; the last fits nothing."""


@dataclass(frozen=True, eq=False)
class Design:
    """Who else is in the groups that hold a task, with what those groups gave it.

    Attributes
    ----------
    rows
        Shape (n, N): who else is in each group, times what the size of the group makes of it.
    weights
        Shape (n,): precision of each value, 1 on average.
    centre
        Shape (N,): weighted mean of ``rows``; 0 where there is no intercept.
    intercept
        Whether a constant is fitted, without penalty.
    """

    rows: Numbers
    weights: Numbers
    centre: Numbers
    intercept: bool

    @classmethod
    def of(cls, rows: Numbers, weights: Numbers, *, intercept: bool) -> Design:
        """Centre the rows where there is an intercept."""
        mean = np.average(rows, axis=0, weights=weights) if intercept else np.zeros(rows.shape[1])
        return cls(rows, weights, mean, intercept)

    @property
    def scaled(self) -> Numbers:
        """Shape (n, N): centred rows times the root of their weight."""
        scaled: Numbers = (self.rows - self.centre) * np.sqrt(self.weights)[:, None]
        return scaled

    def unexplained(self, rows: Numbers, penalty: float) -> Numbers:
        """Return the variance of the fitted value in units of the residual variance.

        With prior effects of variance σ²/λ this is x'(X'WX + λI)⁻¹x, plus 1/Σw for an intercept.

        Parameters
        ----------
        rows
            Shape (m, N): as the rows of the design.
        penalty
            λ; infinite: no effect at all is believed in.
        """
        constant = 1.0 / self.weights.sum() if self.intercept else 0.0
        if np.isinf(penalty):
            return np.full(len(rows), constant)
        scaled, away = self.scaled, rows - self.centre
        normal = scaled.T @ scaled
        normal[np.diag_indices_from(normal)] += penalty
        found: Numbers = np.einsum("mi,im->m", away, np.linalg.solve(normal, away.T)) + constant
        return found


@dataclass(frozen=True, eq=False)
class Fit:
    """The regression of one task.

    Attributes
    ----------
    effects, constant
        Shape (N,) and a number: the fitted value is ``constant + rows · effects``.
    penalty
        λ.
    noise
        Residual variance σ² of a value of weight 1: NaN with a single row.
    """

    effects: Numbers
    constant: float
    penalty: float
    noise: float


def fit_ridge(design: Design, values: Numbers) -> Fit:
    """Fit Σ w (y − b − x·a)² + λ|a|² with the λ of the least leave-one-out error.

    One decomposition serves every λ. Leaving row r out changes its residual e to e / (1 − h), with h
    its diagonal entry of the hat matrix (Allen's PRESS statistic). Among penalties that do equally
    well the largest is taken.

    Parameters
    ----------
    design
        n rows.
    values
        Shape (n,).
    """
    root = np.sqrt(design.weights)
    base = float(np.average(values, weights=design.weights)) if design.intercept else 0.0
    target = (values - base) * root
    left, singular, right = _decomposition(design.scaled)
    largest = float(singular[0] ** 2) if len(singular) else 0.0
    penalties = PENALTIES * largest if largest else PENALTIES[-1:]
    with np.errstate(invalid="ignore"):
        shrink = np.where(
            np.isinf(penalties), 0.0, singular[:, None] ** 2 / (singular[:, None] ** 2 + penalties)
        )
    projected = left.T @ target
    residual = target[:, None] - left @ (shrink * projected[:, None])
    hat = left**2 @ shrink
    if design.intercept:
        hat += (design.weights / design.weights.sum())[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.mean((residual / (1.0 - hat)) ** 2, axis=0)
    usable = (hat < 1.0 - 1e-9).all(axis=0) & np.isfinite(error)
    scores = np.where(usable, error, np.inf)
    allowed = scores.min() * (1 + 1e-9) + 1e-24 * float(target @ target) / len(values)
    chosen = int(np.flatnonzero(scores <= allowed)[-1])
    factor = np.zeros(len(singular))
    if np.isfinite(penalties[chosen]):
        factor = singular / (singular**2 + penalties[chosen])
    effects: Numbers = right.T @ (factor * projected)
    freedom = len(values) - float(hat[:, chosen].sum())
    squares = float(residual[:, chosen] @ residual[:, chosen])
    noise = squares / freedom if freedom > 1e-9 else np.nan
    return Fit(effects, base - float(design.centre @ effects), float(penalties[chosen]), noise)


def _decomposition(scaled: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the thin singular value decomposition without its null part, by the smaller Gram matrix."""
    wide = scaled.shape[0] < scaled.shape[1]
    if wide:
        left, singular, right = np.linalg.svd(scaled, full_matrices=False)
    else:
        eigenvalues, vectors = np.linalg.eigh(scaled.T @ scaled)
        singular = np.sqrt(np.maximum(eigenvalues[::-1], 0.0))
        right = vectors[:, ::-1].T
    kept = singular > 1e-7 * singular.max(initial=0.0)
    singular, right = singular[kept], right[kept]
    return (left[:, kept] if wide else scaled @ right.T / singular), singular, right
