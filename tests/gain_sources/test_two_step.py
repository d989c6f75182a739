from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from engine import GainTensor, Predictor, UsageError, all_groups, make_gain_source
from engine.gains.pair_mean import PairMeanModel
from gain_sources.additive import Additive
from gain_sources.regression.pair_scores import PairScores
from gain_sources.regression.score_spline import fit_spline
from gain_sources.ridge import Ridge
from gain_sources.two_step import TwoStep
from tests.gain_sources.membership_examples import pair_sums, random_membership, tensor
from tests.gain_sources.predictor_checks import (
    check_contract,
    check_known_rows,
    check_order_does_not_matter,
    check_refusals,
    held_out_scores,
    interacting,
)


def curved(seed: int, rows: int, noise: float, count: int = 8) -> GainTensor:
    """Return gains that are a curve of the mean pair effect, which no sum of effects is."""
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, count)
    pairs = random.normal(0, 1, (count, count))
    np.fill_diagonal(pairs, 0.0)
    means = pair_sums(membership, pairs, np.zeros(count)) / (membership.sum(axis=1) - 1)[:, None]
    values = 0.1 * np.tanh(2 * means) + random.normal(0, noise, means.shape)
    return tensor(membership, values)


def test_it_is_found_by_name() -> None:
    assert make_gain_source("two-step", Predictor) == TwoStep()


def test_the_contract_of_a_predictor() -> None:
    check_contract(TwoStep(folds=2), interacting(0), "two-step")


def test_neither_the_order_of_tasks_nor_that_of_groups_matters() -> None:
    check_order_does_not_matter(TwoStep(folds=2), interacting(1))


def test_only_measurements_are_learnt_from() -> None:
    check_known_rows(TwoStep(folds=2), interacting(2))


def test_what_is_missing_is_named() -> None:
    check_refusals(TwoStep(folds=2))


def test_the_score_is_the_mean_of_measured_pairs() -> None:
    random = np.random.default_rng(3)
    membership = all_groups(5)[5:20]
    gains = tensor(membership, np.where(membership, random.normal(0, 0.1, membership.shape), np.nan))
    asked = all_groups(5)[5:]
    found = np.where(asked, PairScores.of(gains).scores(asked), np.nan)
    expected = PairMeanModel.from_gains(gains).predict(asked)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_pairs_that_are_not_measured_come_from_effects_fitted_on_all_groups() -> None:
    random = np.random.default_rng(4)
    membership = random_membership(random, 45, 6)
    effects = random.normal(0, 0.1, (6, 6))
    np.fill_diagonal(effects, 0.0)
    means = pair_sums(membership, effects, np.zeros(6)) / (membership.sum(axis=1) - 1)[:, None]
    gains = tensor(membership, means)
    gains = gains.select(gains.sizes > 2)
    asked = all_groups(6)[6:]
    found = np.where(asked, PairScores.of(gains).scores(asked), np.nan)
    expected = Additive(mean=True).fit(gains).predict(asked)
    assert found == pytest.approx(expected, abs=2e-3, nan_ok=True)


def splines(scores: np.ndarray, knots: np.ndarray, degree: int) -> np.ndarray:
    """Return the B-splines by the recursion of Cox and de Boor."""
    last = knots < knots[-1]
    found = ((scores[:, None] >= knots[:-1]) & (scores[:, None] < knots[1:])).astype(float)
    found[scores == knots[-1], np.flatnonzero(last)[-1]] = 1.0
    for order in range(1, degree + 1):
        low, high = knots[order:-1] - knots[: -order - 1], knots[order + 1 :] - knots[1:-order]
        rising = np.where(low > 0, (scores[:, None] - knots[: -order - 1]) / np.where(low > 0, low, 1), 0)
        falling = np.where(high > 0, (knots[order + 1 :] - scores[:, None]) / np.where(high > 0, high, 1), 0)
        found = rising * found[:, :-1] + falling * found[:, 1:]
    return found


def test_a_curve_is_that_of_scikit_learn_at_the_chosen_shape_and_penalty() -> None:
    random = np.random.default_rng(5)
    scores = random.normal(0, 1, 60)
    values = np.sin(2 * scores) + random.normal(0, 0.1, 60)
    curve = fit_spline(scores, values)
    asked = np.linspace(scores.min(), scores.max(), 40, endpoint=False)
    reference = SklearnRidge(curve.fit.penalty, solver="svd")
    reference.fit(splines(scores, curve.knots, curve.degree), values)
    expected = reference.predict(splines(asked, curve.knots, curve.degree))
    assert curve(asked) == pytest.approx(expected, abs=1e-9)
    assert np.abs(curve(scores) - np.sin(2 * scores)).mean() < 0.1
    assert curve(np.array([-9.0, 9.0])) == pytest.approx(curve(np.array([scores.min(), scores.max()])))


def test_a_curve_of_noise_is_nearly_level() -> None:
    random = np.random.default_rng(6)
    curve = fit_spline(random.normal(0, 1, 80), random.normal(0.3, 1, 80))
    assert np.ptp(curve(np.linspace(-2, 2, 50))) < 0.6


@pytest.mark.parametrize("scores", [[0.1], [0.1, 0.1, 0.1]])
def test_scores_that_do_not_differ_give_the_mean(scores: list[float]) -> None:
    values = np.arange(len(scores), dtype=float)
    assert fit_spline(np.array(scores), values)(np.array([5.0]))[0] == values.mean()


def test_a_curve_of_pair_effects_is_found_better_than_by_a_sum() -> None:
    ratios = []
    for seed in range(2):
        gains = curved(seed, 100, 0.003)
        known, rest = gains.select(np.arange(70)), gains.select(np.arange(70, 100))
        errors = [
            np.nanmean(np.abs(source.fit(known).predict(rest.membership) - rest.gains))
            for source in (TwoStep(), Ridge())
        ]
        ratios.append(errors[0] / errors[1])
    assert np.mean(ratios) < 0.8


def test_standard_errors_are_calibrated_on_groups_held_out() -> None:
    scores = np.concatenate([held_out_scores(TwoStep(), curved(seed, 160, 0.05), 60) for seed in range(2)])
    assert np.mean(np.abs(scores) < 0.6745) == pytest.approx(0.5, abs=0.08)
    assert np.mean(np.abs(scores) < 1.645) == pytest.approx(0.9, abs=0.05)


def test_a_single_group_has_its_values_and_an_unknown_error() -> None:
    model = TwoStep().fit(GainTensor.from_groups([{"a": 0.1, "b": 0.2}]))
    asked = np.ones((1, 2), dtype=bool)
    assert model.predict(asked)[0] == pytest.approx([0.1, 0.2])
    assert np.isnan(model.std(asked)).all()


def test_options_out_of_range_are_named() -> None:
    with pytest.raises(UsageError, match="folds must be 2 or more"):
        TwoStep(folds=1)
    with pytest.raises(UsageError, match="seed must be 0 or more"):
        TwoStep(seed=-1)
