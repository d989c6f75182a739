"""Stacked: a weighted mean of predictors, weighted by how well they predict groups that were left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import DataError, GainModel, GainSourceInfo, GainTensor, Predictor
from engine.errors import UsageError
from engine.gains.folds import group_folds
from engine.gains.model import UncertainModel
from engine.gains.source import make_gain_source
from gain_sources.regression.canonical_gains import canonical_gains, larger_groups
from gain_sources.regression.canonical_model import CanonicalModel
from gain_sources.regression.error_scales import task_means
from gain_sources.regression.stacking_weights import stacking_weights

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Stacked(Predictor):
    """Ensemble of named predictors by cross-validation over groups.

    The default members are the smallest of ten mixtures that came within two hundredths of the least mean
    error in cross-validation within 27, 54 and 135 known groups of the valid split of mimic27 and 7,
    14 and 21 of ettm1, on two and four draws. Ridge beside them helped where fewest groups were
    known, and not elsewhere.

    Attributes
    ----------
    members
        Names of predictors, in a tuple or with commas between them.
    folds
        Of the groups.
    seed
        Of the folds.
    """

    members: str | tuple[str, ...] = "extra-trees,gaussian-process"
    folds: int = 5
    seed: int = 0
    info = GainSourceInfo(
        summary="weighted mean of predictors, weights and errors by cross-validation over groups",
        requires=("sklearn",),
        reference="Wolpert, Stacked generalization, 1992; Breiman, Stacked regressions, 1996",
    )

    def __post_init__(self) -> None:
        names = self.names
        if not names:
            raise UsageError("A stacked ensemble needs members: name some predictors.")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f"Member {twice!r} of the stacked ensemble is named twice.")
        if "stacked" in names:
            raise UsageError("A stacked ensemble cannot be a member of itself.")
        if self.folds < 2:
            raise UsageError(f"folds must be 2 or more, not {self.folds}.")
        if self.seed < 0:
            raise UsageError(f"seed must be 0 or more, not {self.seed}.")

    @property
    def names(self) -> tuple[str, ...]:
        """The members, one by one."""
        if isinstance(self.members, str):
            return tuple(name.strip() for name in self.members.split(",") if name.strip())
        return tuple(self.members)

    def fit(self, gains: GainTensor) -> CanonicalModel:
        """Fit the members on all groups, and their weights on groups that are left out in turn.

        Where too few groups can be left out, the weights are equal and no error is known.

        Parameters
        ----------
        gains
            Gains or losses; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more, or a member cannot be fitted on what is known, or
            not on four of five groups of it.
        """
        known = canonical_gains(gains)
        larger_groups(known, "stacked")
        predictors = {name: make_gain_source(name, Predictor) for name in self.names}
        models = tuple(_fitted(name, one, known, part=False) for name, one in predictors.items())
        weights = np.full(len(models), 1.0 / len(models))
        scales = np.full(known.n_tasks, np.nan)
        try:
            fold = group_folds(known.membership, self.folds, self.seed)
        except DataError:
            return CanonicalModel.of(gains.tasks, known, Mixture(models, weights, scales), "stacked")
        left_out = np.flatnonzero(fold >= 0)
        shape = (len(models), known.n_groups, known.n_tasks)
        means, variances = np.full(shape, np.nan), np.full(shape, np.nan)
        for one in np.unique(fold[left_out]):
            hidden = np.flatnonzero(fold == one)
            part = known.select(np.flatnonzero(fold != one))
            member = known.membership[hidden]
            for row, (name, predictor) in enumerate(predictors.items()):
                model = _fitted(name, predictor, part, part=True)
                means[row, hidden], variances[row, hidden] = moments(model, member)
        entries = known.membership & (fold >= 0)[:, None]
        weights = stacking_weights(means[:, entries].T, known.gains[entries], len(left_out))
        mean, variance = mixture(means, variances, weights)
        squares = np.full(mean.shape, np.nan)
        squares[entries] = np.square(known.gains - mean)[entries]
        usable = np.isfinite(variance) & (variance > 0)
        scales = task_means(np.where(usable, squares / np.where(usable, variance, 1.0), np.nan))
        return CanonicalModel.of(gains.tasks, known, Mixture(models, weights, scales), "stacked")


@dataclass(frozen=True, eq=False)
class Mixture:
    """A weighted mean of models.

    Attributes
    ----------
    models
        The members, K of them.
    weights
        Shape (K,): not negative, summing to one.
    scales
        Shape (N,): error variance of each task over what the members say it is.
    """

    models: tuple[GainModel, ...]
    weights: Numbers
    scales: Numbers

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the gains, shape (m, N), NaN where the task is not a member."""
        return self._both(membership)[0]

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return their standard errors, shape (m, N), NaN where the task is not a member."""
        found: Numbers = np.sqrt(self._both(membership)[1] * self.scales)
        return found

    def _both(self, membership: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
        both = [moments(model, membership) for model in self.models]
        return mixture(np.array([one[0] for one in both]), np.array([one[1] for one in both]), self.weights)


def moments(model: GainModel, membership: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return mean and variance of a model's predictions, NaN where the variance is unknown."""
    unknown = np.full(membership.shape, np.nan)
    variance = np.square(model.std(membership)) if isinstance(model, UncertainModel) else unknown
    return model.predict(membership), variance


def mixture(means: Numbers, variances: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return mean and variance of a mixture, entry by entry.

    A member whose variance is unknown counts there as the mean of those whose is known; where no
    variance is known at all, it is taken for 1, and only the scale of the task says how large it is.

    Parameters
    ----------
    means, variances
        Shape (K, m, N).
    weights
        Shape (K,).

    Returns
    -------
    tuple of ndarray
        Each of shape (m, N).
    """
    mean: Numbers = np.einsum("k,kmn->mn", weights, means)
    known = np.isfinite(variances)
    share = np.einsum("k,kmn->mn", weights, known.astype(np.float64))
    inner = np.einsum("k,kmn->mn", weights, np.where(known, variances, 0.0))
    spread = np.einsum("k,kmn->mn", weights, np.square(means - mean))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance: Numbers = np.where(share > 0, inner / share + spread, 1.0)
    return mean, np.where(np.isfinite(mean), variance, np.nan)


def _fitted(name: str, predictor: Predictor, gains: GainTensor, *, part: bool) -> GainModel:
    try:
        return predictor.fit(gains)
    except DataError as error:
        where = " on part of the known groups" if part else ""
        raise DataError(f"Member {name!r} of the stacked ensemble cannot be fitted{where}: {error}") from None
