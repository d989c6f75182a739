"""Tables as Parquet."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.readers.table import Table, TableColumn, check_names, make_column
from engine.errors import DataError, MissingDependencyError
from engine.files import read_bytes
from engine.gains.formats.foreign import told


def read(path: Path) -> Table:
    """Read a file; numbers and truth values are numbers, categories, texts and dates texts.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    DataError
        If it is absent or malformed, or a column holds anything else.
    MissingDependencyError
        If pyarrow is not installed.
    """
    data = read_bytes(path)
    try:
        parquet = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{path}: Parquet needs pyarrow: pip install 'task-grouping-engine[parquet]'. Or use .csv."
        ) from error
    try:
        arrow = parquet.read_table(io.BytesIO(data))
        names = [str(name) for name in arrow.column_names]
        values = [column.to_pylist() for column in arrow.columns]
    except Exception as error:  # pyarrow raises many types on damaged files
        raise DataError(f"{path}: this is not a readable Parquet file ({told(error)}).") from error
    check_names(path, names)
    if not names or not len(values[0]):
        raise DataError(f"{path}: there is no row.")
    columns = {name: _column(path, name, cells) for name, cells in zip(names, values, strict=True)}
    return Table(path, columns, np.arange(1, len(values[0]) + 1), "row")


def _column(path: Path, name: str, cells: list[Any]) -> TableColumn:
    if all(cell is None or isinstance(cell, (bool, int, float)) for cell in cells):
        numbers = np.array([np.nan if cell is None else float(cell) for cell in cells])
        if np.isinf(numbers).any():
            row = int(np.isinf(numbers).argmax())
            raise DataError(f"{path}, row {row + 1}, column {name!r:.80}: {cells[row]} is not finite.")
        return TableColumn(name, numbers)
    for row, cell in enumerate(cells):
        if isinstance(cell, (list, dict, bytes)):
            raise DataError(
                f"{path}, row {row + 1}, column {name!r:.80}: a cell is a number or text, not {cell!r:.60}."
            )
    return make_column(name, ["" if cell is None else str(cell) for cell in cells])
