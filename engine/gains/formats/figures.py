"""Numbers in text: one rule for all text formats, quick on clean input and precise on the rest."""

from __future__ import annotations

import math
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError


def finite(text: str) -> float | None:
    """Return a finite number written in ASCII as Python and spreadsheets write it, None for anything else."""
    if "_" in text or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_matrix(path: Path, text: str) -> tuple[NDArray[np.float64], list[int]]:
    """Read a matrix without header, one row per line, separated by spaces or commas.

    Parameters
    ----------
    path
        For messages.
    text
        Content of the file; blank lines are skipped.

    Returns
    -------
    tuple
        The matrix, and the line number of each of its rows.

    Raises
    ------
    DataError
        If a cell is not a finite number or a row has another number of columns than the first.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rows = [_cells(line) for line in lines]
    numbers = [number for number, cells in enumerate(rows, 1) if cells]
    rows = [cells for cells in rows if cells]
    if not rows:
        raise DataError(f"{path}: the file is empty.")
    width = len(rows[0])
    try:
        if "_" in text or not text.isascii() or any(len(cells) != width for cells in rows):
            raise ValueError
        matrix = np.array(list(map(float, chain.from_iterable(rows)))).reshape(-1, width)
        if not np.isfinite(matrix).all():
            raise ValueError
    except ValueError:
        matrix = _slowly(path, rows, numbers)
    return matrix, numbers


def _cells(line: str) -> list[str]:
    return line.split(",") if "," in line else line.split()


def _slowly(path: Path, rows: list[list[str]], numbers: list[int]) -> NDArray[np.float64]:
    """Read cell by cell and refuse the first one that is wrong."""
    width = len(rows[0])
    values: list[float] = []
    for cells, line in zip(rows, numbers, strict=True):
        for column, cell in enumerate(cells, 1):
            value = finite(cell.strip())
            if value is None:
                hint = " The file must not have a header." if line == numbers[0] else ""
                raise DataError(
                    f"{path}, line {line}, column {column}: {cell.strip()!r:.60} is not a finite "
                    f"number.{hint}"
                )
            values.append(value)
        if len(cells) != width:
            raise DataError(
                f"{path}, line {line}: {len(cells)} numbers, but line {numbers[0]} has {width}. "
                "Every row needs one number per task."
            )
    return np.array(values).reshape(-1, width)
