from __future__ import annotations

import numpy as np
import pytest

from engine import Affinity, DataError, GainModel, GainTensor, tabulate
from engine.gains.model import all_groups
from engine.gains.pair_mean import PairMeanModel

PAIRS = GainTensor.from_groups([{"a": 0.1, "b": 0.2}, {"a": 0.3, "c": 0.4}, {"b": 0.5, "c": 0.6}])


def test_a_gain_is_the_mean_over_the_co_members() -> None:
    model = PairMeanModel.from_gains(PAIRS)
    assert isinstance(model, GainModel)
    assert model.predict(np.ones((1, 3), dtype=bool))[0] == pytest.approx([0.2, 0.35, 0.5])


def test_a_pair_keeps_its_gains_exactly_and_a_task_alone_gains_nothing() -> None:
    predicted = PairMeanModel.from_gains(PAIRS).predict(PAIRS.membership)
    assert np.array_equal(predicted, PAIRS.gains, equal_nan=True)
    alone = PairMeanModel.from_gains(PAIRS).predict(np.eye(3, dtype=bool))
    assert np.diag(alone).tolist() == [0, 0, 0]
    assert np.isnan(alone).sum() == 6


def test_a_missing_pair_is_named() -> None:
    with pytest.raises(DataError, match=r"the pair a\|c is missing \(2 of 3"):
        PairMeanModel.from_gains(PAIRS.select([0]))


def test_losses_keep_their_unit_and_the_standard_network_counts() -> None:
    losses = GainTensor.from_dense(
        "ab", [[1, 0], [1, 0], [1, 1]], [[0.5, 0], [0.4, 0], [0.3, 0.2]], cost=[0.5, 1, 1], quantity="loss"
    )
    model = PairMeanModel.from_gains(losses)
    assert model.quantity == "loss"
    assert model.predict(np.array([[True, False]]))[0, 0] == 0.4
    with pytest.raises(DataError, match="loss of task 'b' alone is not known"):
        model.predict(np.array([[False, True]]))
    again = tabulate(model, losses.membership, cost=losses.cost, quantity="loss")
    assert again.cost.tolist() == [0.5, 1, 1]
    assert not again.measured.any()


def test_an_affinity_makes_the_same_model() -> None:
    affinity = Affinity(("a", "b"), np.array([[9.0, 0.2], [0.1, np.nan]]), source="tag")
    model = PairMeanModel.from_affinity(affinity)
    assert model.source == "tag"
    assert model.predict(np.ones((1, 2), dtype=bool)).tolist() == [[0.1, 0.2]]


def test_prediction_agrees_with_the_definition_written_as_loops() -> None:
    rng = np.random.default_rng(1)
    model = PairMeanModel(tuple("abcde"), rng.normal(size=(5, 5)), np.zeros(5))
    member = all_groups(5)
    for groups, predicted in zip(member, model.predict(member), strict=True):
        inside = np.flatnonzero(groups)
        for task in inside:
            others = [model.pairs[other, task] for other in inside if other != task]
            assert predicted[task] == pytest.approx(np.mean(others) if others else 0.0)


def test_membership_of_another_width_is_refused() -> None:
    with pytest.raises(DataError, match="does not fit 3 tasks"):
        PairMeanModel.from_gains(PAIRS).predict(np.ones((1, 2), dtype=bool))
