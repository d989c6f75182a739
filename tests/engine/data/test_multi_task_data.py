from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import DataError, EngineError, MultiTaskData, Task
from engine.data.splits import joined_splits, random_splits


def arguments(**changes: Any) -> dict[str, Any]:
    inputs = np.arange(40.0).reshape(20, 2)
    made: dict[str, Any] = {
        "tasks": (Task("a"), Task("b", "binary")),
        "inputs": (inputs,),
        "targets": (inputs[:, 0], np.arange(20) % 2),
        "splits": random_splits(20),
    }
    return {**made, **changes}


def test_shared_inputs() -> None:
    data = MultiTaskData(**arguments())
    assert (data.n_tasks, data.shared, data.input_shape) == (2, True, (2,))
    assert data.input_of(1) is data.inputs[0]
    assert np.array_equal(data.rows("valid", 1), data.rows("valid", 0))


def test_separate_inputs() -> None:
    data = MultiTaskData(
        (Task("a"), Task("b")),
        (np.zeros((10, 3)), np.ones((20, 3))),
        (np.arange(10), np.arange(20)),
        joined_splits([random_splits(10), random_splits(20)]),
    )
    assert not data.shared
    assert len(data.input_of(1)) == 20
    assert [len(data.rows("train", task)) for task in (0, 1)] == [6, 12]


def test_one_output_in_a_column_is_a_vector() -> None:
    data = MultiTaskData(**arguments(targets=(np.zeros((20, 1)), np.arange(20) % 2)))
    assert data.targets[0].shape == (20,)


def test_a_view_stays_a_view() -> None:
    series = np.zeros(23)
    windows = np.lib.stride_tricks.sliding_window_view(series, 4)
    data = MultiTaskData(**arguments(inputs=(windows,)))
    assert np.shares_memory(data.inputs[0], series)


@pytest.mark.parametrize("change", ["inputs", "targets", "splits", "tasks"])
def test_the_digest_sees_every_part(change: str) -> None:
    given = arguments()
    before = MultiTaskData(**given).digest
    assert MultiTaskData(**arguments()).digest == before
    others = {
        "inputs": (given["inputs"][0] + np.eye(20, 2),),
        "targets": (given["targets"][0], 1 - given["targets"][1]),
        "splits": random_splits(20, seed=1),
        "tasks": (Task("a"), Task("b", "binary", metric="auroc")),
    }
    assert MultiTaskData(**arguments(**{change: others[change]})).digest != before


def test_the_digest_does_not_depend_on_memory_layout() -> None:
    inputs = arguments()["inputs"][0]
    data = MultiTaskData(**arguments(inputs=(np.asfortranarray(inputs),)))
    assert data.digest == MultiTaskData(**arguments()).digest


BAD = np.arange(20.0) % 2
WITHOUT = np.full(20, np.nan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ()}, "at least one task"),
        ({"tasks": (Task("a"), Task("a"))}, "'a' is named twice"),
        ({"inputs": ()}, "one array of inputs, or one per task"),
        ({"targets": (BAD,)}, "2 tasks need as many arrays"),
        ({"inputs": (np.zeros(20),)}, "shape"),
        ({"inputs": (np.zeros((20, 2), dtype=complex),)}, "must be numbers, not complex"),
        ({"inputs": (np.zeros((20, 2), dtype=np.longdouble),)}, "64 bits at most"),
        ({"inputs": (np.zeros((20, 2)), np.zeros((20, 3)))}, "the same for every task"),
        ({"inputs": (np.zeros((20, 2)), np.zeros((20, 2), dtype=np.float32))}, "one type"),
        ({"targets": (BAD, BAD[:5])}, r"'b': targets have shape \(5,\)"),
        ({"targets": (BAD, BAD / 2)}, "Row 2, task 'b': target 0.5 must be a class from 0 to 1"),
        ({"targets": (BAD, BAD - 1)}, "Row 1, task 'b': target -1.0"),
        ({"targets": (np.where(BAD == 1, np.inf, 0), BAD)}, "Row 2, task 'a': target inf"),
        ({"targets": (BAD, WITHOUT)}, "'b' has no label in the split 'train'"),
        ({"splits": {"train": ([0],), "valid": ([1],)}}, "Splits must be train, valid, test"),
        ({"splits": {"train": ([0],), "valid": ([1],), "test": ([],)}}, "at least one row"),
        ({"splits": {"train": ([0],), "valid": ([1],), "test": ([20],)}}, "must lie in 0…19"),
        ({"splits": {"train": ([0],), "valid": ([1],), "test": ([-1],)}}, "must lie in 0…19"),
        ({"splits": {"train": ([0],), "valid": ([1],), "test": ([0],)}}, "share a row"),
        ({"splits": {"train": ([0, 0],), "valid": ([1],), "test": ([2],)}}, "name one twice"),
        ({"splits": {"train": ([0], [0]), "valid": ([1],), "test": ([2],)}}, "'train': give one array"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        MultiTaskData(**arguments(**changes))


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(EngineError, match="Did you mean 'train'"):
        MultiTaskData(**arguments()).rows("trian")


def test_numbers_in_another_order_of_bytes_are_the_same() -> None:
    data = MultiTaskData(**arguments())
    swapped = MultiTaskData(**arguments(inputs=(data.inputs[0].astype(">f8"),)))
    assert swapped.input_dtype.isnative
    assert swapped.digest == data.digest


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_are_finite(value: float) -> None:
    inputs = np.zeros((10, 3))
    inputs[6, 1] = value
    with pytest.raises(DataError, match=f"Row 7 of the inputs of task 'b' holds {value}"):
        MultiTaskData(
            (Task("a"), Task("b")),
            (np.zeros((10, 3)), inputs),
            (np.arange(10), np.arange(10)),
            joined_splits([random_splits(10)] * 2),
        )


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize("metric", ["auroc", "matthews", "f1", "average-precision"])
def test_a_metric_that_one_class_leaves_undefined_is_refused(metric: str, split: str) -> None:
    made = arguments(tasks=(Task("a"), Task("b", "binary", metric=metric)))
    MultiTaskData(**made)
    target = made["targets"][1].astype(float)
    target[made["splits"][split][0]] = 0
    with pytest.raises(DataError, match=f"'b' has one class.* in the split '{split}'.*{metric}"):
        MultiTaskData(**{**made, "targets": (made["targets"][0], target)})
    MultiTaskData(**arguments(targets=(made["targets"][0], target)))


def test_a_metric_needs_a_row_with_all_outputs_of_a_task() -> None:
    made = arguments(tasks=(Task("a", outputs=2), Task("b", "binary")))
    target = made["inputs"][0].copy()
    rows = made["splits"]["test"][0]
    target[rows[::2], 0] = target[rows[1::2], 1] = np.nan
    with pytest.raises(DataError, match="'a' has no row with all its outputs in the split 'test'"):
        MultiTaskData(**{**made, "targets": (target, made["targets"][1])})


def test_a_constant_metric_of_ones_own_is_left_alone() -> None:
    own = Task("b", "binary", metric="numpy:nanmean", direction="higher")
    assert MultiTaskData(**arguments(tasks=(Task("a"), own))).n_tasks == 2
