from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import DataError, EngineError, MultiTaskData
from engine.data.readers import read_table, read_table_data

ROWS = 60


def columns() -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    return {
        "size": [round(x, 3) for x in random.normal(50, 9, ROWS)],
        "colour": random.choice(["red", "green", "blue"], ROWS).tolist(),
        "price": [round(x, 3) for x in random.normal(7, 2, ROWS)],
        "sold": random.integers(0, 2, ROWS).tolist(),
        "grade": random.integers(1, 4, ROWS).tolist(),
        "verdict": random.choice(["yes", "no"], ROWS).tolist(),
    }


TARGETS = ("price", "sold", "grade", "verdict")


def write(path: Path, table: dict[str, list[Any]], separator: str = ",") -> Path:
    lines = [
        separator.join(table),
        *(separator.join(map(str, row)) for row in zip(*table.values(), strict=True)),
    ]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read(folder: Path, table: dict[str, list[Any]] | None = None, **options: Any) -> MultiTaskData:
    given = {"targets": TARGETS, **options}
    return read_table_data(write(folder / "t.csv", columns() if table is None else table), **given)


def test_kinds_are_inferred(tmp_path: Path) -> None:
    data = read(tmp_path)
    assert [(task.name, task.kind, task.outputs) for task in data.tasks] == [
        ("price", "regression", 1),
        ("sold", "binary", 1),
        ("grade", "multiclass", 3),
        ("verdict", "binary", 1),
    ]
    assert data.name == "t"
    assert "classes of grade: 1 = 0, 2 = 1, 3 = 2" in data.provenance
    assert "classes of verdict: no = 0, yes = 1" in data.provenance
    table = columns()
    assert data.targets[1].tolist() == table["sold"]
    assert data.targets[2].tolist() == [one - 1 for one in table["grade"]]
    assert data.targets[3].tolist() == [one == "yes" for one in table["verdict"]]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([0, 1], "binary"),
        ([1, 1], "binary"),
        ([-1, 1], "binary"),
        ([0.0, 0.5], "regression"),
        (list(range(10)), "multiclass"),
        (list(range(11)), "regression"),
        (["a", "b"], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([7, 7], "regression"),
        ([0, "", 1], "binary"),
    ],
)
def test_the_rule_of_kinds(tmp_path: Path, cells: list[Any], kind: str) -> None:
    table = columns()
    table["price"] = (cells * ROWS)[:ROWS]
    assert read(tmp_path, table, targets=["price"], seed=1).tasks[0].kind == kind


def test_kinds_can_be_given(tmp_path: Path) -> None:
    data = read(tmp_path, kinds={"grade": "regression", "sold": "multiclass"})
    assert [task.kind for task in data.tasks] == ["regression", "multiclass", "regression", "binary"]


def test_inputs_are_standardised_by_the_training_rows(tmp_path: Path) -> None:
    data = read(tmp_path)
    table, train = columns(), data.rows("train")
    size = np.array(table["size"])
    assert data.inputs[0].dtype == np.float32
    assert data.inputs[0][:, 0] == pytest.approx((size - size[train].mean()) / size[train].std(), abs=1e-5)
    for position, colour in enumerate(["blue", "green", "red"], 1):
        assert data.inputs[0][:, position].tolist() == [one == colour for one in table["colour"]]
    price = np.array(table["price"])
    assert data.targets[0] == pytest.approx((price - price[train].mean()) / price[train].std(), abs=1e-12)


def test_nothing_is_learned_from_the_test_rows(tmp_path: Path) -> None:
    table = columns()
    table["part"] = ["train"] * 30 + ["valid"] * 15 + ["test"] * 15
    before = read(tmp_path, table, split="part")
    for name in ("size", "price"):
        table[name] = table[name][:30] + [1e6] * 30
    after = read(tmp_path, table, split="part")
    assert np.array_equal(before.inputs[0][:30], after.inputs[0][:30])
    assert np.array_equal(before.targets[0][:30], after.targets[0][:30])


@pytest.mark.parametrize("gap", ["", "?", "NA", "nan"])
def test_missing_inputs_are_the_training_mean(tmp_path: Path, gap: str) -> None:
    table = columns()
    table["size"][3], table["colour"][4] = gap, gap
    data = read(tmp_path, table)
    assert data.inputs[0][3, 0] == pytest.approx(0, abs=1e-6)
    assert data.inputs[0][4, 1:].tolist() == [0, 0, 0]
    assert "replaced by the mean of the training rows: size (1)" in data.provenance


def test_labels_may_be_missing(tmp_path: Path) -> None:
    table = columns()
    for name in TARGETS:
        table[name][7] = ""
    data = read(tmp_path, table)
    assert all(np.isnan(target[7]) and np.isnan(target).sum() == 1 for target in data.targets)
    assert [task.kind for task in data.tasks] == ["regression", "binary", "multiclass", "binary"]


def test_numbers_can_be_names(tmp_path: Path) -> None:
    table = columns()
    table["shop"] = [12, 7, 9] * 20
    assert read(tmp_path, table, inputs=["shop"]).input_shape == (1,)
    data = read(tmp_path, table, inputs=["shop"], categorical=["shop"])
    assert data.inputs[0][:3].tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_a_column_can_give_the_split(tmp_path: Path) -> None:
    table = columns()
    table["part"] = ["train", "dev", "test", "train", "", "train"] * 10
    data = read(tmp_path, table, split="part")
    assert data.rows("valid").tolist() == list(range(1, 60, 6))
    assert 4 not in np.concatenate([data.rows(name) for name in ("train", "valid", "test")])
    assert data.input_shape == (4,)


def test_splits_in_time(tmp_path: Path) -> None:
    temporal = read(tmp_path, split="temporal")
    assert [temporal.rows(name).tolist() for name in ("train", "valid", "test")] == [
        list(range(36)),
        list(range(36, 48)),
        list(range(48, 60)),
    ]
    blocked = read(tmp_path, split="blocked", block=6)
    part = {int(row): name for name in ("train", "valid", "test") for row in blocked.rows(name)}
    assert sorted(part) == list(range(ROWS))
    assert all(part[row] == part[row - row % 6] for row in range(ROWS))


def test_a_random_split_that_leaves_a_class_out_is_stratified(tmp_path: Path) -> None:
    table = columns()
    table["sold"] = [1, 1, 1] + [0] * (ROWS - 3)
    told = []
    for seed in range(5):
        data = read(tmp_path, table, seed=seed)
        assert all(data.targets[1][data.rows(name)].any() for name in ("train", "valid", "test"))
        told.append("stratified" in data.provenance)
    assert set(told) == {False, True}
    assert "stratified" not in read(tmp_path).provenance


def test_tasks_with_samples_of_their_own(tmp_path: Path) -> None:
    table = {"shop": ["b"] * 20 + ["a"] * 40, **columns()}
    data = read(tmp_path, table, targets=["price"], task_column="shop", inputs=["size"])
    assert data.task_names == ("b", "a")
    assert not data.shared
    assert [len(one) for one in data.inputs] == [20, 40]
    size, price = np.array(table["size"]), np.array(table["price"])
    train = np.concatenate([data.rows("train", 0), data.rows("train", 1) + 20])
    expected = (size - size[train].mean()) / size[train].std()
    assert np.concatenate(data.inputs)[:, 0] == pytest.approx(expected, abs=1e-5)
    own = price[20:][data.rows("train", 1)]
    assert data.targets[1] == pytest.approx((price[20:] - own.mean()) / own.std())


def test_kinds_of_tasks_with_samples_of_their_own(tmp_path: Path) -> None:
    table = {"shop": ["b"] * 20 + ["a"] * 40, **columns()}
    data = read(tmp_path, table, targets=["grade"], task_column="shop", kinds={"a": "regression"})
    assert [task.kind for task in data.tasks] == ["multiclass", "regression"]
    data = read(tmp_path, table, targets=["grade"], task_column="shop", kinds={"grade": "regression"})
    assert [task.kind for task in data.tasks] == ["regression", "regression"]


@pytest.mark.parametrize("name", ["t.tsv", "t.csv.gz", "t.tsv.gz", "t.parquet"])
def test_every_kind_of_file_gives_the_same(tmp_path: Path, name: str) -> None:
    table = columns()
    table["size"][3] = ""
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        table["size"] = [None if one == "" else one for one in table["size"]]
        path = tmp_path / name
        parquet.write_table(pyarrow.table(table), path)
        table["size"] = ["" if one is None else one for one in table["size"]]
    else:
        path = write(tmp_path / name, table, "\t" if ".tsv" in name else ",")
    assert read_table_data(path, TARGETS).digest == read(tmp_path, table).digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": []}, "Name the columns that are the tasks"),
        ({"targets": ["price", "price"]}, "named twice"),
        ({"targets": ["pric"]}, "column of .*t.csv: 'pric'. Did you mean 'price'"),
        ({"inputs": ["siz"]}, "Did you mean 'size'"),
        ({"inputs": ["price"]}, "'price' cannot be an input"),
        ({"inputs": []}, "no column is left"),
        ({"categorical": ["hue"]}, "column of .*'hue'"),
        ({"split": "randon"}, "column of .*'randon'"),
        ({"split": "colour"}, "t.csv: line 2, column 'colour': the split is"),
        ({"task_column": "colour"}, "one column of labels, not 4"),
        ({"kinds": {"size": "binary"}}, "a kind is given for: 'size'"),
        ({"kinds": {"price": "ordinal"}}, "kind of task 'price'"),
        ({"kinds": {"grade": "binary"}}, "column 'grade': '3' is a third value; a binary task has two"),
        ({"kinds": {"verdict": "regression"}}, "line 2, column 'verdict': '(yes|no)' is not a finite number"),
        ({"split": "blocked", "block": 0}, "t.csv: A block needs"),
        ({"valid": 0.9}, "t.csv: 60 rows cannot be split"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        read(tmp_path, **options)


def test_a_text_among_numbers_is_a_mistake(tmp_path: Path) -> None:
    table = columns()
    table["size"][4] = "12,5".replace(",", ";")
    with pytest.raises(DataError, match=r"t.csv, line 6, column 'size': '12;5' among numbers"):
        read(tmp_path, table)
    assert read(tmp_path, table, categorical=["size"]).input_shape[0] > 40
    table = columns()
    table["price"][9] = "cheap"
    with pytest.raises(DataError, match=r"t.csv, line 11, column 'price': 'cheap' among numbers"):
        read(tmp_path, table)


def test_too_many_texts_are_no_input(tmp_path: Path) -> None:
    table = {name: cells * 2 for name, cells in columns().items()}
    table["colour"] = [f"c{row}" for row in range(2 * ROWS)]
    with pytest.raises(DataError, match="'colour': 120 distinct values are too many"):
        read(tmp_path, table)


def test_columns_without_content_are_refused(tmp_path: Path) -> None:
    table = columns()
    table["size"] = [""] * ROWS
    with pytest.raises(DataError, match="'size': there is no number in the training rows"):
        read(tmp_path, table)
    with pytest.raises(DataError, match="'size': there is no label"):
        read(tmp_path, table, targets=["size"])
    table["colour"][2] = ""
    with pytest.raises(DataError, match="line 4, column 'colour': the name of the task is missing"):
        read(tmp_path, table, targets=["price"], task_column="colour", inputs=["grade"])


def test_a_task_with_too_few_rows_is_named(tmp_path: Path) -> None:
    table = columns()
    table["colour"] = ["red", "red"] + ["blue"] * (ROWS - 2)
    with pytest.raises(DataError, match=r"t\.csv: task 'red': 2 rows cannot be split"):
        read(tmp_path, table, targets=["price"], task_column="colour", inputs=["size"])


MALFORMED = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n \n", "the file is empty"),
    "only a header": (b"a,b\n", "no row below the header"),
    "short line": (b"a,b\n1,2\n3\n", "line 3: 1 cells, but the header has 2 columns"),
    "long line": (b"a,b\n1,2,3\n", "line 2: 3 cells"),
    "open quote": (b'a,b\n"1,2\n3,4\n', "unexpected end of data"),
    "quote in a cell": (b'a,b\n"1"2,3\n', "line 2"),
    "column twice": (b"a,a\n1,2\n", "two columns are named 'a'"),
    "nameless column": (b"a,\n1,2\n", "column 2 has no name"),
    "semicolons": (b"a;b\n1;2\n", "separated by semicolons"),
    "tabs": (b"a\tb\n1\t2\n", "separated by tabs"),
    "not UTF-8": (b"a,b\n\xff,2\n", "not a text file in UTF-8"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "not a text file"),
    "NUL": (b"a,b\n\x00,2\n", "NUL"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_text_is_refused(tmp_path: Path, kind: str) -> None:
    content, message = MALFORMED[kind]
    for name in ("t.csv", "t.csv.gz"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        with pytest.raises(DataError, match=message) as caught:
            read_table(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.arff"])
def test_an_absent_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / name)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", gzip.compress(b"a,b\n1,2\n" * 50, mtime=0)[:-9], b""])
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not a whole gzip file|the file is empty"):
        read_table(path)


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    for name in ("t.xlsx", "t.parquet.gz", "t"):
        with pytest.raises(EngineError, match=r"a table is \.csv"):
            read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [1.0, float("inf")]}, "row 2, column 'a': inf is not finite"),
        ({"a": [[1], [2]]}, "row 1, column 'a': a cell is a number or text"),
        ({"a": []}, "there is no row"),
        ({"": [1]}, "column 1 has no name"),
    ],
)
def test_malformed_parquet_is_refused(tmp_path: Path, table: dict[str, Any], message: str) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(table), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1" + bytes(50)])
def test_what_is_not_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_table(tmp_path / "t.parquet")


def test_parquet_types(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    made = {"flag": [True, None, False], "n": [1, 2, None], "word": ["a", None, "b"], "m": ["1", "2", ""]}
    parquet.write_table(pyarrow.table(made), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.numbers("flag") == pytest.approx([1, np.nan, 0], nan_ok=True)
    assert table.numbers("n") == pytest.approx([1, 2, np.nan], nan_ok=True)
    assert table.column("word").texts == ("a", "", "b")
    assert table.numbers("m") == pytest.approx([1, 2, np.nan], nan_ok=True)
