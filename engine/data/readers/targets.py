"""Target columns: which kind of task each is, and its values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.readers.input_columns import LARGEST_CODE
from engine.data.readers.table import Table, TableColumn
from engine.data.task import Task
from engine.errors import DataError

FEW = 10
"""As many distinct whole numbers are taken for classes, more for quantities."""


@dataclass(frozen=True, eq=False)
class Target:
    """One column of targets.

    Attributes
    ----------
    kind
        Binary, multiclass or regression.
    values
        Shape (rows,), NaN where there is no label.
    classes
        The text of each class, in the order of their numbers; empty for regression.
    """

    kind: str
    values: NDArray[np.float64]
    classes: tuple[str, ...] = ()

    def task(self, name: str) -> Task:
        """Return a task of this kind."""
        if self.kind == "multiclass":
            return Task(name, "multiclass", outputs=len(self.classes))
        return Task(name, "binary" if self.kind == "binary" else "regression")


def read_target(table: Table, name: str, kind: str | None = None) -> Target:
    """Return a column as targets.

    Without a kind: a column with two distinct values, texts or whole numbers, is binary, the later in
    order being 1; more texts, or 3 to 10 distinct whole numbers, are classes; all else is regression.

    Parameters
    ----------
    table, name
        The column.
    kind
        Binary, multiclass or regression; None: as said above.

    Raises
    ------
    DataError
        If the column does not hold what its kind needs; line and column are named.
    """
    column = table.column(name)
    if column.missing.all():
        raise DataError(f"{table.path}, column {name!r:.80}: there is no label.")
    if kind is None and column.stray is not None:
        raise DataError(
            f"{table.place(column.stray, name)}: {column.texts[column.stray]!r:.60} among numbers. "
            "Correct it, or say that the task is multiclass."
        )
    chosen = kind or _kind(column)
    if chosen == "regression":
        return Target(chosen, table.numbers(name))
    classes = _classes(column)
    if chosen == "binary" and len(classes) > 2:
        row = int(np.flatnonzero(column.codes == column.levels.index(classes[2]))[0])
        raise DataError(
            f"{table.place(row, name)}: {classes[2]!r:.60} is a third value; a binary task has two."
        )
    if len(classes) < 2 or len(classes) > LARGEST_CODE:
        raise DataError(
            f"{table.path}, column {name!r:.80}: {len(classes)} distinct labels cannot be classes "
            f"(2 to {LARGEST_CODE} can)."
        )
    index = {text: float(code) for code, text in enumerate(classes)} | {"": np.nan}
    return Target(chosen, np.array([index[text] for text in column.labels]), classes)


def _classes(column: TableColumn) -> tuple[str, ...]:
    """Return the labels in order; 0 and 1 where only one of them occurs."""
    return ("0", "1") if column.levels in (("0",), ("1",)) else column.levels


def _kind(column: TableColumn) -> str:
    if column.numbers is None:
        return "binary" if len(column.levels) <= 2 else "multiclass"
    distinct = np.unique(column.numbers[~column.missing])
    if (distinct != np.floor(distinct)).any():
        return "regression"
    if len(distinct) == 2 or set(distinct) <= {0.0, 1.0}:
        return "binary"
    return "multiclass" if 2 < len(distinct) <= FEW else "regression"
