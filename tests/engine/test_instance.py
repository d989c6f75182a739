from __future__ import annotations

import numpy as np
import pytest

from engine import INSTANCES, Instance, InstanceInfo, UsageError, load_instance

NAMES = INSTANCES.names()


@pytest.mark.parametrize("name", NAMES)
def test_an_instance_says_what_it_is_without_loading_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGINE_DATA", raising=False)
    info: InstanceInfo = INSTANCES.load(name).info
    assert info.summary
    assert info.n_groups >= len(info.tasks)
    assert info.default_budget in info.budgets
    assert list(info.budgets) == sorted(info.budgets)
    assert info.source_split in info.splits
    assert load_instance(name).info == info


def test_the_catalogue_holds_the_published_and_the_made_up_instances() -> None:
    assert {"mimic27", "ettm1", "taskonomy5", "standley1", "toy4", "planted", "random"} <= set(NAMES)


def test_an_unknown_instance_comes_with_a_guess() -> None:
    with pytest.raises(UsageError, match="Did you mean 'mimic27'"):
        load_instance("mimic-27")


def test_what_is_no_instance_is_refused() -> None:
    with pytest.raises(UsageError, match="not a subclass"):
        load_instance("engine.gains:GainTensor")


def test_a_registered_source_is_fitted_on_the_measured_gains() -> None:
    toy: Instance = load_instance("toy4")
    measured, predicted = toy.gains(), toy.gains("hoa")
    assert np.array_equal(predicted.membership, measured.membership)
    assert not predicted.measured.any()
    assert predicted.source == "hoa"
    assert predicted.split == "valid"
    assert predicted.gains[4] == pytest.approx([(10 - 4 + 1) / 300, 11 / 300, 14 / 300, 11 / 300])


def test_an_unknown_source_comes_with_a_guess() -> None:
    with pytest.raises(UsageError, match="Did you mean 'measured'"):
        load_instance("toy4").gains("mesured")
