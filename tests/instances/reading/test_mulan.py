from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import DataError, load_instance
from instances.wq14 import Wq14
from instances.yeast14 import Yeast14
from tests.instances.reading.published_copy import stand_in


def arff(cls: Any, rows: int = 40) -> list[str]:
    kind = "{0,1}" if cls.kind == "binary" else "numeric"
    lines = ["@relation r", "@attribute x numeric", "@attribute y numeric"]
    lines += [f"@attribute {cls.columns.get(task, task)} {kind}" for task in cls.info.tasks]
    random = np.random.default_rng(0)
    labels = random.integers(0, 2 if cls.kind == "binary" else 6, (rows, 14))
    body = [",".join(map(str, (row, row % 7, *labels[row]))) for row in range(rows)]
    return [*lines, "@data", *body]


@pytest.mark.parametrize("cls", [Yeast14, Wq14])
def test_a_file_of_the_format(cls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, cls, tmp_path, "\n".join(arff(cls)).encode())
    data = cls("made", tmp_path).data()
    assert data.task_names == cls.info.tasks
    assert {task.kind for task in data.tasks} == {cls.kind}
    assert data.inputs[0].shape == (40, 2)
    assert cls("made", tmp_path, seed=1).data().digest != data.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines.pop(10), "line 18: 16 cells, but there are 15"),
        (lambda lines: lines.__setitem__(5, "@attribute other {0,1}"), "there is no column 'Class3'"),
        (lambda lines: lines.__setitem__(20, "1,2"), "line 21: 2 cells"),
        (lambda lines: lines.__setitem__(20, lines[20][:-1] + "2"), "line 21, column 'Class14': '2' is not"),
        (lambda lines: lines.__setitem__(20, "x" + lines[20]), "line 21, column 'x'"),
        (lambda lines: lines.__delitem__(slice(18, None)), "there is no row"),
        (lambda lines: lines.__delitem__(slice(20, None)), "2 rows cannot be split"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    lines = arff(Yeast14)
    change(lines)
    path = tmp_path / "yeast.arff"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        Yeast14("made").read(path)


def test_a_third_label_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wq.arff"
    path.write_text("\n".join(arff(Wq14)), encoding="utf-8")
    monkeypatch.setattr(Wq14, "kind", "binary")
    with pytest.raises(DataError, match="column '25400': '2' is a third value"):
        Wq14("made").read(path)


@pytest.mark.parametrize("name", ["yeast14", "wq14"])
@pytest.mark.usefixtures("own_cache")
def test_without_the_file_the_error_says_how_to_get_it(name: str) -> None:
    with pytest.raises(DataError, match=r"mulan/.*arff is missing.*tsoumakas/mulan"):
        load_instance(name).data()  # type: ignore[attr-defined]


def test_another_file_is_not_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "mulan" / "yeast.arff"
    path.parent.mkdir()
    path.write_text("\n".join(arff(Yeast14)), encoding="utf-8")
    with pytest.raises(DataError, match="not the published file"):
        Yeast14("yeast14", tmp_path).data()


def test_the_published_yeast(data_dir: Path) -> None:
    data = Yeast14("yeast14", data_dir).data()
    assert data.inputs[0].shape == (2417, 103)
    assert [int(target.sum()) for target in data.targets][-2:] == [1799, 34]
    for target in data.targets:
        assert all(target[data.rows(name)].sum() >= 6 for name in ("train", "valid", "test"))


def test_the_published_water_quality(data_dir: Path) -> None:
    data = Wq14("wq14", data_dir).data()
    assert data.inputs[0].shape == (1060, 16)
    train = data.rows("train")
    assert [target[train].std() for target in data.targets] == pytest.approx([1] * 14)
