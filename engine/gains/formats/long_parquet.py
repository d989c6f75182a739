"""The long table as Parquet."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError, MissingDependencyError
from engine.files import read_bytes, write_binary
from engine.gains.formats.foreign import told
from engine.gains.formats.long_table import LongTable, header_quantity
from engine.gains.formats.options import ReadOptions
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor

_KEY = b"task-grouping-engine"


def read(path: Path, options: ReadOptions) -> GainTensor:
    """Read a Parquet file with the columns of the long table.

    What :func:`write` put beside the table (order of the tasks, baseline, source, split) is used where
    the caller leaves it open.

    Parameters
    ----------
    path
        The file.
    options
        What the caller asked for.

    Raises
    ------
    DataError
        If the file is malformed; the message names row and task.
    MissingDependencyError
        If pyarrow is not installed.
    """
    data = read_bytes(path)
    parquet = _pyarrow("pyarrow.parquet", path)
    if not data:
        raise DataError(f"{path}: the file is empty.")
    try:
        arrow = parquet.read_table(io.BytesIO(data))
        columns: dict[str, list[Any]] = {
            name: column.to_pylist() for name, column in zip(arrow.column_names, arrow.columns, strict=True)
        }
        names = list(arrow.column_names)
        stored = json.loads((arrow.schema.metadata or {}).get(_KEY, b"{}"))
    except Exception as error:  # pyarrow raises many types on damaged files
        raise DataError(f"{path}: this is not a readable Parquet file ({told(error)}).") from error
    quantity = header_quantity(str(path), names)
    options, provenance = _completed(options, stored, path)
    table = LongTable(str(path), quantity, options, has_std="std" in names)
    count = len(columns["group"])
    std, cost = (columns.get(name, [None] * count) for name in ("std", "cost"))
    measured = columns.get("measured", [True] * count)
    for row in range(count):
        group, task = columns["group"][row], columns["task"][row]
        place = f"{path}, line {row + 1}"
        for name, text in (("group", group), ("task", task)):
            if not isinstance(text, str):
                raise DataError(f"{place}: the {name} is {text!r:.60}; it must be text.")
        truth = True if measured[row] is None else measured[row]
        if not isinstance(truth, bool):
            raise DataError(f"{place}, task {task!r:.80}: measured is {truth!r:.60}; use true or false.")
        table.add(
            row + 1,
            group.strip(),
            task.strip(),
            _number(columns[quantity][row], f"{place}, task {task!r:.80}: the {quantity}"),
            _number(std[row], f"{place}, task {task!r:.80}: the std", math.nan),
            _number(cost[row], f"{place}, task {task!r:.80}: the cost", 1.0),
            truth,
        )
    return table.build(provenance=provenance)


def write(tensor: GainTensor, path: Path) -> None:
    """Write a Parquet file that holds everything the tensor has.

    Raises
    ------
    DataError
        If the file cannot be written.
    MissingDependencyError
        If pyarrow is not installed.
    """
    pyarrow = _pyarrow("pyarrow", path)
    parquet = _pyarrow("pyarrow.parquet", path)
    labels = np.array([tensor.label(row) for row in range(tensor.n_groups)], dtype=object)
    columns: dict[str, Any] = {
        "group": labels[tensor.entry_rows].tolist(),
        "task": [tensor.tasks[member] for member in tensor.members.tolist()],
        tensor.quantity: tensor.values,
    }
    if tensor.std is not None:
        columns["std"] = tensor.std
    columns["cost"] = tensor.cost[tensor.entry_rows]
    columns["measured"] = tensor.measured[tensor.entry_rows]
    stored = {
        "tasks": tensor.tasks,
        "single_task_baseline": tensor.single_task_baseline,
        "source": tensor.source,
        "split": tensor.split,
        "provenance": tensor.provenance.to_dict(),
    }
    table = pyarrow.table(columns).replace_schema_metadata({_KEY: json.dumps(stored)})
    write_binary(path, lambda stream: parquet.write_table(table, stream))


def _pyarrow(module: str, path: Path) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{path}: Parquet needs pyarrow: pip install 'task-grouping-engine[parquet]'. "
            "Or use .csv or .npz."
        ) from error


def _completed(options: ReadOptions, stored: Any, path: Path) -> tuple[ReadOptions, Provenance]:
    if not isinstance(stored, dict):
        return options, Provenance(path.name)
    tasks = stored.get("tasks")
    if options.tasks is None and isinstance(tasks, list) and all(isinstance(name, str) for name in tasks):
        options = replace(options, tasks=tuple(tasks))
    if stored.get("single_task_baseline") is False:
        options = replace(options, single_task_baseline=False)
    for name in ("source", "split"):
        if stored.get(name) and isinstance(stored[name], str):
            options = replace(options, **{name: stored[name]})
    try:
        provenance = Provenance.from_dict(stored.get("provenance", {}))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return options, provenance or Provenance(path.name)


def _number(value: object, what: str, default: float | None = None) -> float:
    if default is not None and (value is None or (isinstance(value, float) and math.isnan(value))):
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise DataError(f"{what} is {value!r:.60}; it must be a finite number.")
    return float(value)
