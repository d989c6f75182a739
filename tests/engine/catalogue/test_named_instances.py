from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import (
    INSTANCES,
    FileInstance,
    GainTensor,
    Instance,
    InstanceInfo,
    TrainableInstance,
    UsageError,
    load_instance,
    write_gains,
)

NAMES = INSTANCES.names()


@pytest.mark.parametrize("name", NAMES)
def test_an_instance_says_what_it_is_without_loading_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGINE_DATA", raising=False)
    cls = INSTANCES.load(name)
    info: InstanceInfo = cls.info
    assert info.summary
    assert info.tasks
    assert info.n_groups == 0 if issubclass(cls, TrainableInstance) else info.n_groups >= len(info.tasks)
    assert info.default_budget in info.budgets
    assert list(info.budgets) == sorted(info.budgets)
    assert info.source_split in info.splits
    assert cls(name).info == info


def test_the_catalogue_holds_the_published_and_the_made_up_instances() -> None:
    assert {"mimic27", "ettm1", "taskonomy5", "standley1", "toy4", "planted", "random"} <= set(NAMES)


def test_an_unknown_instance_comes_with_a_guess() -> None:
    with pytest.raises(UsageError, match="Did you mean 'mimic27'"):
        load_instance("mimic-27")


def test_standard_errors_stay_with_what_is_handed_through(tmp_path: Path) -> None:
    gains = GainTensor.from_dense(
        ["a", "b", "c"],
        [[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]],
        [[0.1, 0.2, 0], [0.3, 0, 0.4], [0, 0.5, 0.6], [0.7, 0.8, 0.9]],
        std=np.full((4, 3), 0.01),
        measured=np.array([True, True, False, True]),
    )
    write_gains(gains, tmp_path / "mine.npz")
    fitted = FileInstance(tmp_path / "mine.npz").gains("hoa")
    assert fitted.measured.tolist() == [True, True, False, False]
    assert fitted.std is not None
    assert np.array_equal(np.isnan(fitted.std), [False] * 6 + [True] * 3)


def test_a_path_is_sent_to_the_functions_for_files(tmp_path: Path) -> None:
    for path in ("my.csv", "folder/gains.npz", "x.txt,y.txt", tmp_path):
        with pytest.raises(UsageError, match=r"engine\.open_instance\(path\).*engine\.read_gains"):
            load_instance(path)  # type: ignore[arg-type]


def test_what_is_no_instance_is_refused() -> None:
    with pytest.raises(UsageError, match="not a subclass"):
        load_instance("engine.gains.tensor:GainTensor")


def test_a_registered_source_is_fitted_on_the_measured_gains() -> None:
    toy: Instance = load_instance("toy4")
    measured, predicted = toy.gains(), toy.gains("hoa")
    assert np.array_equal(predicted.membership, measured.membership)
    # What is handed through is what it was; what is computed is predicted.
    assert np.array_equal(predicted.measured, measured.sizes <= 2)
    same = predicted.measured[measured.entry_rows]
    assert np.array_equal(predicted.values[same], measured.values[same])
    assert str(predicted.provenance) == "hoa fitted on measured valid gains; made up for this project"
    assert predicted.source == "hoa"
    assert predicted.split == "valid"
    assert predicted.gains[4] == pytest.approx([(10 - 4 + 1) / 300, 11 / 300, 14 / 300, 11 / 300])


def test_an_unknown_source_comes_with_a_guess() -> None:
    with pytest.raises(UsageError, match="Did you mean 'measured'"):
        load_instance("toy4").gains("mesured")
