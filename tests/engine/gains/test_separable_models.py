from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import Affinity, DataError, GainModel, PairMeanModel, PairSumModel, SeparableModel, all_groups
from engine.gains.separable import best_values, predict_separable

EFFECTS = st.floats(-100, 100, width=32) | st.sampled_from([0.0, 0.1, 1 / 3, -0.7])
WEIGHTS = st.sampled_from([1.0, -1.0, 0.0, 0.5, -2.5])


@dataclass(frozen=True)
class Weighted:
    """A model with size weights of its own."""

    pairs: np.ndarray
    singles: np.ndarray
    offsets: np.ndarray
    size_weights: np.ndarray


@st.composite
def models(draw: st.DrawFn, least_weight: float = 0.0) -> Weighted:
    """Models of up to six tasks; what has no meaning is NaN."""
    count = draw(st.integers(1, 6))
    pairs = draw(arrays(float, (count, count), elements=EFFECTS))
    np.fill_diagonal(pairs, np.nan)
    sizes = draw(arrays(float, count + 1, elements=st.floats(least_weight, 2)))
    sizes[:2] = np.nan
    singles = draw(arrays(float, count, elements=EFFECTS | st.just(np.nan)))
    return Weighted(pairs, singles, draw(arrays(float, count, elements=EFFECTS)), sizes)


def naive(model: SeparableModel, group: np.ndarray) -> np.ndarray:
    """Return what the docstring says, as loops."""
    members = [task for task in range(len(group)) if group[task]]
    values = np.full(len(group), np.nan)
    for task in members:
        if members == [task]:
            values[task] = model.singles[task]
            continue
        total = sum(model.pairs[other, task] for other in members if other != task)
        values[task] = model.offsets[task] + model.size_weights[len(members)] * total
    return values


@settings(derandomize=True, max_examples=60)
@given(models(least_weight=-2.0))
def test_prediction_is_the_definition(model: Weighted) -> None:
    member = all_groups(len(model.singles))
    expected = np.array([naive(model, group) for group in member])
    assert predict_separable(model, member) == pytest.approx(expected, rel=1e-12, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("count", [3, 8, 12])
def test_a_group_is_worth_the_same_whatever_is_asked_with_it(count: int) -> None:
    rng = np.random.default_rng(count)
    model = PairMeanModel(
        tuple(f"t{task}" for task in range(count)),
        rng.integers(-300, 300, (count, count)) / 7,
        np.zeros(count),
    )
    member = all_groups(count)
    at_once = model.predict(member)
    for row in rng.integers(0, len(member), 60):
        assert np.array_equal(model.predict(member[row : row + 1])[0], at_once[row], equal_nan=True)
    assert np.array_equal(model.predict(member[::-1])[::-1], at_once, equal_nan=True)


def test_an_unknown_pair_spoils_only_the_groups_that_hold_it() -> None:
    pairs = np.ones((3, 3))
    pairs[0, 1] = np.nan
    model = PairSumModel(("a", "b", "c"), pairs, np.zeros(3), np.zeros(3))
    predicted = model.predict(np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0]], dtype=bool))
    assert predicted[0, [0, 2]].tolist() == [1, 1]
    assert predicted[1, [1, 2]].tolist() == [1, 1]
    assert predicted[2, 0] == 1
    assert np.isnan(predicted[2, 1])


@settings(derandomize=True, max_examples=80)
@given(models(), st.data())
def test_best_values_are_reached_where_size_weights_are_not_negative(
    model: Weighted, data: st.DataObject
) -> None:
    count = len(model.singles)
    weights = data.draw(arrays(float, count, elements=WEIGHTS))
    values = predict_separable(model, all_groups(count)) * weights
    values[np.isnan(values)] = -np.inf  # not a member, or alone and not known
    assert best_values(model, weights) == pytest.approx(values.max(axis=0), rel=1e-9, abs=1e-9)


@settings(derandomize=True, max_examples=60)
@given(models(least_weight=-2.0), st.data())
def test_best_values_are_upper_bounds_for_any_size_weights(model: Weighted, data: st.DataObject) -> None:
    count = len(model.singles)
    weights = data.draw(arrays(float, count, elements=WEIGHTS))
    values = predict_separable(model, all_groups(count)) * weights
    reached = np.where(np.isnan(values), -np.inf, values).max(axis=0)
    assert (best_values(model, weights) >= reached - 1e-9 * np.maximum(1, np.abs(reached))).all()


def test_membership_of_another_width_is_refused() -> None:
    model = PairSumModel(("a", "b"), np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    for wrong in (np.ones((1, 3), dtype=bool), np.ones(2, dtype=bool)):
        with pytest.raises(DataError, match="does not fit 2 tasks"):
            model.predict(wrong)


def test_an_affinity_is_halved_so_that_pairs_add_their_symmetrised_effect() -> None:
    affinity = Affinity(("a", "b", "c"), np.array([[7, 1, 2], [3, np.nan, -4], [6, 8, 7]]), source="tag")
    model = PairSumModel.from_affinity(affinity)
    assert isinstance(model, GainModel)
    assert isinstance(model, SeparableModel)
    assert model.source == "tag"
    totals = np.nansum(
        model.predict(np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [1, 0, 0]], dtype=bool)), axis=1
    )
    both = affinity.symmetrised()
    assert totals == pytest.approx([both[0, 1], both[1, 2], both[0, 1] + both[0, 2] + both[1, 2], 0.0])
    assert affinity.matrix[0, 0] == 7  # the affinity itself is left as it is


def test_models_of_pairs_are_separable_and_keep_their_quantity() -> None:
    hoa = PairMeanModel(("a", "b", "c"), np.ones((3, 3)), np.zeros(3))
    assert isinstance(hoa, SeparableModel)
    assert hoa.size_weights[2:].tolist() == [1.0, 0.5]
    additive = PairSumModel(("a",), np.zeros((1, 1)), np.ones(1), np.ones(1), quantity="loss")
    assert additive.quantity == "loss"
    assert additive.predict(np.ones((1, 1), dtype=bool)).tolist() == [[1.0]]
