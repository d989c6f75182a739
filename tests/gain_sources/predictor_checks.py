"""What every predictor of gains must do, whatever it makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import DataError, GainModel, GainTensor, Predictor, UncertainModel, all_groups
from tests.gain_sources.membership_examples import random_membership, tensor


def interacting(seed: int, rows: int = 40, count: int = 6, noise: float = 0.01) -> GainTensor:
    """Return gains that pairs of the other members make together, with the tasks alone."""
    random = np.random.default_rng(seed)
    membership = random_membership(random, rows, count)
    values = np.full(membership.shape, np.nan)
    for row, task in np.argwhere(membership):
        one, other = (task + 1) % count, (task + 2) % count
        values[row, task] = 0.2 * float(membership[row, one] ^ membership[row, other])
    values += random.normal(0, noise, values.shape)
    alone = np.eye(count, dtype=bool)
    return tensor(np.vstack([alone, membership]), np.vstack([np.where(alone, 0.0, np.nan), values]))


def shuffled(gains: GainTensor, seed: int) -> tuple[GainTensor, NDArray[np.int64]]:
    """Return the same gains with tasks and groups in another order, and where the tasks were."""
    random = np.random.default_rng(seed)
    columns, rows = random.permutation(gains.n_tasks), random.permutation(gains.n_groups)
    turned = GainTensor.from_dense(
        [gains.tasks[one] for one in columns],
        gains.membership[rows][:, columns],
        gains.gains[rows][:, columns],
        quantity=gains.quantity,
    )
    return turned, columns


def check_order_does_not_matter(predictor: Predictor, gains: GainTensor) -> None:
    """Predictions of relabelled, reordered gains are the relabelled predictions, to the last bit."""
    turned, columns = shuffled(gains, 3)
    asked = all_groups(gains.n_tasks)
    model, other = predictor.fit(gains), predictor.fit(turned)
    for method in ("predict", "std"):
        expected = getattr(model, method)(asked)[:, columns]
        assert np.array_equal(getattr(other, method)(asked[:, columns]), expected, equal_nan=True)


def check_contract(predictor: Predictor, gains: GainTensor, source: str) -> None:
    """The model is defined on all groups, silent off the membership, and certain of a task alone."""
    model = predictor.fit(gains)
    asked = all_groups(gains.n_tasks)
    assert isinstance(model, GainModel)
    assert isinstance(model, UncertainModel)
    assert (model.source, model.tasks) == (source, gains.tasks)
    predicted, std = model.predict(asked), model.std(asked)
    assert np.array_equal(np.isfinite(predicted), asked)
    assert np.array_equal(np.isfinite(std), asked)
    alone = asked.sum(axis=1) == 1
    assert (predicted[alone][asked[alone]] == 0).all()
    assert (std[alone][asked[alone]] == 0).all()
    assert (std[~alone][asked[~alone]] > 0).all()
    again = predictor.fit(gains)
    assert np.array_equal(again.predict(asked), predicted, equal_nan=True)
    assert model.predict(asked[:0]).shape == (0, gains.n_tasks)
    with pytest.raises(DataError, match="does not fit"):
        model.predict(asked[:, :-1])


def check_known_rows(predictor: Predictor, gains: GainTensor) -> None:
    """Predictions in the tensor are not learnt from, and of one group at two costs the network of cost 1."""
    asked = all_groups(gains.n_tasks)
    expected = predictor.fit(gains).predict(asked)
    larger = np.flatnonzero(gains.sizes > 1)
    wrong = gains.gains[larger[:3]] + 9.0
    outside = np.flatnonzero(~(asked[:, None] == gains.membership).all(axis=2).any(axis=1))
    member = np.vstack([gains.membership, gains.membership[larger[:3]], asked[outside[:1]]])
    values = np.vstack([gains.gains, wrong, np.where(asked[outside[:1]], 9.0, np.nan)])
    mixed = GainTensor.from_dense(
        gains.tasks,
        member,
        values,
        cost=np.append(np.ones(gains.n_groups), [0.5, 0.5, 0.5, 1.0]),
        measured=np.append(np.ones(len(member) - 1, dtype=bool), False),
    )
    assert np.array_equal(predictor.fit(mixed).predict(asked), expected, equal_nan=True)


def check_refusals(predictor: Predictor) -> None:
    """What is missing is named: a group of a task, or the loss of a task alone."""
    gains = GainTensor.from_groups([{"a": 0.0}, {"a": 0.1, "b": 0.1}, {"c": 0.0}])
    with pytest.raises(DataError, match="group of two or more tasks that holds 'c'"):
        predictor.fit(gains)
    losses = GainTensor.from_groups(
        [
            {"a": 1.0},
            {"a": 0.9, "b": 1.2},
            {"a": 0.8, "b": 1.1, "c": 1.0},
            {"b": 1.0, "c": 1.0},
            {"a": 0.7, "c": 1.3},
        ],
        quantity="loss",
    )
    model = predictor.fit(losses)
    assert model.predict(np.array([[True, False, False]]))[0, 0] == 1.0
    assert np.nanmin(model.predict(losses.membership[1:])) > 0.5
    with pytest.raises(DataError, match="loss of task 'b' alone"):
        model.predict(np.eye(3, dtype=bool))


def held_out_scores(predictor: Predictor, gains: GainTensor, known: int) -> NDArray[np.float64]:
    """Return errors over standard errors, of groups beyond the first ones."""
    fitted = predictor.fit(gains.select(np.arange(known)))
    rest = gains.select(np.arange(known, gains.n_groups))
    assert isinstance(fitted, UncertainModel)
    member = rest.membership
    errors = (fitted.predict(member) - rest.gains)[member]
    return np.asarray(errors / fitted.std(member)[member])
