from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainTensor, read_gains
from engine.files import read_text
from engine.gains.formats import figures
from engine.gains.formats.figures import finite, read_matrix
from engine.gains.formats.options import ReadOptions

X = "1 0\n0 1\n1 1\n"
Y = "0 0\n0 0\n.1 -.2\n"


def read(folder: Path, x: str, y: str, **options: object) -> GainTensor:
    (folder / "x").write_text(x, encoding="utf-8")
    (folder / "y").write_text(y, encoding="utf-8")
    return read_gains((folder / "x", folder / "y"), ReadOptions(**options))


def refusal(folder: Path, x: str, y: str, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, x, y, **options)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "change", [("", ""), (" ", ","), (" ", "\t"), ("\n", "\r\n"), ("\n", "\n\n"), (" ", " , ")]
)
def test_spaces_commas_and_line_ends_are_all_the_same(tmp_path: Path, change: tuple[str, str]) -> None:
    tensor = read(tmp_path, X.replace(*change) if change[0] else X, Y)
    assert tensor.tasks == ("t0", "t1")
    assert tensor.gains[2].tolist() == [0.1, -0.2]


def test_the_errors_name_file_line_and_task(tmp_path: Path) -> None:
    assert refusal(tmp_path, X.replace("0 1", "0 2"), Y).startswith(
        "x, line 2, task 't1': membership must be 0 or 1, not 2"
    )
    assert refusal(tmp_path, X, "0 0\n\n0.5 0\n.1 .1\n").startswith(
        "y, line 3, task 't0': gain outside the group"
    )
    assert refusal(tmp_path, X, Y + "1 1\n").startswith("y has 4 rows but x has 3")
    assert refusal(tmp_path, X, "0 0\n0 0 0\n0 0\n").startswith("y, line 2: 3 numbers, but line 1 has 2")
    assert refusal(tmp_path, X, Y.replace("-.2", "nan")).startswith(
        "y, line 3, column 2: 'nan' is not a finite"
    )
    assert refusal(tmp_path, X + "0 0\n", Y + "0 0\n").startswith("x, line 4: the group is empty")
    assert refusal(tmp_path, X + "1 1\n", Y + "0 0\n").startswith(
        "x, lines 3 and 4: the same group stands twice"
    )
    assert refusal(tmp_path, "a b\n" + X, Y).startswith(
        "x, line 1, column 1: 'a' is not a finite number. The file must"
    )
    assert refusal(tmp_path, X, Y.replace("0 0\n0", "0 0\n0", 1).replace("0 0", ".3 0", 1)).startswith(
        "y, line 1, task 't0': a single-task group has gain 0.3"
    )
    assert refusal(tmp_path, X, Y, tasks=["a"]).startswith("x has 2 columns, but 1 task names are given")
    assert refusal(tmp_path, "1 0\n", "0 0\n").endswith("or leave the task out.")


def test_duplicates_are_merged_on_request(tmp_path: Path) -> None:
    tensor = read(tmp_path, "1 1\n" + X, ".3 .2\n" + Y, merge_duplicates=True)
    assert tensor.n_groups == 3
    assert tensor.gains[0] == pytest.approx([0.2, 0.0])


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity", "1_0", "0x1", "1e999", "１", "true", "1d3", ""])
def test_the_quick_path_accepts_nothing_that_the_careful_one_refuses(cell: str) -> None:
    assert finite(cell) is None
    with pytest.raises(DataError):
        read_matrix(Path("x"), f"0.5,{cell}\n")


def test_a_file_with_a_comma_in_its_name_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a,b.csv"
    path.write_text("group,task,gain\na,a,0\n")
    assert read_gains(str(path)).tasks == ("a",)


def test_the_files_of_mimic27_take_the_quick_path(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "finite", None)  # looks at one cell after the other
    for name in ("mimic_x.csv", "mimic_y_valid.csv", "mimic_y_test.csv"):
        path = data_dir / "mtgnet" / "mimic27" / name
        matrix, _ = read_matrix(path, read_text(path))
        assert matrix.shape == (3185, 27)
        assert np.array_equal(matrix, np.loadtxt(path))
