from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import DataError
from instances.school139 import School139

HEADER = ["Year", "School", "FSM", "VR_Band", "Gender", "VR_BAND_Student"]
HEADER += ["Ethnicity", "School_Gender", "School_Denomination", "ExamScore"]


def lines(pupils: tuple[int, ...] = (22, 9)) -> list[list[str]]:
    random = np.random.default_rng(0)
    made = [HEADER]
    for school, count in enumerate(pupils, 1):
        for _ in range(count):
            year, gender, band, origin = (random.integers(1, high + 1) for high in (3, 2, 3, 4))
            score = random.integers(1, 60)
            cells = [year, school, 20 + school, 15, gender, band, origin, 1 + school % 2, 1, score]
            made.append([str(cell) for cell in cells])
    return made


def write(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / "School_Data.csv"
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    return path


def test_each_school_has_pupils_of_its_own(tmp_path: Path) -> None:
    rows = lines()
    data = School139("school").read(write(tmp_path, rows))
    assert data.task_names == ("school_1", "school_2")
    assert [len(one) for one in data.inputs] == [22, 9]
    levels = [len({row[at] for row in rows[1:]}) for at in (0, 4, 5, 6, 7, 8)]
    assert data.input_shape == (sum(levels) + 2,)
    assert [len(data.rows(name, 1)) for name in ("train", "valid", "test")] == [5, 2, 2]
    score = np.array([float(row[9]) for row in rows[23:]])
    train = score[data.rows("train", 1)]
    assert data.targets[1] == pytest.approx((score - train.mean()) / train.std())


def test_the_smallest_school_that_can_be_split(tmp_path: Path) -> None:
    data = School139("school").read(write(tmp_path, lines((20, 3))))
    assert [len(data.rows(name, 1)) for name in ("train", "valid", "test")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[0].__setitem__(9, "Score"), "there is no column 'ExamScore'"),
        (lambda rows: rows[4].__setitem__(9, "A+"), "line 5, column 'ExamScore': 'A\\+' is not a finite"),
        (lambda rows: rows[4].__setitem__(2, "many"), "line 5, column 'FSM': 'many' among numbers"),
        (lambda rows: rows[4].__setitem__(1, ""), "line 5, column 'School': the name of the task is missing"),
        (lambda rows: rows[4].pop(), "line 5: 9 cells"),
        (lambda rows: rows.__delitem__(slice(25, None)), "task '2': 2 rows cannot be split"),
        (lambda rows: rows.__delitem__(slice(1, None)), "no row below the header"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    rows = [list(row) for row in lines()]
    change(rows)
    with pytest.raises(DataError, match=message):
        School139("school").read(write(tmp_path, rows))


@pytest.mark.usefixtures("own_cache")
def test_without_the_file_the_error_says_how_to_get_it() -> None:
    with pytest.raises(DataError, match=r"tabular/School_Data.csv is missing.*AfiyaAyman"):
        School139("school139").data()


def test_the_published_data(data_dir: Path) -> None:
    data = School139("school139", data_dir).data()
    assert data.task_names == School139.info.tasks
    assert sum(len(one) for one in data.inputs) == 15362
    assert data.input_shape == (28,)
    assert min(len(data.rows(name, task)) for name in data.splits for task in range(139)) == 4
