"""A table as multi-task data: the user's own file with named columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine.data.multi_task_data import MultiTaskData
from engine.data.readers.input_columns import encode_inputs, standardised
from engine.data.readers.table import Table
from engine.data.readers.table_files import read_table
from engine.data.readers.table_splits import STRATEGIES, RowSplitter
from engine.data.readers.targets import Target, read_target
from engine.data.splits import joined_splits
from engine.data.task import TaskKind
from engine.errors import DataError, UsageError, unknown_name

Rows = NDArray[np.int64]


def read_table_data(
    path: Path | str | Table,
    targets: Sequence[str],
    *,
    kinds: Mapping[str, str] | None = None,
    inputs: Sequence[str] | None = None,
    categorical: Collection[str] = (),
    split: str | None = None,
    task_column: str | None = None,
    block: int | None = None,
    valid: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    name: str | None = None,
) -> MultiTaskData:
    """Return a table as multi-task data.

    Inputs and regression targets are standardised by the training rows only; what was done to the
    table is said in the provenance of the data.

    Parameters
    ----------
    path
        A file, see :func:`~engine.data.readers.table_files.read_table`, or what was read from one.
    targets
        The columns that are the tasks; with ``task_column``, the one column of labels.
    kinds
        Binary, multiclass or regression by column (with ``task_column``: by task, or by column for
        all); what is left out is inferred, see :func:`~engine.data.readers.targets.read_target`.
    inputs
        The input columns; None: all that have no other part to play.
    categorical
        Input columns whose numbers are names, not quantities.
    split
        ``"random"`` (the default; where that leaves a class out of a part, stratified instead),
        ``"stratified"``, ``"temporal"``, ``"blocked"`` in time, or the column that says train, valid
        or test.
    task_column
        The column that names the task of each row, for tasks with samples of their own.
    block
        Rows per block, for ``"blocked"``; None: a fiftieth of all.
    valid, test, seed
        As in :func:`~engine.data.splits.random_splits`.
    name
        Of the data; None: that of the file.

    Raises
    ------
    DataError
        If the file is absent or malformed, or does not hold what is asked for; the file, and where
        there is one the line and the column, are named.
    UsageError
        If a column, kind or option is unknown.
    """
    table = path if isinstance(path, Table) else read_table(path)
    label_columns = tuple(targets)
    _check_targets(label_columns, task_column)
    split_column = split if split and split not in STRATEGIES else None
    used = [*label_columns, *filter(None, (split_column, task_column))]
    for column in (*used, *categorical):
        table.column(column)
    chosen = [name for name in table.columns if name not in used] if inputs is None else list(inputs)
    _check_inputs(table, chosen, used)
    splitter = RowSplitter(table, split or "random", block, valid, test, seed)
    if task_column is None:
        tasks = {column: read_target(table, column, _kind(column, kinds)) for column in label_columns}
        _check_kinds(kinds, tasks)
        rows = [np.arange(len(table))]
        splits, note = splitter.split(rows[0], list(tasks.values()))
    else:
        groups = _rows_by_task(table, task_column)
        _check_kinds(kinds, (*groups, label_columns[0]))
        tasks = _targets_by_task(table, label_columns[0], list(groups), kinds)
        rows = list(groups.values())
        apart = [splitter.split(own, [tasks[task]], f"task {task!r:.80}: ") for task, own in groups.items()]
        splits = joined_splits([parts for parts, _ in apart])
        note = next((words for _, words in apart if "stratified" in words), apart[0][1])
    train = np.unique(np.concatenate([own[part] for own, part in zip(rows, splits["train"], strict=True)]))
    encoded, notes = encode_inputs(table, chosen, categorical, train)
    places = [0] * len(tasks) if task_column is None else range(len(tasks))
    values = [
        _scaled(target, rows[place], splits["train"][place])
        for target, place in zip(tasks.values(), places, strict=True)
    ]
    return MultiTaskData(
        tuple(target.task(task) for task, target in tasks.items()),
        (encoded,) if task_column is None else tuple(encoded[own] for own in rows),
        tuple(values),
        splits,
        name=name or table.path.name.partition(".")[0],
        provenance="; ".join((table.path.name, note, *notes, *_notes(tasks))),
    )


def _check_targets(targets: tuple[str, ...], task_column: str | None) -> None:
    if not targets:
        raise UsageError("Name the columns that are the tasks.")
    if len(set(targets)) < len(targets):
        raise UsageError("A target column is named twice.")
    if task_column and len(targets) > 1:
        raise UsageError(
            f"With a task column there is one column of labels, not {len(targets)} ({', '.join(targets)})."
        )


def _check_inputs(table: Table, inputs: Sequence[str], used: Sequence[str]) -> None:
    both = [name for name in inputs if name in used]
    if both:
        raise UsageError(f"Column {both[0]!r} cannot be an input and have another part to play.")
    if not inputs:
        raise DataError(f"{table.path}: no column is left for the inputs.")


def _check_kinds(kinds: Mapping[str, str] | None, tasks: Collection[str]) -> None:
    for task in kinds or {}:
        if task not in tasks:
            raise unknown_name("task that a kind is given for:", task, tasks)


def _kind(name: str, kinds: Mapping[str, str] | None) -> str | None:
    kind = (kinds or {}).get(name)
    if kind is not None and kind not in get_args(TaskKind):
        raise unknown_name(f"kind of task {name!r}:", kind, get_args(TaskKind))
    return kind


def _rows_by_task(table: Table, task_column: str) -> dict[str, Rows]:
    """Return the rows of each task, in the order in which tasks first occur."""
    column = table.column(task_column)
    if column.missing.any():
        row = int(column.missing.argmax())
        raise DataError(f"{table.place(row, task_column)}: the name of the task is missing.")
    names = np.array(column.labels)
    return {task: np.flatnonzero(names == task) for task in dict.fromkeys(column.labels)}


def _targets_by_task(
    table: Table, label: str, tasks: Sequence[str], kinds: Mapping[str, str] | None
) -> dict[str, Target]:
    """Return the targets of every task over all rows, of one kind unless others are given."""
    wanted = {task: _kind(task, kinds) or _kind(label, kinds) for task in tasks}
    read = {kind: read_target(table, label, kind) for kind in dict.fromkeys(wanted.values())}
    return {task: read[kind] for task, kind in wanted.items()}


def _scaled(target: Target, rows: Rows, train: Rows) -> NDArray[np.float64]:
    """Return the labels of some rows, those of a regression standardised by the training rows."""
    values = target.values[rows]
    return standardised(values, train) if target.kind == "regression" else values


def _notes(targets: Mapping[str, Target]) -> list[str]:
    notes = []
    if any(target.kind == "regression" for target in targets.values()):
        notes.append("regression targets standardised by the training rows")
    coded: dict[tuple[str, ...], list[str]] = {}
    for task, target in targets.items():
        if target.classes and target.classes != ("0", "1"):
            coded.setdefault(target.classes, []).append(task)
    for classes, tasks in coded.items():
        listed = ", ".join(f"{text} = {code}" for code, text in enumerate(classes[:20]))
        notes.append(f"classes of {', '.join(tasks[:20])}: {listed}")
    return notes
