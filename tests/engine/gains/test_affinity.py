from __future__ import annotations

import numpy as np
import pytest

from engine import Affinity, DataError, GainTensor, pair_affinity, projected_affinity, tabulate, task_affinity
from engine.gains.model import all_groups
from engine.gains.pair_mean import PairMeanModel

PAIRS = GainTensor.from_groups([{"a": 0.1, "b": 0.2}, {"a": 0.3, "c": 0.4}, {"b": 0.5, "c": 0.6}])


def test_the_effect_of_i_on_j_is_the_gain_of_j_in_their_pair() -> None:
    affinity = pair_affinity(PAIRS)
    assert affinity is not None
    assert affinity.matrix.tolist() == [[0, 0.2, 0.4], [0.1, 0, 0.6], [0.3, 0.5, 0]]


def test_a_missing_pair_gives_none_and_the_projection_steps_in() -> None:
    part = PAIRS.select([0, 1])
    assert pair_affinity(part) is None
    projected = task_affinity(part)
    assert "projection" in projected.source
    assert projected.matrix[0, 1] == pytest.approx(0.2, rel=0.01)
    assert projected.matrix[1, 2] == 0


def test_losses_are_negated() -> None:
    tensor = GainTensor.from_groups([{"a": 0.1, "b": 0.2}], quantity="loss")
    affinity = pair_affinity(tensor)
    assert affinity is not None
    assert affinity.matrix.tolist() == [[0, -0.2], [-0.1, 0]]


def test_the_projection_recovers_effects_that_average() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 5))
    np.fill_diagonal(matrix, 0)
    model = PairMeanModel(tuple("abcde"), matrix, np.zeros(5))
    member = all_groups(5)
    triples = member[member.sum(axis=1) >= 3]
    recovered = projected_affinity(tabulate(model, triples), ridge=1e-9)
    assert np.allclose(recovered.matrix, matrix, atol=1e-5)


def test_every_pair_needs_a_finite_number_and_the_diagonal_does_not() -> None:
    assert Affinity(("a", "b"), np.array([[np.nan, 1], [2, np.inf]])).symmetrised().tolist() == [
        [0, 1.5],
        [1.5, 0],
    ]
    with pytest.raises(DataError, match="Affinity of 'a' on 'b' is nan"):
        Affinity(("a", "b"), np.array([[0, np.nan], [1, 0]]))
    with pytest.raises(DataError, match="shape"):
        Affinity(("a", "b"), np.zeros((2, 3)))
    with pytest.raises(DataError, match="distinct"):
        Affinity(("a", "a"), np.zeros((2, 2)))
