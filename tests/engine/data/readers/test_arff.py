from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import DataError
from engine.data.readers import Table, read_table, read_table_data

HEADER = """% a comment
@RELATION 'the data: -C 2'

@attribute 'first size' NUMERIC
@ATTRIBUTE "it's" real
@attribute colour {red, 'dark blue',"green"}
@attribute words string
@attribute label {0,1}
"""


def read(folder: Path, rows: str, header: str = HEADER) -> Table:
    path = folder / "t.arff"
    path.write_text(f"{header}@DATA\n{rows}", encoding="utf-8")
    return read_table(path)


def test_dense_rows(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "1.5, -2e3, red, 'a, b', 1\n"
        "% between\n\n"
        '?,0,\'dark blue\',"it\\\'s 50\\\\% \\"off\\"",?\n'
        "  3 , 4 , ? , plain , 0\n",
    )
    assert list(table.columns) == ["first size", "it's", "colour", "words", "label"]
    assert table.numbers("first size") == pytest.approx([1.5, np.nan, 3], nan_ok=True)
    assert table.numbers("it's").tolist() == [-2000, 0, 4]
    assert table.column("colour").texts == ("red", "dark blue", "")
    assert table.column("colour").levels == ("red", "dark blue", "green")
    assert table.column("colour").codes.tolist() == [0, 1, -1]
    assert table.column("words").texts == ("a, b", 'it\'s 50\\% "off"', "plain")
    assert table.numbers("label") == pytest.approx([1, np.nan, 0], nan_ok=True)
    assert table.lines.tolist() == [10, 13, 14]


def test_sparse_rows(tmp_path: Path) -> None:
    table = read(tmp_path, "{0 7, 2 'dark blue', 3 'x, y', 4 1}\n{}\n{ 1 ? , 4 ? }\n")
    assert table.numbers("first size").tolist() == [7, 0, 0]
    assert table.numbers("it's") == pytest.approx([0, 0, np.nan], nan_ok=True)
    assert table.column("colour").texts == ("dark blue", "red", "red")
    assert table.column("words").texts == ("x, y", "", "")
    assert table.numbers("label") == pytest.approx([1, 0, np.nan], nan_ok=True)


def test_a_level_called_none_is_a_level(tmp_path: Path) -> None:
    table = read(tmp_path, "none\nna\n?\n", "@relation r\n@attribute a {none, na}\n")
    assert table.column("a").texts == ("none", "na", "")


def test_dates_and_windows_line_ends(tmp_path: Path) -> None:
    header = "@relation r\r\n@attribute a date 'yyyy-MM-dd'\r\n@attribute b integer\r\n"
    table = read(tmp_path, "2020-01-02,5\r\n", header)
    assert table.column("a").texts == ("2020-01-02",)
    assert table.numbers("b").tolist() == [5]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,2,red,x\n", "line 10: 4 cells, but there are 5 attributes"),
        ("1,2,red,x,1,1\n", "line 10: 6 cells"),
        ("1,2,pink,x,1\n", "line 10, column 'colour': 'pink' is not one of red, dark blue, green"),
        ("1,2,red,x,1\n1,two,red,x,1\n", "line 11, column \"it's\": 'two' is not a number"),
        ("inf,2,red,x,1\n", "line 10, column 'first size': 'inf' is not a number"),
        ("1,,red,x,1\n", "line 10, column \"it's\": '' is not a number"),
        ("1,2,red,'x,1\n", "line 10: a quote is not closed"),
        ("1,2,red,x'y,1\n", "line 10: a quote is not closed, or stands inside"),
        ("{0 1\n", "line 10: the sparse row does not end"),
        ("{5 1}\n", "line 10: an entry is 'INDEX VALUE' with an index from 0 to 4"),
        ("{0}\n", "line 10: an entry is"),
        ("{x 1}\n", "line 10: an entry is"),
        ("", "there is no row"),
    ],
)
def test_malformed_rows_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line @data"),
        ("@relation r\n@attribute a numeric\n1\n", "line 3: expected @relation, @attribute or @data"),
        ("@relation r\n@data\n1\n", "line 3: 1 cells, but there are 0 attributes"),
        ("@relation r\n@data\n", "there is no @attribute"),
        ("@attribute a\n@data\n1\n", "line 1: an attribute is"),
        ("@attribute a relational\n@data\n1\n", "line 1: attribute 'a' has the type 'relational'"),
        ("@attribute a {x,y\n@data\nx\n", "line 1: the levels of 'a' do not end"),
        ("@attribute a real\n@attribute a real\n@data\n1,2\n", "two columns are named 'a'"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.arff"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_table(path)


def test_it_is_read_as_scipy_reads_it(data_dir: Path) -> None:
    arff = pytest.importorskip("scipy.io.arff")
    path = data_dir / "mulan" / "wq.arff"
    expected, meta = arff.loadarff(str(path))
    table = read_table(path)
    assert list(table.columns) == meta.names()
    for name in meta.names():
        assert np.array_equal(table.numbers(name), expected[name].astype(float))


def test_six_targets_of_atp1d(data_dir: Path) -> None:
    table = read_table(data_dir / "mulan" / "atp1d.arff")
    targets = [name for name in table.columns if name.startswith("LBL+")]
    data = read_table_data(table, targets)
    assert (data.n_tasks, data.inputs[0].shape) == (6, (337, 411))
    assert {task.kind for task in data.tasks} == {"regression"}
