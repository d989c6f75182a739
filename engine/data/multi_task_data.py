"""Inputs, targets and splits of many tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.data.metrics import evaluate
from engine.data.task import Task
from engine.errors import DataError, unknown_name

Rows = NDArray[np.int64]
SPLITS = ("train", "valid", "test")
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class MultiTaskData:
    """Data of N tasks that share their inputs, or have each their own.

    Attributes
    ----------
    tasks
        N tasks with distinct names.
    inputs
        One array, shape (n, …), that all tasks share; or N arrays, one per task, of equal shape but for
        their length. Floating point as it is, unsigned bytes scaled to 0…1 by the trainer, other
        integers as tokens. A strided view, as of windows over a series, is kept a view.
    targets
        N arrays, shape (n,) or (n, outputs) for regression with several outputs, float64. NaN: no label.
    splits
        ``train``, ``valid`` and ``test``: row indices; one array where inputs are shared, else N.
    name, provenance
        How the data are called and where they come from.

    Raises
    ------
    DataError
        If shapes, labels or splits do not fit; the task and row are named.
    """

    tasks: tuple[Task, ...]
    inputs: tuple[NDArray[Any], ...]
    targets: tuple[NDArray[np.float64], ...]
    splits: Mapping[str, tuple[Rows, ...]]
    name: str = "data"
    provenance: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        object.__setattr__(self, "inputs", tuple(map(_native, self.inputs)))
        shaped = []
        for values in self.targets:
            target = np.asarray(values, dtype=np.float64)
            shaped.append(target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target)
        object.__setattr__(self, "targets", tuple(shaped))
        rows = {
            name: tuple(np.asarray(own, dtype=np.int64) for own in parts)
            for name, parts in self.splits.items()
        }
        object.__setattr__(self, "splits", rows)
        _check(self)

    @property
    def n_tasks(self) -> int:
        """Number of tasks, N."""
        return len(self.tasks)

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks, in order."""
        return tuple(task.name for task in self.tasks)

    @property
    def shared(self) -> bool:
        """Whether all tasks have the same inputs."""
        return len(self.inputs) == 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs[0].shape[1:])

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """Type of the inputs."""
        return self.inputs[0].dtype

    def input_of(self, task: int) -> NDArray[Any]:
        """Return the inputs of a task, all rows."""
        return self.inputs[0] if self.shared else self.inputs[task]

    def rows(self, split: str, task: int = 0) -> Rows:
        """Return the rows of a split; the same for every task where inputs are shared."""
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        return self.splits[split][0 if self.shared else task]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over tasks, inputs, targets and splits."""
        hashed = hashlib.sha256(repr(self.tasks).encode())
        rows = (own for name in SPLITS for own in self.splits[name])
        for array in (*self.inputs, *self.targets, *rows):
            hashed.update(f"{array.dtype.str}{array.shape}".encode())
            for start in range(0, len(array), _ROWS_AT_ONCE):
                hashed.update(np.ascontiguousarray(array[start : start + _ROWS_AT_ONCE]).view(np.uint8).data)
        return hashed.hexdigest()


def _native(values: ArrayLike) -> NDArray[Any]:
    """Return an array in the byte order of this machine, as arithmetic elsewhere needs it."""
    array = np.asarray(values)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _check(data: MultiTaskData) -> None:
    count = len(data.tasks)
    if not count:
        raise DataError("Data need at least one task.")
    names = [task.name for task in data.tasks]
    if len(set(names)) != count:
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"Task {twice!r} is named twice; task names must differ.")
    if len(data.inputs) not in (1, count):
        raise DataError(f"Give one array of inputs, or one per task ({count}), not {len(data.inputs)}.")
    if len(data.targets) != count:
        raise DataError(f"{count} tasks need as many arrays of targets, not {len(data.targets)}.")
    if any(
        inputs.ndim < 2 or inputs.shape[1:] != data.input_shape or inputs.dtype != data.input_dtype
        for inputs in data.inputs
    ):
        raise DataError(
            "Inputs need shape (rows, …), the same for every task but for the rows, and one type."
        )
    if data.input_dtype.kind not in "fiu":
        raise DataError(f"Inputs must be numbers, not {data.input_dtype}.")
    if data.input_dtype.itemsize > 8:
        raise DataError(f"Inputs must have 64 bits at most, not be {data.input_dtype}.")
    if data.input_dtype.kind == "f":
        _check_finite(data)
    for index, (task, target) in enumerate(zip(data.tasks, data.targets, strict=True)):
        length = len(data.input_of(index))
        shape = (length, task.outputs) if task.kind == "regression" and task.outputs > 1 else (length,)
        if target.shape != shape:
            raise DataError(f"Task {task.name!r}: targets have shape {target.shape} but must have {shape}.")
        _check_labels(task, target)
    _check_splits(data)


def _check_finite(data: MultiTaskData) -> None:
    for index, values in enumerate(data.inputs):
        for start in range(0, len(values), _ROWS_AT_ONCE):
            finite = np.isfinite(values[start : start + _ROWS_AT_ONCE])
            if not finite.all():
                row = start + int(np.argwhere(~finite)[0][0])
                whose = "" if data.shared else f" of task {data.tasks[index].name!r}"
                raise DataError(
                    f"Row {row + 1} of the inputs{whose} holds {values[row][~np.isfinite(values[row])][0]}; "
                    "every input must be a finite number."
                )


def _check_labels(task: Task, target: NDArray[np.float64]) -> None:
    if task.kind == "regression":
        wrong = np.isinf(target)
        wanted = "a finite number, or NaN where there is no label"
    else:
        classes = max(task.outputs, 2)
        known = np.nan_to_num(target, nan=0.0)
        wrong = (known < 0) | (known >= classes) | (known != np.floor(known))
        wanted = f"a class from 0 to {classes - 1}, or NaN where there is no label"
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise DataError(f"Row {row + 1}, task {task.name!r}: target {target[row]} must be {wanted}.")


def _check_splits(data: MultiTaskData) -> None:
    if set(data.splits) != set(SPLITS):
        raise DataError(f"Splits must be {', '.join(SPLITS)}, not {', '.join(data.splits) or 'none'}.")
    for name, rows in data.splits.items():
        if len(rows) != len(data.inputs):
            raise DataError(f"Split {name!r}: give one array of rows per array of inputs.")
    for index, values in enumerate(data.inputs):
        parts = [data.splits[name][index] for name in SPLITS]
        joined = np.concatenate(parts)
        whose = "" if data.shared else f" of task {data.tasks[index].name!r}"
        if any(not len(part) for part in parts):
            raise DataError(f"Every split{whose} needs at least one row.")
        if joined.min() < 0 or joined.max() >= len(values):
            raise DataError(f"Rows of the splits{whose} must lie in 0…{len(values) - 1}.")
        if len(np.unique(joined)) != len(joined):
            raise DataError(f"The splits{whose} share a row, or name one twice.")
    for index in range(len(data.tasks)):
        for name in SPLITS:
            _check_split_labels(data, index, name)


def _check_split_labels(data: MultiTaskData, index: int, split: str) -> None:
    task, targets = data.tasks[index], data.targets[index][data.rows(split, index)]
    if not np.isfinite(targets).any():
        raise DataError(f"Task {task.name!r} has no label in the split {split!r}.")
    if split == "train" or ":" in task.metric:
        return
    known = targets[np.isfinite(targets).reshape(len(targets), -1).all(axis=1)]
    # Any outputs will do: whether a metric is defined is up to the targets.
    if np.isnan(evaluate(task.metric, np.zeros((len(known), task.outputs)), known)):
        lacks = "no row with all its outputs" if not len(known) else "one class, or no variation, only"
        raise DataError(
            f"Task {task.name!r} has {lacks} in the split {split!r}, so that its metric, {task.metric}, is "
            "undefined there. Choose another metric or split."
        )
