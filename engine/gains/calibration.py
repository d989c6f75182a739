"""How far a predictor is off on groups that it has not seen, and whether it knows."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError
from engine.gains.folds import group_folds
from engine.gains.model import UncertainModel
from engine.gains.source import Predictor
from engine.gains.tensor import GainTensor, Quantity

Numbers = NDArray[np.float64]

LEVELS = (0.5, 0.9)
QUANTILES = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class PredictionScores:
    """Predictions of one task, or of all, held against what was measured.

    Attributes
    ----------
    task
        Its name; empty for all tasks together.
    entries
        How many were left out and predicted.
    error
        Mean absolute error, in the unit of the values; None without entries, as all that follows.
    spearman
        Rank correlation; None where predictions or values do not vary.
    std
        Mean standard error that the predictor gives; None where it gives none.
    coverage
        Share of the values within each interval of :attr:`Calibration.levels`; None where unknown.
    surprise
        Mean negative logarithm of the predictive density, a normal one of the given standard error;
        lower is better, in nats. None where unknown.
    """

    task: str
    entries: int
    error: float | None
    spearman: float | None
    std: float | None
    coverage: tuple[float | None, ...]
    surprise: float | None


@dataclass(frozen=True)
class Calibration:
    """What cross-validation over groups tells of a predictor.

    Attributes
    ----------
    source, quantity
        Name of the gain source, and ``"gain"`` or ``"loss"``.
    folds, groups
        Number of folds, and of the groups that were left out.
    levels
        Of the intervals: mean ± z·std, with z of a normal distribution.
    overall
        All tasks together.
    tasks
        One record per task, in their order.
    quantiles
        Pairs (predicted, observed): the share of the values that should lie below a quantile of the
        prediction, and the share that does. Empty where no standard error is known.
    """

    source: str
    quantity: Quantity
    folds: int
    groups: int
    levels: tuple[float, ...]
    overall: PredictionScores
    tasks: tuple[PredictionScores, ...]
    quantiles: tuple[tuple[float, float], ...]


def calibrate(
    predictor: Predictor,
    gains: GainTensor,
    folds: int = 5,
    seed: int = 0,
    levels: tuple[float, ...] = LEVELS,
    least_size: int = 2,
) -> Calibration:
    """Leave known groups out in turn, and hold their predictions against what was measured.

    Groups of one task are always known, and so is a group without which one of its tasks would be in
    no group of two or more. Only measured rows count; of several rows of one group all are left out
    together.

    Parameters
    ----------
    predictor
        Fitted once per fold.
    gains
        What is known.
    folds
        Two or more.
    seed
        Of the folds.
    levels
        Of the intervals, each between 0 and 1.
    least_size
        Smaller groups are always known: 3 for a predictor that needs every pair.

    Raises
    ------
    DataError
        If nothing is measured, fewer than two groups can be left out, or the predictor cannot be fitted
        on the others.
    UsageError
        If there are fewer than two folds, a level is not between 0 and 1, or ``least_size`` is below two.
    """
    for level in levels:
        if not 0 < level < 1:
            raise UsageError(f"The level of an interval must be between 0 and 1, not {level}.")
    if not gains.measured.any():
        raise DataError(f"All gains are predictions of {gains.source!r}: nothing measured to judge by.")
    known = gains.select(gains.measured)
    groups = known.standing_rows
    columns = sorted(range(known.n_tasks), key=known.tasks.__getitem__)
    fold_of_group = group_folds(known.membership[groups][:, columns], folds, seed, least_size)
    fold = fold_of_group[np.searchsorted(groups, known.index.standing_for)]
    mean, std = np.full((2, *known.membership.shape), np.nan)
    source = ""
    for number in np.unique(fold[fold >= 0]):
        try:
            model = predictor.fit(known.select(fold != number))
        except DataError as error:
            raise DataError(
                f"With fold {number + 1} of {folds} left out, there is too little to fit: {error}"
            ) from None
        hidden = fold == number
        mean[hidden] = model.predict(known.membership[hidden])
        if isinstance(model, UncertainModel):
            std[hidden] = model.std(known.membership[hidden])
        source = model.source
    asked = known.membership & (fold >= 0)[:, None]
    return Calibration(
        source,
        known.quantity,
        folds,
        int((fold_of_group >= 0).sum()),
        tuple(levels),
        score_predictions("", known.gains[asked], mean[asked], std[asked], levels),
        tuple(
            score_predictions(name, known.gains[rows, task], mean[rows, task], std[rows, task], levels)
            for task, (name, rows) in enumerate(zip(known.tasks, asked.T, strict=True))
        ),
        _quantiles(known.gains[asked], mean[asked], std[asked]),
    )


def score_predictions(
    task: str, values: Numbers, mean: Numbers, std: Numbers, levels: tuple[float, ...] = LEVELS
) -> PredictionScores:
    """Hold predictions against values.

    Parameters
    ----------
    task
        What to call them.
    values, mean, std
        Shape (E,): what was measured, the predictions, and their standard errors; NaN where one is
        not known, and not counted where one is 0.
    levels
        Of the intervals.
    """
    if not len(values):
        return PredictionScores(task, 0, None, None, None, (None,) * len(levels), None)
    error = np.abs(values - mean)
    known = std > 0
    coverage: tuple[float | None, ...] = (None,) * len(levels)
    surprise = None
    if known.any():
        distance = error[known] / std[known]
        limits = [NormalDist().inv_cdf(0.5 + level / 2) for level in levels]
        coverage = tuple(float((distance <= limit).mean()) for limit in limits)
        density = np.log(std[known]) + 0.5 * (np.log(2 * np.pi) + distance**2)
        surprise = float(density.mean())
    return PredictionScores(
        task,
        len(values),
        float(error.mean()),
        rank_correlation(mean, values),
        float(std[known].mean()) if known.any() else None,
        coverage,
        surprise,
    )


def rank_correlation(first: Numbers, second: Numbers) -> float | None:
    """Return Spearman's rank correlation, equal values having equal ranks; None where one does not vary."""
    ranks = _ranks(first), _ranks(second)
    if len(first) < 2 or np.ptp(ranks[0]) == 0 or np.ptp(ranks[1]) == 0:
        return None
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values: Numbers) -> Numbers:
    """Return the mean rank of each value."""
    inverse, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return ranks


def _quantiles(values: Numbers, mean: Numbers, std: Numbers) -> tuple[tuple[float, float], ...]:
    known = std > 0
    if not known.any():
        return ()
    scores = (values[known] - mean[known]) / std[known]
    return tuple((share, float((scores <= NormalDist().inv_cdf(share)).mean())) for share in QUANTILES)
