from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from engine import (
    DataError,
    GainSourceInfo,
    GainTensor,
    Predictor,
    UsageError,
    all_groups,
    make_gain_source,
)
from gain_sources.regression.stacking_weights import PRIOR_GROUPS, stacking_weights
from gain_sources.ridge import Ridge
from gain_sources.stacked import Mixture, Stacked, mixture
from tests.gain_sources.membership_examples import names, pair_sums, random_membership, tensor
from tests.gain_sources.predictor_checks import (
    check_contract,
    check_known_rows,
    check_order_does_not_matter,
    check_refusals,
    held_out_scores,
    interacting,
)

LINEAR = Stacked(members=("ridge", "additive"))
HERE = "tests.gain_sources.test_stacked:"


@dataclass(frozen=True)
class TableModel:
    """Known values where the group is known, and a constant elsewhere; nothing about errors."""

    tasks: tuple[str, ...]
    known: GainTensor
    constant: float
    source: str = "table"

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Look the groups up."""
        found = np.where(membership, self.constant, np.nan)
        for row, group in enumerate(membership):
            same = np.flatnonzero((self.known.membership == group).all(axis=1))
            if len(same):
                found[row] = self.known.gains[same[0]]
        return found


class Memory(Predictor):
    """Knows what it has seen, and nothing else."""

    info = GainSourceInfo(summary="a memory")

    def fit(self, gains: GainTensor) -> TableModel:
        """Remember."""
        return TableModel(gains.tasks, gains, 0.0)


class WholeOnly(Predictor):
    """Needs forty-six groups."""

    info = GainSourceInfo(summary="all or nothing")

    def fit(self, gains: GainTensor) -> TableModel:
        """Refuse what is not whole."""
        if gains.n_groups < 46:
            raise DataError("some groups are missing")
        return TableModel(gains.tasks, gains, 0.0)


def additive_gains(seed: int, rows: int, noise: float = 0.05, count: int = 6) -> GainTensor:
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, count)
    truth = pair_sums(membership, random.normal(0, 0.1, (count, count)), random.normal(0, 0.1, count))
    return tensor(membership, truth + random.normal(0, noise, truth.shape))


def test_it_is_found_by_name_and_members_are_named_in_one_text_or_a_tuple() -> None:
    made = make_gain_source("stacked", Predictor, {"members": "ridge, additive"})
    assert isinstance(made, Stacked)
    assert made.names == LINEAR.names == ("ridge", "additive")


def test_the_contract_of_a_predictor() -> None:
    check_contract(LINEAR, interacting(0), "stacked")


def test_the_default_members_predict_gains() -> None:
    gains = additive_gains(0, 9, count=4)
    model = Stacked(folds=2).fit(gains)
    asked = all_groups(4)
    assert np.array_equal(np.isfinite(model.predict(asked)), asked)
    assert np.array_equal(np.isfinite(model.std(asked)), asked)
    assert isinstance(model.regression, Mixture)
    assert model.regression.weights.sum() == pytest.approx(1.0)
    assert [one.source for one in model.regression.models] == list(Stacked().names)


def test_neither_the_order_of_tasks_nor_that_of_groups_matters() -> None:
    check_order_does_not_matter(LINEAR, interacting(1))
    check_order_does_not_matter(Stacked(members=("ridge", HERE + "Memory")), interacting(1))


def test_only_measurements_are_learnt_from() -> None:
    check_known_rows(LINEAR, interacting(2))


def test_what_is_missing_is_named() -> None:
    check_refusals(Stacked(members=("ridge", HERE + "Memory")))


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_the_optimum_that_a_general_solver_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, 50)
    predicted = values[:, None] + random.normal(0, [0.3, 0.5, 1.0, 2.0], (50, 4)) + 0.5 * random.normal(0, 1)
    groups = int(random.integers(3, 200))
    scale = np.mean((values[:, None] - predicted) ** 2)

    def loss(weights: NDArray[np.float64]) -> float:
        error = np.mean((values - predicted @ weights) ** 2) / scale
        return float(error + PRIOR_GROUPS / groups * np.sum((weights - 0.25) ** 2))

    expected = minimize(
        loss,
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints=[{"type": "eq", "fun": lambda weights: weights.sum() - 1}],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    found = stacking_weights(predicted, values, groups)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0).all()
    assert loss(found) <= loss(expected.x) + 1e-6
    assert found == pytest.approx(expected.x, abs=2e-3)


def test_few_groups_leave_the_weights_near_equal() -> None:
    random = np.random.default_rng(0)
    values = random.normal(0, 1, 100)
    predicted = np.column_stack([values, np.zeros(100)])
    few, many = (stacking_weights(predicted, values, groups)[0] for groups in (2, 100_000))
    assert 0.5 < few < 0.7
    assert many > 0.99


def test_members_that_are_right_leave_nothing_to_weigh() -> None:
    values = np.arange(5.0)
    assert stacking_weights(np.column_stack([values, values]), values, 5).tolist() == [0.5, 0.5]


def test_a_member_is_weighed_by_groups_that_it_has_not_seen() -> None:
    gains = additive_gains(1, 45, noise=0.01)
    model = Stacked(members=("ridge", HERE + "Memory")).fit(gains)
    assert isinstance(model.regression, Mixture)
    # On what it has seen Memory makes no error at all.
    assert model.regression.weights[0] > 0.8


def test_the_mixture_is_about_as_good_as_its_best_member_on_groups_held_out() -> None:
    ratios = []
    for seed in range(3):
        gains = additive_gains(seed, 48, 0.03)
        known, rest = gains.select(np.arange(30)), gains.select(np.arange(30, 48))
        errors = [
            np.nanmean(np.abs(source.fit(known).predict(rest.membership) - rest.gains))
            for source in (LINEAR, Ridge(), make_gain_source("additive", Predictor))
        ]
        ratios.append(errors[0] / min(errors[1:]))
    assert np.mean(ratios) < 1.05


def test_standard_errors_are_calibrated_on_groups_held_out() -> None:
    source = Stacked(members=("ridge", "additive", HERE + "Memory"))
    scores = np.concatenate(
        [held_out_scores(source, additive_gains(seed, 170, 0.05, count=8), 80) for seed in range(4)]
    )
    assert np.mean(np.abs(scores) < 0.6745) == pytest.approx(0.5, abs=0.08)
    assert np.mean(np.abs(scores) < 1.645) == pytest.approx(0.9, abs=0.05)


def test_members_without_errors_get_those_of_the_groups_left_out() -> None:
    gains = additive_gains(3, 40)
    model = Stacked(members=(HERE + "Memory",)).fit(gains)
    std = model.std(np.ones((1, 6), dtype=bool))[0]
    # A memory predicts 0 for what it has not seen, so that its error is the size of the gains.
    size = np.sqrt(np.nanmean(gains.gains**2, axis=0))
    assert std == pytest.approx(size, rel=0.3)


def test_a_mixture_has_the_moments_of_its_draws() -> None:
    random = np.random.default_rng(0)
    means, deviations, weights = (
        np.array([0.1, -0.4, 0.3]),
        np.array([0.2, 0.1, 0.5]),
        np.array([0.5, 0.3, 0.2]),
    )
    drawn = random.choice(3, 400_000, p=weights)
    draws = random.normal(means[drawn], deviations[drawn])
    mean, variance = mixture(means[:, None, None], deviations[:, None, None] ** 2, weights)
    assert mean[0, 0] == pytest.approx(draws.mean(), abs=0.003)
    assert variance[0, 0] == pytest.approx(draws.var(), rel=0.02)


def test_an_unknown_error_of_a_member_counts_as_that_of_the_others() -> None:
    means = np.zeros((2, 1, 1))
    variances = np.array([0.04, np.nan])[:, None, None]
    assert mixture(means, variances, np.array([0.5, 0.5]))[1][0, 0] == pytest.approx(0.04)


def test_a_single_group_leaves_equal_weights_and_an_unknown_error() -> None:
    model = LINEAR.fit(GainTensor.from_groups([{"a": 0.1, "b": 0.2}]))
    asked = np.ones((1, 2), dtype=bool)
    assert isinstance(model.regression, Mixture)
    assert model.regression.weights.tolist() == [0.5, 0.5]
    # Of one group ridge makes its value, and a sum of effects without a constant makes nothing.
    assert model.predict(asked)[0] == pytest.approx([0.05, 0.1])
    assert np.isnan(model.std(asked)).all()


def test_a_task_in_one_group_is_predicted() -> None:
    gains = additive_gains(4, 30)
    member = np.hstack([gains.membership, np.arange(30)[:, None] == 0])
    values = np.hstack([gains.gains, np.where(np.arange(30) == 0, 0.3, np.nan)[:, None]])
    more = GainTensor.from_dense(names(7), member, values)
    model = LINEAR.fit(more)
    asked = np.ones((1, 7), dtype=bool)
    assert np.isfinite(model.predict(asked)).all()
    assert np.isfinite(model.std(asked)[0, :6]).all()


def test_a_member_that_cannot_do_without_some_groups_is_named() -> None:
    gains = additive_gains(5, 46)
    with pytest.raises(
        DataError, match=r"'tests.*WholeOnly' .* cannot be fitted on part .*some groups are miss"
    ):
        Stacked(members=("ridge", HERE + "WholeOnly")).fit(gains)
    with pytest.raises(DataError, match=r"'hoa' of the stacked ensemble cannot be fitted: .* every pair"):
        Stacked(members=("ridge", "hoa")).fit(gains)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": ""}, "needs members"),
        ({"members": ("ridge", "ridge")}, "'ridge' of the stacked ensemble is named twice"),
        ({"members": ("ridge", "stacked")}, "cannot be a member of itself"),
        ({"folds": 1}, "folds must be 2 or more"),
        ({"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_gain_source("stacked", Predictor, options)


def test_an_unknown_member_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"'rigde'.*ridge"):
        Stacked(members=("rigde",)).fit(additive_gains(0, 40))


def test_predictions_are_weighted_means_of_the_members() -> None:
    gains = additive_gains(6, 40)
    model = LINEAR.fit(gains)
    asked = all_groups(6)[6:]
    assert isinstance(model.regression, Mixture)
    singles = [make_gain_source(name, Predictor).fit(gains).predict(asked) for name in LINEAR.names]
    expected = np.tensordot(model.regression.weights, np.array(singles), axes=1)
    assert model.predict(asked) == pytest.approx(expected, abs=1e-9, nan_ok=True)
