from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backbones import train_groups
from engine import Collector, UnsupportedError, UsageError, make_gain_source
from gain_sources.early_stop import EarlyStop
from tests.gain_sources.affinity_examples import experiment


@pytest.mark.parametrize(
    ("epochs", "fraction", "kept"), [(10, 0.2, 2), (11, 0.2, 3), (1, 0.2, 1), (30, 0.1, 3), (7, 1.0, 7)]
)
def test_a_part_of_the_epochs_is_trained(epochs: int, fraction: float, kept: int) -> None:
    one = experiment(epochs=epochs, patience=3)
    short = EarlyStop(fraction=fraction).experiment(one)
    assert short.settings == replace(one.settings, epochs=kept, patience=0)
    assert short.source == "early-stop"
    assert short.digest != one.digest
    assert short.data is one.data


def test_groups_are_those_of_a_shorter_training() -> None:
    source = make_gain_source("early-stop", Collector, {"fraction": 0.3})
    one = experiment(epochs=10, patience=1, learning_rate=0.1)
    membership = np.array([[True, False, True, False, True], [True, True, True, True, True]])
    found = source.measure(source.experiment(one), membership, seed=1)
    wanted = train_groups(experiment(epochs=3, learning_rate=0.1), membership, 1)
    assert found.epochs.tolist() == [3, 3]
    np.testing.assert_array_equal(found.losses["valid"], wanted.losses["valid"])


@pytest.mark.parametrize("fraction", [0.0, 1.5, -1.0, float("nan")])
def test_the_fraction_is_checked(fraction: float) -> None:
    with pytest.raises(UsageError, match="fraction"):
        EarlyStop(fraction=fraction)


def test_it_does_not_train_for_good(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="measured"):
        EarlyStop().train_for_good(experiment(), np.ones((1, 5), dtype=bool), {}, 0, tmp_path)
