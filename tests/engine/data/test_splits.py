from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DataError
from engine.data.splits import (
    Splits,
    blocked_splits,
    given_splits,
    joined_splits,
    random_splits,
    stratified_splits,
    temporal_splits,
)

LIGHT = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def owners(splits: Splits, count: int) -> list[str]:
    """The part of every row, empty where it is in none; fails where it is in two."""
    found = [""] * count
    for name, (rows,) in splits.items():
        assert list(rows) == sorted(rows)
        for row in rows:
            assert not found[row]
            found[row] = name
    return found


@LIGHT
@given(st.integers(3, 300), st.integers(0, 1000))
def test_a_random_split_is_a_partition_of_the_asked_sizes(count: int, seed: int) -> None:
    splits = random_splits(count, seed=seed)
    assert all(owners(splits, count))
    assert all(len(splits[name][0]) for name in splits)
    assert abs(len(splits["test"][0]) - 0.2 * count) <= 1
    assert abs(len(splits["valid"][0]) - 0.2 * count) <= 1.5


def test_a_split_is_drawn_by_its_seed() -> None:
    def first(seed: int) -> list[int]:
        return [int(row) for row in random_splits(50, seed=seed)["train"][0]]

    assert first(1) == first(1)
    assert first(1) != first(2)


@LIGHT
@given(st.integers(30, 400), st.integers(1, 40), st.integers(1, 30), st.integers(0, 100))
def test_no_step_of_time_is_in_two_parts_of_a_blocked_split(
    count: int, block: int, span: int, seed: int
) -> None:
    try:
        splits = blocked_splits(count, block=block, span=span, seed=seed)
    except DataError:
        return
    parts = owners(splits, count)
    steps: dict[int, str] = {}
    for row, part in enumerate(parts):
        for step in range(row, row + span) if part else ():
            assert steps.setdefault(step, part) == part
    for row, part in enumerate(parts):
        if not part:  # it is left out for a reason: its span touches a block of another part
            blocks = {step // block for step in range(row, min(row + span, count))}
            assert len(blocks) > 1


def test_blocks_are_drawn_as_a_whole() -> None:
    parts = owners(blocked_splits(1000, block=100, span=1), 1000)
    assert all(len(set(parts[start : start + 100])) == 1 for start in range(0, 1000, 100))
    assert [parts.count(name) for name in ("train", "valid", "test")] == [600, 200, 200]


def test_windows_within_a_block_of_two_of_the_same_part_are_kept() -> None:
    parts = owners(blocked_splits(40, block=10, span=4, valid=0.25, test=0.25, seed=0), 40)
    kinds = [next(filter(None, parts[start : start + 10])) for start in range(0, 40, 10)]
    for row, part in enumerate(parts[:37]):
        crosses = kinds[row // 10] != kinds[min(row + 3, 39) // 10]
        assert bool(part) != crosses
    assert all(parts[37:])


@pytest.mark.parametrize("span", [1, 7])
def test_a_temporal_split_is_ordered_and_has_gaps(span: int) -> None:
    splits = temporal_splits(100, span=span)
    train, valid, test = (splits[name][0] for name in ("train", "valid", "test"))
    assert (train[0], train[-1]) == (0, 60 - span)
    assert (valid[0], valid[-1]) == (60, 80 - span)
    assert (test[0], test[-1]) == (80, 99)


@pytest.mark.parametrize("seed", range(5))
def test_a_stratified_split_spreads_rare_labels(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = (random.random((300, 8)) < [0.5, 0.3, 0.1, 0.05, 0.03, 0.02, 0.9, 0.98]).astype(float)
    labels[:5, 4] = 1  # so that no class is too rare to be spread
    labels[5:10, 5] = 1
    labels[10:15, 7] = 0
    labels[random.random((300, 8)) < 0.05] = np.nan
    splits = stratified_splits(labels, seed=seed)
    assert all(owners(splits, 300))
    assert [len(splits[name][0]) for name in ("train", "valid", "test")] == pytest.approx(
        [180, 60, 60], abs=4
    )
    for task in range(8):
        for one in (0.0, 1.0):
            total = (labels[:, task] == one).sum()
            for name, share in (("train", 0.6), ("valid", 0.2), ("test", 0.2)):
                held = (labels[splits[name][0], task] == one).sum()
                assert held >= 1
                assert held == pytest.approx(share * total, abs=max(2.5, 0.15 * total))


def test_stratification_beats_a_random_draw() -> None:
    labels = np.zeros((200, 1))
    labels[:5] = 1

    def everywhere(splits: Splits) -> bool:
        return all(labels[rows].any() for (rows,) in splits.values())

    assert all(everywhere(stratified_splits(labels, seed=seed)) for seed in range(20))
    assert not all(everywhere(random_splits(200, seed=seed)) for seed in range(20))


def test_stratification_without_labels_is_a_partition() -> None:
    splits = stratified_splits(np.full((50, 2), np.nan))
    assert all(owners(splits, 50))
    assert len(splits["train"][0]) == 30


def test_a_given_split_knows_the_usual_names_and_leaves_rows_out() -> None:
    splits = given_splits(["train", "Validation", " test ", "", "dev", "training"])
    assert {name: rows.tolist() for name, (rows,) in splits.items()} == {
        "train": [0, 5],
        "valid": [1, 4],
        "test": [2],
    }


def test_splits_of_separate_tasks_are_joined() -> None:
    joined = joined_splits([random_splits(10), random_splits(20)])
    assert [len(rows) for rows in joined["train"]] == [6, 12]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: random_splits(2), "2 rows cannot be split"),
        (lambda: random_splits(100, valid=0), "cannot be split"),
        (lambda: random_splits(100, valid=0.5, test=0.5), "cannot be split"),
        (lambda: temporal_splits(100, span=30), "no row is left for valid"),
        (lambda: temporal_splits(100, span=0), "at least one step"),
        (lambda: blocked_splits(100, block=0), "at least one row"),
        (lambda: blocked_splits(100, block=50), "cannot be split"),
        (lambda: blocked_splits(100, block=10, span=50), "no row is left"),
        (lambda: given_splits(["train", "tset"]), "Row 2: the split is 'tset'"),
        (lambda: given_splits(["train", "valid"]), "no row is left for test"),
        (lambda: stratified_splits(np.zeros((2, 1))), "2 rows cannot be split"),
    ],
)
def test_what_cannot_be_split_is_refused(make: Callable[[], Splits], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make()
