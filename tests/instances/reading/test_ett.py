from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import DataError, EngineError
from instances.etth1 import ETTh1
from instances.reading.ett import SERIES, read_series
from tests.instances.reading.published_copy import stand_in

STEPS = 400


def series() -> Any:
    random = np.random.default_rng(0)
    return random.normal(5, 2, (STEPS, 3)).cumsum(axis=0)


def make(**options: Any) -> Any:
    given = {"window": 8, "horizon": 3, "step": 2, "block": 40, **options}
    return ETTh1("s", **given).windows(series(), ["a", "b", "c"])


@pytest.mark.parametrize("options", [{}, {"split": "temporal"}, {"step": 1}, {"step": 7, "seed": 3}])
def test_a_window_of_all_series_goes_in_and_a_horizon_of_one_comes_out(options: dict[str, Any]) -> None:
    data, step = make(**options), options.get("step", 2)
    covered = sorted({row * step + k for row in data.rows("train").tolist() for k in range(11)})
    known = series()[covered]
    scaled = (series() - known.mean(axis=0)) / known.std(axis=0)
    assert data.inputs[0].shape == ((STEPS - 11) // step + 1, 8, 3)
    for row in (0, 1, 5, len(data.inputs[0]) - 1):
        start = row * step
        assert data.inputs[0][row] == pytest.approx(scaled[start : start + 8], rel=1e-5)
        for task in range(3):
            assert data.targets[task][row] == pytest.approx(scaled[start + 8 : start + 11, task])


@pytest.mark.parametrize("split", ["blocked", "temporal"])
def test_no_step_of_time_is_in_two_parts(split: str) -> None:
    data = make(split=split)
    steps = [
        {row * 2 + k for row in data.rows(name).tolist() for k in range(11)}
        for name in ("train", "valid", "test")
    ]
    assert len(set.union(*steps)) == sum(map(len, steps))
    if split == "temporal":
        assert max(steps[0]) < min(steps[1]) < max(steps[1]) < min(steps[2])
        assert 195 < max(steps[0]) < 240


def test_inputs_are_a_view_that_torch_takes_as_it_is() -> None:
    torch = pytest.importorskip("torch")
    data = make(step=1)
    inputs = data.inputs[0]
    assert inputs.flags.writeable
    assert inputs.strides[0] == inputs.strides[1] == 3 * 4
    assert inputs.base is not None
    tensor = torch.from_numpy(inputs)
    assert tensor.untyped_storage().nbytes() <= 2 * STEPS * 3 * 4
    assert np.array_equal(tensor.numpy(), inputs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "window must be 1 or more"),
        ({"horizon": 0}, "horizon must be"),
        ({"step": 0}, "step must be"),
        ({"split": "random"}, "split of a series 'random'. Valid: blocked, temporal"),
        ({"window": 398}, "400 steps of time are too few for windows of 401"),
        ({"block": 400}, "cannot be split"),
        ({"block": 1}, "no row is left"),
        ({"step": 390}, "No window that begins at a multiple of 390"),
    ],
)
def test_unusable_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        make(**options)


def table(change: Any = None) -> str:
    lines = [["date", *SERIES]]
    waves = np.sin(np.outer(np.arange(900), np.arange(1, 8))).round(5)
    lines += [[f"day {row}", *map(str, wave)] for row, wave in enumerate(waves.tolist())]
    if change:
        change(lines)
    return "\n".join(",".join(line) for line in lines) + "\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[5].__setitem__(3, "n/a"), "line 6, column 'MUFL': the cell is missing"),
        (lambda lines: lines[5].__setitem__(3, "1;5"), "line 6, column 'MUFL': '1;5' is not a finite number"),
        (lambda lines: lines[0].__setitem__(7, "oil"), "there is no column 'OT'"),
        (lambda lines: lines[8].pop(), "line 9: 7 cells"),
        (lambda lines: lines.clear(), "the file is empty"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "ETTh1.csv"
    path.write_text(table(change), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_series(path)


def test_the_instance_reads_a_file_of_the_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, ETTh1, tmp_path, table().encode())
    data = ETTh1("etth1", tmp_path, block=60).data()
    assert data.task_names == SERIES
    assert data.input_shape == (24, 7)
    assert "blocks of 60 steps" in data.provenance
    assert "temporal" in ETTh1("etth1", tmp_path, split="temporal").data().provenance


def test_options_are_checked_before_anything_is_read() -> None:
    with pytest.raises(EngineError, match="window"):
        ETTh1("etth1", window=0)


@pytest.mark.usefixtures("own_cache")
def test_without_the_file_the_error_says_how_to_get_it() -> None:
    with pytest.raises(DataError, match=r"ett/ETTh1.csv is missing.*zhouhaoyi/ETDataset"):
        ETTh1("etth1").data()


def test_the_published_data(data_dir: Path) -> None:
    data = ETTh1("etth1", data_dir).data()
    assert data.inputs[0].shape == (4348, 24, 7)
    assert {task.outputs for task in data.tasks} == {6}
    parts = [len(data.rows(name)) for name in ("train", "valid", "test")]
    assert parts[0] == pytest.approx(3 * parts[1], rel=0.1)
    assert parts[1] == pytest.approx(parts[2], rel=0.1)


def test_a_series_that_does_not_vary_in_training_is_not_blown_up() -> None:
    values = np.stack([np.full(600, 0.1), np.sin(np.arange(600.0))], axis=1)
    values[540:, 0] = 0.2
    data = ETTh1("two", split="temporal").windows(values, ("still", "wave"))
    np.testing.assert_allclose(data.inputs[0][data.rows("train")][..., 0], 0.0, atol=1e-12)
    assert np.abs(data.inputs[0]).max() < 2
