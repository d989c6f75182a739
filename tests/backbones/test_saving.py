from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backbones import DeviceData, load_served, train_for_good
from backbones.training.loop import train_group
from engine import DataError, Experiment, MultiTaskData, Task, TrainingSettings, UsageError
from engine.data.splits import random_splits

MEMBERSHIP = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
SERVING = {"sum": 0, "sign": 1, "kind": 1}


def make(*, precision: str = "float32", shared: bool = True, pixels: bool = False) -> Experiment:
    random = np.random.default_rng(0)
    inputs = [random.standard_normal((80, 4)).astype(np.float32) for _ in range(1 if shared else 3)]
    if pixels:
        inputs = [random.integers(0, 256, (80, 4), dtype=np.uint8) for _ in inputs]
    of = inputs * (3 if shared else 1)
    splits = random_splits(80)
    data = MultiTaskData(
        (Task("sum"), Task("sign", "binary"), Task("kind", "multiclass", outputs=3)),
        tuple(inputs),
        (
            of[0].astype(float).mean(axis=1),
            (of[1][:, 0] > np.median(of[1][:, 0])).astype(float),
            (np.arange(80) % 3).astype(float),
        ),
        {name: rows * (1 if shared else 3) for name, rows in splits.items()},
    )
    settings = TrainingSettings(epochs=2, batch_size=16, precision=precision)
    return Experiment(data, "mlp", {"hidden": 5, "layers": 1}, settings)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("pixels", [False, True])
def test_networks_answer_after_reloading_bit_for_bit(tmp_path: Path, precision: str, pixels: bool) -> None:
    experiment = make(precision=precision, pixels=pixels)
    train_for_good(experiment, MEMBERSHIP, SERVING, 3, tmp_path / "models")
    served = load_served(tmp_path / "models")
    found = served.predict(experiment.data.inputs[0])
    assert list(found) == ["sum", "sign", "kind"]
    device = DeviceData(experiment)
    for name, group in SERVING.items():
        members = np.flatnonzero(MEMBERSHIP[group]).tolist()
        model = train_group(experiment, members, 3, device).model.eval()
        with torch.no_grad():
            outputs = model(device.input(torch.arange(80)))
        expected = outputs[members.index(experiment.tasks.index(name))].numpy()
        assert found[name].dtype == expected.dtype
        assert np.array_equal(found[name], expected)
    assert {name: outputs.shape for name, outputs in found.items()} == {
        "sum": (80, 1),
        "sign": (80, 1),
        "kind": (80, 3),
    }


def test_tasks_with_inputs_of_their_own_are_asked_by_name(tmp_path: Path) -> None:
    experiment = make(shared=False)
    train_for_good(experiment, MEMBERSHIP, SERVING, 0, tmp_path / "models")
    served = load_served(tmp_path / "models")
    device = DeviceData(experiment)
    model = train_group(experiment, [1, 2], 0, device).model.eval()
    with torch.no_grad():
        expected = model.forward_member(device.input(torch.arange(7), 2), 1).numpy()
    assert np.array_equal(served.predict({"kind": experiment.data.inputs[2][:7]})["kind"], expected)


def test_results_are_those_of_training_alone(tmp_path: Path) -> None:
    experiment = make()
    results = train_for_good(experiment, MEMBERSHIP, SERVING, 1, tmp_path / "models")
    for row, member in enumerate(MEMBERSHIP):
        alone = train_group(experiment, np.flatnonzero(member).tolist(), 1, DeviceData(experiment))
        for split in ("valid", "test"):
            assert np.array_equal(results.metrics[split][row, member], alone.metrics[split])
            assert np.isnan(results.metrics[split][row, ~member]).all()
            assert np.array_equal(results.losses[split][row, member], alone.losses[split])


def test_loading_leaves_random_numbers_alone(tmp_path: Path) -> None:
    train_for_good(make(), MEMBERSHIP, SERVING, 0, tmp_path / "models")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_served(tmp_path / "models")
    assert torch.equal(torch.rand(3), expected)


def test_the_serving_map_tells_what_was_trained(tmp_path: Path) -> None:
    experiment = make()
    train_for_good(experiment, MEMBERSHIP, SERVING, 4, tmp_path / "models")
    told = json.loads((tmp_path / "models" / "serving.json").read_text())
    assert told["seed"] == 4
    assert told["experiment"] == experiment.digest
    assert told["tasks"]["kind"]["group"] == 1
    assert told["tasks"]["kind"]["head"] == 1
    assert [[task["name"] for task in one["tasks"]] for one in told["groups"]] == [
        ["sum", "sign"],
        ["sign", "kind"],
        ["sum", "kind"],
    ]
    assert {path.name for path in (tmp_path / "models").iterdir()} == {
        "serving.json",
        *(f"group_{index}.safetensors" for index in range(3)),
    }


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="new or empty folder"):
        train_for_good(make(), MEMBERSHIP, SERVING, 0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    (tmp_path / "empty").mkdir()
    train_for_good(make(), MEMBERSHIP, SERVING, 0, tmp_path / "empty")
    assert load_served(tmp_path / "empty").tasks == ("sum", "sign", "kind")


def test_nothing_is_left_of_a_training_that_diverges(tmp_path: Path) -> None:
    experiment = make()
    wild = replace(experiment.settings, optimiser="sgd", learning_rate=1e30)
    with (
        np.errstate(all="ignore"),
        pytest.raises(DataError, match=r"group sum\|sign with seed 0 diverged; nothing was saved"),
    ):
        train_for_good(
            Experiment(experiment.data, "linear", {}, wild), MEMBERSHIP, SERVING, 0, tmp_path / "models"
        )
    assert not list(tmp_path.iterdir())


def test_a_task_is_served_by_a_group_that_holds_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'kind' cannot be served"):
        train_for_good(make(), MEMBERSHIP, {"kind": 0}, 0, tmp_path / "models")


def test_damage_is_named(tmp_path: Path) -> None:
    whole = tmp_path / "models"
    train_for_good(make(), MEMBERSHIP, SERVING, 0, whole)

    def damaged(change: dict[str, object] | None = None, weights: bytes | None = None) -> Path:
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        if change is not None:
            told = json.loads((folder / "serving.json").read_text())
            (folder / "serving.json").write_text(json.dumps({**told, **change}))
        if weights is not None:
            (folder / "group_1.safetensors").write_bytes(weights)
        return folder

    told = json.loads((whole / "serving.json").read_text())
    with pytest.raises(DataError, match=r"serving\.json: no such file"):
        load_served(tmp_path)
    with pytest.raises(DataError, match=r"group_1\.safetensors: the file is not the one"):
        load_served(damaged(weights=b"x"))
    with pytest.raises(DataError, match="format version 2"):
        load_served(damaged({"format_version": 2}))
    with pytest.raises(DataError, match="no serving map"):
        load_served(damaged({"tasks": 3}))
    with pytest.raises(DataError, match="weights do not fit"):
        load_served(damaged({"backbone_options": {"hidden": 6, "layers": 1}}))
    for hidden in (10**6, 10**9, 10**30):  # refused without memory for them
        with pytest.raises((DataError, UsageError)) as caught:
            load_served(damaged({"backbone_options": {"hidden": hidden, "layers": 1}}))
        assert "weights do not fit" in str(caught.value) or "cannot be built" in str(caught.value)
    (damaged() / "serving.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"serving\.json: this is not usable JSON"):
        load_served(tmp_path / "damaged")
    outside = [{**told["groups"][0], "file": "../models/group_0.safetensors"}, *told["groups"][1:]]
    with pytest.raises(DataError, match="beside the serving map"):
        load_served(damaged({"groups": outside}))
    moved = {**told["tasks"], "kind": {**told["tasks"]["kind"], "head": 0}}
    with pytest.raises(DataError, match="'kind' is not served by the head"):
        load_served(damaged({"tasks": moved}))


def test_samples_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    train_for_good(make(), MEMBERSHIP, SERVING, 0, tmp_path / "models")
    served = load_served(tmp_path / "models")
    with pytest.raises(UsageError, match=r"shape \(3, 5\) do not fit"):
        served.predict(np.zeros((3, 5)))
    with pytest.raises(UsageError, match="int64 but the networks were trained on float32"):
        served.predict(np.zeros((3, 4), dtype=np.int64))
    with pytest.raises(UsageError, match="'other' is not among those served"):
        served.predict({"other": np.zeros((3, 4))})


def test_tokens_may_come_as_any_integers(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(1, 50, (60, 6))
    data = MultiTaskData(
        (Task("a", "binary"),), (tokens,), ((tokens[:, 0] > 20).astype(float),), random_splits(60)
    )
    options = {"hidden": 8, "layers": 1, "heads": 1, "vocabulary": 50}
    experiment = Experiment(data, "text-encoder", options, TrainingSettings(epochs=1, batch_size=16))
    before = torch.random.get_rng_state()
    train_for_good(experiment, np.array([[True]]), {"a": 0}, 0, tmp_path / "models")
    assert torch.equal(before, torch.random.get_rng_state())
    served = load_served(tmp_path / "models")
    expected = served.predict(tokens[:9])["a"]
    for kind in (np.uint8, np.int32, ">i4"):
        assert np.array_equal(served.predict(tokens[:9].astype(kind))["a"], expected)
