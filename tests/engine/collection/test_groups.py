"""Groups told in words."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import DataError, UsageError, parse_groups

TASKS = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("singles", 5),
        ("pairs", 10),
        ("triples", 10),
        ("full", 1),
        ("all", 31),
        ("sizes:2-3", 20),
        ("sizes:4", 5),
        ("a|b|c", 1),
        ("a", 1),
        ("pairs,full,a|b", 11),
        ("pairs, random:7", 17),
        ("all,random:3", 31),
    ],
)
def test_every_part_gives_its_groups_once(text: str, count: int) -> None:
    groups = parse_groups(text, TASKS)
    assert groups.shape == (count, 5)
    assert len({row.tobytes() for row in groups}) == count
    assert groups.any(axis=1).all()


def test_a_file_gives_one_group_per_line(tmp_path: Path) -> None:
    path = tmp_path / "groups.txt"
    path.write_text("a|b\n\nc | d | e\n")
    assert parse_groups(str(path), TASKS).tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "groups.txt"
    path.write_text("a|b\na|x\n")
    with pytest.raises(DataError, match=r"line 2.*'x'"):
        parse_groups(str(path), TASKS)
    path.write_text("\n")
    with pytest.raises(DataError, match="names no group"):
        parse_groups(str(path), TASKS)


@pytest.mark.parametrize(
    "text", ["", "pears", "random:x", "random:0", "sizes:0-2", "sizes:3-2", "sizes:2-9", "a|x", "random:5:9"]
)
def test_what_names_no_group_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_groups(text, TASKS)


def test_too_many_groups_are_not_listed() -> None:
    with pytest.raises(UsageError, match="too many"):
        parse_groups("sizes:20", [str(one) for one in range(40)])
    with pytest.raises(UsageError, match="too many"):
        parse_groups("all", [str(one) for one in range(40)])


@given(n_tasks=st.integers(2, 30), number=st.integers(1, 60), seed=st.integers(0, 5), sizes=st.data())
def test_random_groups_are_distinct_and_cover_evenly(
    n_tasks: int, number: int, seed: int, sizes: st.DataObject
) -> None:
    low = sizes.draw(st.integers(1, n_tasks))
    high = sizes.draw(st.integers(low, n_tasks))
    tasks = [f"t{one}" for one in range(n_tasks)]
    groups = parse_groups(f"random:{number}:{low}-{high}", tasks, seed=seed)
    possible = sum(comb(n_tasks, size) for size in range(low, high + 1))
    assert len(groups) <= min(number, possible)
    if possible >= 10 * number:
        assert len(groups) == number
        held = groups.sum(axis=0)
        assert held.max() - held.min() <= 2 + number // 10
    assert len({row.tobytes() for row in groups}) == len(groups)
    assert np.isin(groups.sum(axis=1), range(low, high + 1)).all()
    assert np.array_equal(groups, parse_groups(f"random:{number}:{low}-{high}", tasks, seed=seed))
