from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from engine import GainTensor, Predictor, UsageError, all_groups, make_gain_source
from gain_sources.extra_trees import ExtraTrees
from gain_sources.ridge import Ridge
from tests.gain_sources.predictor_checks import (
    check_contract,
    check_known_rows,
    check_order_does_not_matter,
    check_refusals,
    held_out_scores,
    interacting,
)

FEW = ExtraTrees(trees=20)


def test_it_is_found_by_name_with_its_options() -> None:
    assert make_gain_source("extra-trees", Predictor, {"trees": 20}) == FEW


def test_the_contract_of_a_predictor() -> None:
    check_contract(FEW, interacting(0), "extra-trees")


def test_neither_the_order_of_tasks_nor_that_of_groups_matters() -> None:
    check_order_does_not_matter(FEW, interacting(1))


def test_only_measurements_are_learnt_from() -> None:
    check_known_rows(FEW, interacting(2))


def test_what_is_missing_is_named() -> None:
    check_refusals(FEW)


def test_what_two_others_do_together_is_found_where_no_sum_of_effects_tells_it() -> None:
    gains = interacting(3, rows=170, count=8)
    known, rest = gains.select(np.arange(130)), gains.select(np.arange(130, gains.n_groups))
    errors = [
        np.nanmean(np.abs(source.fit(known).predict(rest.membership) - rest.gains))
        for source in (ExtraTrees(trees=40), Ridge())
    ]
    assert errors[0] < 0.85 * errors[1]


def test_predictions_are_close_to_those_of_a_forest_of_scikit_learn() -> None:
    gains = interacting(4, rows=45, count=6)
    larger = gains.select(gains.sizes > 1)
    rows, tasks = np.nonzero(larger.membership)
    asked = all_groups(6)
    asked = asked[asked.sum(axis=1) > 1]
    others, asked_tasks = np.nonzero(asked)

    def table(member: np.ndarray, row: np.ndarray, task: np.ndarray) -> np.ndarray:
        others = member[row] & ~np.eye(6, dtype=bool)[task]
        return np.column_stack([others, np.eye(6)[task], member.sum(axis=1)[row]])

    forest = ExtraTreesRegressor(
        200, min_samples_leaf=2, max_features=0.6, bootstrap=True, random_state=1
    ).fit(table(larger.membership, rows, tasks), larger.gains[rows, tasks])
    expected = forest.predict(table(asked, others, asked_tasks))
    found = ExtraTrees(trees=200).fit(gains).predict(asked)[others, asked_tasks]
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert np.abs(found - expected).mean() < 0.25 * np.std(expected)


def test_standard_errors_are_calibrated_on_groups_held_out() -> None:
    scores = np.concatenate(
        [held_out_scores(ExtraTrees(trees=50), interacting(seed, 170, 8, 0.05), 100) for seed in range(4)]
    )
    assert np.mean(np.abs(scores) < 0.6745) == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.abs(scores) < 1.645) == pytest.approx(0.9, abs=0.05)


def test_errors_grow_where_the_trees_differ() -> None:
    gains = interacting(5, rows=45)
    model = FEW.fit(gains)
    std = model.std(all_groups(6))[:, 0]
    std = std[np.isfinite(std) & (std > 0)]
    assert std.max() > 1.3 * std.min()


def test_values_that_do_not_vary_are_predicted() -> None:
    groups = [
        {"a": 0.1, "b": 0.1},
        {"a": 0.1, "c": 0.1},
        {"b": 0.1, "c": 0.1},
        {"a": 0.1, "b": 0.1, "c": 0.1},
    ]
    model = FEW.fit(GainTensor.from_groups(groups))
    asked = np.ones((1, 3), dtype=bool)
    assert model.predict(asked) == pytest.approx(0.1)
    assert model.std(asked) == pytest.approx(0.0, abs=1e-6)


def test_a_single_group_has_its_values_and_an_unknown_error() -> None:
    model = FEW.fit(GainTensor.from_groups([{"a": 0.1, "b": 0.1}]))
    asked = np.ones((1, 2), dtype=bool)
    assert model.predict(asked) == pytest.approx(0.1)
    assert np.isnan(model.std(asked)).all()


def test_another_seed_makes_another_forest() -> None:
    gains = interacting(6)
    asked = all_groups(6)
    one, other = (ExtraTrees(trees=20, seed=seed).fit(gains).predict(asked) for seed in (0, 1))
    assert not np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trees": 3}, "trees must be 10 or more"),
        ({"least_leaf": 0}, "least_leaf must be 1 or more"),
        ({"share": 0.0}, "share must be above 0"),
        ({"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_gain_source("extra-trees", Predictor, options)
