from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from engine import TrainableInstance, UsageError, load_instance
from instances.digits10 import Digits10
from instances.digits14 import Digits14


def digits10(**options: object) -> TrainableInstance:
    instance = load_instance("digits10", options=options)
    assert isinstance(instance, TrainableInstance)
    return instance


def test_each_digit_is_a_task_against_the_rest() -> None:
    data = digits10().data()
    images, labels = load_digits(return_X_y=True)
    assert data.task_names == Digits10.info.tasks
    assert np.array_equal(data.inputs[0], (images / 16).astype(np.float32))
    assert np.array_equal(np.argmax(data.targets, axis=0), labels)
    assert np.sum(data.targets, axis=0).tolist() == [1] * 1797


def test_the_split_is_stratified_by_digit() -> None:
    data = digits10().data()
    for target in data.targets:
        shares = [target[data.rows(name)].sum() / target.sum() for name in ("train", "valid", "test")]
        assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.02)


def test_noise_is_the_same_every_time_and_unrelated_to_the_digits() -> None:
    data, again = Digits14("digits14").data(), load_instance("digits14").data()  # type: ignore[attr-defined]
    assert data.digest == again.digest
    assert data.task_names == load_instance("digits14").info.tasks == Digits14.info.tasks
    assert data.n_tasks == 14
    related = np.abs(np.corrcoef(np.stack(data.targets))[10:])
    assert related[:, :10].max() < 0.1
    assert [target.mean() for target in data.targets[10:]] == pytest.approx([0.5] * 4, abs=0.03)


def test_noise_is_an_option_of_digits10() -> None:
    data = digits10(n_noise=4).data()
    assert data.task_names == Digits14.info.tasks
    assert np.array_equal(data.targets, Digits14("digits14").data().targets)
    assert digits10(n_noise=4, seed=1).data().digest != data.digest
    with pytest.raises(UsageError, match="n_noise"):
        digits10(n_noise=-1)


def test_training_samples_are_drawn_evenly_from_the_digits() -> None:
    whole, data = digits10().data(), digits10(n_train=153).data()
    rows = data.rows("train")
    assert len(rows) == 153
    assert set(rows.tolist()) < set(whole.rows("train").tolist())
    assert {int(target[rows].sum()) for target in data.targets} == {15, 16}
    for part in ("valid", "test"):
        assert np.array_equal(data.rows(part), whole.rows(part))
    assert not np.array_equal(rows, digits10(n_train=153, seed=1).data().rows("train"))
    assert digits10(n_train=len(whole.rows("train"))).data().digest == whole.digest
    for wrong in (0, 10_000):
        with pytest.raises(UsageError, match="n_train must be 1 to 10"):
            digits10(n_train=wrong).data()
