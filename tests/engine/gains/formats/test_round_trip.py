from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    Affinity,
    DataError,
    GainTensor,
    Provenance,
    UsageError,
    read_affinity,
    read_gains,
    write_affinity,
    write_gains,
)
from engine.gains.formats.options import ReadOptions
from tests.strategies import NAMES, tensors


def same_numbers(one: GainTensor, other: GainTensor) -> bool:
    return one.digest == other.digest and one.single_task_baseline == other.single_task_baseline


def same(one: GainTensor, other: GainTensor) -> bool:
    words = ("source", "split", "provenance")
    return same_numbers(one, other) and all(getattr(one, word) == getattr(other, word) for word in words)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
@settings(max_examples=60, deadline=None)
@given(tensor=tensors())
def test_npz_and_parquet_return_the_same_tensor(suffix: str, tensor: GainTensor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"gains{suffix}"
        write_gains(tensor, path)
        read = read_gains(path)
    if not tensor.provenance:
        read = replace(read, provenance=Provenance())
    assert same(tensor, read)


@settings(max_examples=150, deadline=None)
@given(tensor=tensors())
def test_csv_returns_the_same_numbers_for_the_same_task_order(tensor: GainTensor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gains.csv"
        write_gains(tensor, path)
        read = read_gains(
            path, ReadOptions(tasks=tensor.tasks, single_task_baseline=tensor.single_task_baseline)
        )
        free = read_gains(path, ReadOptions(single_task_baseline=tensor.single_task_baseline))
    assert same_numbers(tensor, read)
    assert set(free.tasks) == set(tensor.tasks)
    assert [set(free.group(row)) for row in range(free.n_groups)] == [
        set(tensor.group(row)) for row in range(tensor.n_groups)
    ]


@settings(max_examples=60, deadline=None)
@given(tensor=tensors(plain=True))
def test_a_text_pair_returns_membership_and_gains(tensor: GainTensor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = (Path(folder) / "x.txt", Path(folder) / "y.txt")
        write_gains(tensor, pair)
        options = ReadOptions(tasks=tensor.tasks, single_task_baseline=tensor.single_task_baseline)
        read = read_gains(pair, options)
        as_text = read_gains(f"{pair[0]},{pair[1]}", options)
    assert same_numbers(tensor, read)
    assert same_numbers(read, as_text)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=5, unique=True), data=st.data())
def test_an_affinity_returns_the_same_in_both_directions(names: list[str], data: st.DataObject) -> None:
    count = len(names)
    cells = data.draw(st.lists(st.floats(-1e15, 1e15), min_size=count**2, max_size=count**2))
    affinity = Affinity(tuple(names), np.array(cells).reshape(count, count))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "affinity.json"
        for outer in ("source", "recipient"):
            write_affinity(affinity, path, outer=outer)
            read = read_affinity(path, outer=outer)
            assert read.tasks == affinity.tasks
            assert np.array_equal(read.matrix, affinity.matrix)


def test_a_text_pair_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    plain = GainTensor.from_groups([{"a": 0.0}, {"a": 0.1, "b": 0.2}])
    pair = (tmp_path / "x.txt", tmp_path / "y.txt")
    for extra, word in (
        ({"quantity": "loss"}, "losses"),
        ({"cost": [0.5, 1]}, "costs"),
        ({"std": [0.1, 0.1, 0.1]}, "standard errors"),
        ({"measured": [True, False]}, "predicted rows"),
    ):
        with pytest.raises(DataError, match=word):
            write_gains(replace(plain, **extra), pair)
    assert not list(tmp_path.iterdir())


def test_writing_to_an_unknown_kind_of_file_is_a_usage_error(tmp_path: Path) -> None:
    tensor = GainTensor.from_groups([{"a": 0.0}])
    for name in ("gains.json", "gains.xlsx", "gains"):
        with pytest.raises(UsageError, match=r"\.csv"):
            write_gains(tensor, tmp_path / name)


def test_writing_leaves_nothing_behind_when_the_folder_is_missing(tmp_path: Path) -> None:
    tensor = GainTensor.from_groups([{"a": 0.0}])
    for name in ("gains.csv", "gains.npz", "gains.parquet"):
        with pytest.raises(DataError, match="cannot be written"):
            write_gains(tensor, tmp_path / "absent" / name)
    assert not list(tmp_path.iterdir())


def test_stored_words_win_over_the_callers_defaults_and_the_caller_may_relax_the_baseline(
    tmp_path: Path,
) -> None:
    tensor = GainTensor.from_groups([{"a": 0.1}], single_task_baseline=False, source="hoa", split="valid")
    for name in ("gains.npz", "gains.parquet"):
        write_gains(tensor, tmp_path / name)
        read = read_gains(tmp_path / name, ReadOptions(split="test"))
        assert (read.source, read.split, read.single_task_baseline) == ("hoa", "valid", False)
    write_gains(tensor, tmp_path / "gains.csv")
    with pytest.raises(DataError, match="--baseline other"):
        read_gains(tmp_path / "gains.csv")
    assert not read_gains(
        tmp_path / "gains.csv", ReadOptions(single_task_baseline=False)
    ).single_task_baseline
