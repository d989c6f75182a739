"""A table in memory: columns of numbers or of texts, and where each row stands in its file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, unknown_name
from engine.gains.formats.figures import finite

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
"""Cells, in lower case, that stand for nothing unless a format says otherwise."""


@dataclass(frozen=True, eq=False)
class TableColumn:
    """One column.

    Attributes
    ----------
    name
        Of the column.
    numbers
        float64, NaN where a cell is missing; None where some cell is text.
    texts
        One text per cell, empty where it is missing; empty where there are numbers.
    declared
        The texts that the file declares as possible, in its order; empty where it declares none.
    """

    name: str
    numbers: NDArray[np.float64] | None = None
    texts: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Where a cell is missing, shape (rows,)."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        return np.array([not text for text in self.texts], dtype=bool)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every cell as text, empty where it is missing."""
        if self.numbers is None:
            return self.texts
        return tuple("" if np.isnan(number) else f"{number:.15g}" for number in self.numbers.tolist())

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The distinct cells: as declared, else sorted, numbers by value."""
        if self.numbers is not None:
            distinct = np.unique(self.numbers[~self.missing])
            return tuple(f"{number:.15g}" for number in distinct.tolist())
        return self.declared or tuple(sorted({text for text in self.texts if text}))

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The index of every cell in the levels, −1 where it is missing."""
        index = {text: code for code, text in enumerate(self.levels)} | {"": -1}
        return np.array([index[text] for text in self.labels], dtype=np.int64)

    @cached_property
    def stray(self) -> int | None:
        """The first row with a text among numbers; None unless a column of texts holds a number, too."""
        if self.numbers is not None or self.declared:
            return None
        odd = [row for row, text in enumerate(self.texts) if text and finite(text) is None]
        known = len(self.texts) - int(self.missing.sum())
        return odd[0] if odd and len(odd) < known else None


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length.

    Attributes
    ----------
    path
        The file.
    columns
        By name, in the order of the file.
    lines
        Where each row stands in the file, shape (rows,).
    unit
        What ``lines`` counts: ``"line"`` or ``"row"``.
    """

    path: Path
    columns: Mapping[str, TableColumn]
    lines: NDArray[np.int64] = field(repr=False)
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> TableColumn:
        """Return a column.

        Raises
        ------
        UsageError
            If there is none of this name.
        """
        if name not in self.columns:
            raise unknown_name(f"column of {self.path}:", name, self.columns)
        return self.columns[name]

    def require(self, names: Iterable[str]) -> None:
        """Check that columns of a known format are there.

        Raises
        ------
        DataError
            If one is not.
        """
        for name in names:
            if name not in self.columns:
                raise DataError(f"{self.path}: there is no column {name!r}.")

    def place(self, row: int, column: str) -> str:
        """Return where a cell stands, for messages."""
        return f"{self.path}, {self.unit} {self.lines[row]}, column {column!r:.80}"

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column that must hold numbers.

        Raises
        ------
        DataError
            If a cell is text; file, line and column are named.
        """
        column = self.column(name)
        if column.numbers is None:
            row = next(at for at, text in enumerate(column.texts) if text and finite(text) is None)
            raise DataError(f"{self.place(row, name)}: {column.texts[row]!r:.60} is not a finite number.")
        return column.numbers


def make_column(
    name: str, cells: Iterable[str], declared: Sequence[str] = (), missing: Collection[str] = MISSING
) -> TableColumn:
    """Return a column of numbers where every known cell is one, else of texts.

    Parameters
    ----------
    name
        Of the column.
    cells
        Text of every cell.
    declared
        The possible texts, where the file declares them.
    missing
        Cells, in lower case, that stand for nothing.
    """
    texts = [cell.strip() for cell in cells]
    texts = ["" if text.lower() in missing else text for text in texts]
    numbers = [finite(text) if text else np.nan for text in texts]
    if None not in numbers:
        return TableColumn(name, np.array(numbers, dtype=np.float64))
    return TableColumn(name, None, tuple(texts), tuple(declared))


def check_names(path: Path, names: Sequence[str]) -> None:
    """Check that columns are named, each differently.

    Raises
    ------
    DataError
        If they are not.
    """
    for position, name in enumerate(names):
        if not name:
            raise DataError(f"{path}: column {position + 1} has no name.")
        if name in names[:position]:
            raise DataError(f"{path}: two columns are named {name!r:.80}.")
