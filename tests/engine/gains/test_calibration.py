from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr

from engine import DataError, GainSourceInfo, GainTensor, Predictor, UsageError, all_groups
from engine.gains.calibration import QUANTILES, calibrate, rank_correlation, score_predictions
from engine.gains.folds import group_folds
from engine.gains.pair_mean import PairMeanModel

TASKS = tuple("abcdefgh")


def gains(seed: int = 0, count: int = 8, noise: float = 0.1) -> GainTensor:
    """Return gains of all groups that are noise of a known size about 0."""
    membership = all_groups(count)
    values = np.random.default_rng(seed).normal(0, noise, membership.shape)
    values[membership.sum(axis=1) == 1] = 0.0
    return GainTensor.from_dense(TASKS[:count], membership, np.where(membership, values, np.nan))


@dataclass(frozen=True)
class Level:
    """Predicts one value with one standard error."""

    tasks: tuple[str, ...]
    value: float
    error: float
    source: str = "level"

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the value."""
        return np.where(membership, self.value, np.nan)

    def std(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the error."""
        return np.where(membership, self.error, np.nan)


@dataclass(frozen=True)
class Claims(Predictor):
    """Claims an error, and notes what it was fitted on."""

    error: float
    value: float = 0.0
    fitted: list[GainTensor] = field(default_factory=list)
    info = GainSourceInfo(summary="a claim")

    def fit(self, gains: GainTensor) -> Level:
        """Note the gains."""
        self.fitted.append(gains)
        return Level(gains.tasks, self.value, self.error)


class Pairs(Predictor):
    """The pair-mean rule, which gives no error."""

    info = GainSourceInfo(summary="means of pairs")

    def fit(self, gains: GainTensor) -> PairMeanModel:
        """Read the pairs."""
        return PairMeanModel.from_gains(gains)


def test_an_honest_error_covers_what_it_says_and_a_wrong_one_does_not() -> None:
    honest, bold, timid = (calibrate(Claims(error), gains()).overall for error in (0.1, 0.05, 0.2))
    assert honest.coverage == pytest.approx((0.5, 0.9), abs=0.04)
    assert bold.coverage == pytest.approx(
        (2 * norm.cdf(0.5 * norm.ppf(0.75)) - 1, 2 * norm.cdf(0.5 * norm.ppf(0.95)) - 1), abs=0.05
    )
    assert honest.surprise is not None
    assert honest.surprise < min(bold.surprise or 0.0, timid.surprise or 0.0)


def test_the_numbers_are_those_of_scipy() -> None:
    random = np.random.default_rng(1)
    values, mean, std = random.normal(0, 1, (3, 200))
    mean, std = np.round(mean, 1), np.abs(std) + 0.1
    found = score_predictions("a", values, mean, std, (0.5, 0.8, 0.95))
    assert found.error == pytest.approx(np.abs(values - mean).mean())
    assert found.spearman == pytest.approx(spearmanr(mean, values).statistic)
    assert found.std == pytest.approx(std.mean())
    assert found.surprise == pytest.approx(-norm.logpdf(values, mean, std).mean())
    for level, share in zip((0.5, 0.8, 0.95), found.coverage, strict=True):
        low, high = norm.interval(level, mean, std)
        assert share == pytest.approx(((values >= low) & (values <= high)).mean())


def test_every_group_is_left_out_once_and_never_seen_by_its_fit() -> None:
    source, known = Claims(0.1), gains(count=5)
    found = calibrate(source, known, folds=4)
    assert found.groups == 26
    assert found.overall.entries == (known.sizes[known.sizes > 1]).sum()
    assert len(source.fitted) == 4
    absent = np.zeros(known.n_groups, dtype=int)
    for seen in source.fitted:
        keys = {row.tobytes() for row in seen.packed}
        absent += np.array([row.tobytes() not in keys for row in known.packed])
    assert absent.tolist() == (known.sizes > 1).astype(int).tolist()


def test_the_numbers_of_tasks_are_about_their_own_entries() -> None:
    known = gains(count=4)
    values = known.gains.copy()
    values[known.sizes > 1, 0] += 5.0
    shifted = GainTensor.from_dense(known.tasks, known.membership, np.where(known.membership, values, np.nan))
    found = calibrate(Claims(0.1), shifted)
    assert [one.task for one in found.tasks] == list(known.tasks)
    assert [one.entries for one in found.tasks] == [7, 7, 7, 7]
    errors = [one.error or 0.0 for one in found.tasks]
    assert errors[0] > 4.5
    assert max(errors[1:]) < 0.3
    assert found.overall.error == pytest.approx(np.mean(errors))
    assert found.tasks[0].coverage == (0.0, 0.0)


def test_the_curve_of_an_honest_error_is_the_diagonal_and_of_a_shifted_mean_is_not() -> None:
    honest = calibrate(Claims(0.1), gains()).quantiles
    assert [predicted for predicted, _ in honest] == list(QUANTILES)
    assert max(abs(predicted - observed) for predicted, observed in honest) < 0.05
    high = calibrate(Claims(0.1, value=0.1), gains()).quantiles
    assert dict(high)[0.5] == pytest.approx(norm.cdf(1.0), abs=0.04)


def test_a_predictor_without_errors_has_no_coverage() -> None:
    found = calibrate(Pairs(), gains(count=5), least_size=3)
    assert found.groups == 16
    assert found.quantiles == ()
    assert (found.overall.std, found.overall.surprise) == (None, None)
    assert found.overall.coverage == (None, None)
    assert found.overall.error is not None


def test_a_predictor_that_misses_what_is_left_out_says_so() -> None:
    with pytest.raises(DataError, match=r"fold \d of 5 left out.* every pair"):
        calibrate(Pairs(), gains(count=5))


def test_two_networks_of_one_group_are_left_out_together() -> None:
    known = gains(count=4)
    twice = GainTensor.from_dense(
        known.tasks,
        np.vstack([known.membership, known.membership]),
        np.vstack([known.gains, known.gains]),
        cost=np.repeat([1.0, 0.5], known.n_groups),
    )
    source = Claims(0.1)
    assert calibrate(source, twice).groups == 11
    for seen in source.fitted:
        keys, counts = np.unique(seen.packed, axis=0, return_counts=True)
        assert len(keys) < 15
        assert set(counts.tolist()) == {2}


def test_predictions_are_not_taken_for_measurements() -> None:
    known = gains(count=4)
    partly = GainTensor.from_dense(known.tasks, known.membership, known.gains, measured=np.arange(15) < 10)
    found = calibrate(Claims(0.1), partly)
    assert found.groups == calibrate(Claims(0.1), known.select(np.arange(10))).groups < 11
    nothing = GainTensor.from_dense(
        known.tasks, known.membership, known.gains, measured=np.zeros(15), source="hoa"
    )
    with pytest.raises(DataError, match="predictions of 'hoa': nothing measured"):
        calibrate(Claims(0.1), nothing)


def test_the_order_of_tasks_and_groups_does_not_matter() -> None:
    known, random = gains(count=5), np.random.default_rng(0)
    columns, rows = random.permutation(5), random.permutation(known.n_groups)
    turned = GainTensor.from_dense(
        [known.tasks[one] for one in columns],
        known.membership[rows][:, columns],
        known.gains[rows][:, columns],
    )
    one, other = Claims(0.1), Claims(0.1)
    calibrate(one, known)
    calibrate(other, turned)
    folds = [
        {frozenset(fitted.group(row)) for row in range(fitted.n_groups)}
        for source in (one, other)
        for fitted in source.fitted
    ]
    assert folds[:5] == folds[5:]


def test_another_seed_draws_other_folds() -> None:
    membership = all_groups(5)
    assert not np.array_equal(group_folds(membership, 5, 0), group_folds(membership, 5, 1))


@settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(
    st.lists(st.integers(1, 63), min_size=1, max_size=30, unique=True), st.integers(2, 6), st.integers(2, 4)
)
def test_no_fold_takes_a_task_away(codes: list[int], folds: int, least_size: int) -> None:
    membership = np.array([[code >> column & 1 for column in range(6)] for code in codes], dtype=bool)
    sizes = membership.sum(axis=1)
    try:
        fold = group_folds(membership, folds, 0, least_size)
    except DataError:
        # Then each group but one at most is too small, or the only one of a task, or beside such ones.
        assert (sizes >= least_size).sum() < 8
        return
    several = membership & (sizes > 1)[:, None]
    assert (fold[sizes < least_size] == -1).all()
    for one in np.unique(fold[fold >= 0]):
        assert np.array_equal(several[fold != one].any(axis=0), several.any(axis=0))
    counts = np.bincount(fold[fold >= 0], minlength=folds)
    assert counts.max() - counts.min() <= 1 + (fold[sizes >= least_size] == -1).sum()


def test_values_that_do_not_vary_have_no_rank_correlation() -> None:
    assert rank_correlation(np.ones(3), np.arange(3.0)) is None
    assert rank_correlation(np.ones(1), np.ones(1)) is None
    assert score_predictions("a", np.empty(0), np.empty(0), np.empty(0)).error is None


def test_a_certain_prediction_is_not_counted_in_the_coverage() -> None:
    found = score_predictions("a", np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([0.0, 0.5]))
    assert found.std == 0.5
    assert found.coverage == (1.0, 1.0)


def test_what_cannot_be_judged_is_refused() -> None:
    few = GainTensor.from_groups([{"a": 0.1, "b": 0.1}, {"c": 0.1, "d": 0.1}])
    with pytest.raises(DataError, match="two groups of 2 tasks or more"):
        calibrate(Claims(0.1), few)
    with pytest.raises(UsageError, match="two folds or more, not 1"):
        calibrate(Claims(0.1), gains(), folds=1)
    with pytest.raises(UsageError, match=r"between 0 and 1, not 1\.5"):
        calibrate(Claims(0.1), gains(), levels=(1.5,))
    with pytest.raises(UsageError, match="two tasks or more are left out, not of 1"):
        calibrate(Claims(0.1), gains(), least_size=1)
