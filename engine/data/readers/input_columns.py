"""Input columns as vectors of numbers, fitted to the training rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.data.readers.table import Table, TableColumn
from engine.errors import DataError

LARGEST_CODE = 100
"""Distinct texts that a column may have to be coded; more are taken for a mistake."""

Vectors = NDArray[np.float64]


def encode_inputs(
    table: Table, names: Sequence[str], categorical: Collection[str], train: NDArray[np.int64]
) -> tuple[NDArray[np.float32], list[str]]:
    """Return the inputs, shape (rows, width), and notes on what was done to them.

    Numbers are standardised by mean and standard deviation of the training rows, a missing one first
    replaced by that mean. A text, or a number of a categorical column, becomes one input per distinct
    value, 1 where it holds; all are 0 where it is missing.

    Parameters
    ----------
    table
        The table.
    names
        The input columns.
    categorical
        Those whose numbers are names.
    train
        The training rows.

    Raises
    ------
    DataError
        If a column has a text among numbers, too many distinct texts, or no number to train on.
    """
    parts: list[Vectors] = []
    filled: list[str] = []
    for name in names:
        column = table.column(name)
        if name in categorical or column.numbers is None:
            parts.append(_one_hot(table, column, name in categorical))
        else:
            parts.append(_standardised(table, column, column.numbers, train))
            if column.missing.any():
                filled.append(f"{name} ({int(column.missing.sum())})")
    notes = ["inputs standardised by the training rows"]
    if filled:
        notes.append(f"missing inputs replaced by the mean of the training rows: {', '.join(filled)}")
    return np.concatenate(parts, axis=1).astype(np.float32), notes


def _one_hot(table: Table, column: TableColumn, meant: bool) -> Vectors:
    if column.stray is not None and not meant:
        raise DataError(
            f"{table.place(column.stray, column.name)}: {column.texts[column.stray]!r:.60} among numbers. "
            "Correct it, or declare the column categorical."
        )
    if len(column.levels) > LARGEST_CODE:
        raise DataError(
            f"{table.path}, column {column.name!r:.80}: {len(column.levels)} distinct values are too many "
            f"to be coded (at most {LARGEST_CODE}). Leave it out by naming the inputs."
        )
    holds = column.codes[:, None] == np.arange(len(column.levels))
    return np.asarray(holds, dtype=np.float64)


def _standardised(table: Table, column: TableColumn, numbers: Vectors, train: NDArray[np.int64]) -> Vectors:
    known = numbers[train][~column.missing[train]]
    if not len(known):
        raise DataError(
            f"{table.path}, column {column.name!r:.80}: there is no number in the training rows. "
            "Leave it out by naming the inputs."
        )
    mean, spread = centre(np.where(column.missing, known.mean(), numbers)[train])
    scaled: Vectors = (np.where(column.missing, mean, numbers) - mean) / spread
    return scaled[:, None]


def standardised(values: Vectors, train: NDArray[np.int64]) -> Vectors:
    """Return values with mean 0 and standard deviation 1 over the known ones of the training rows.

    Parameters
    ----------
    values
        NaN where one is missing; as they are where none is known in training.
    train
        The training rows.
    """
    known = values[train][~np.isnan(values[train])]
    if not len(known):
        return values
    mean, spread = centre(known)
    return np.asarray((values - mean) / spread)


def centre(values: Vectors) -> tuple[Vectors, Vectors]:
    """Return mean and standard deviation along the first axis; 1 where nothing varies."""
    spread = values.std(axis=0)
    # Equal values may differ from their mean by rounding.
    varies = (values != values[:1]).any(axis=0) & (spread > 0)
    return values.mean(axis=0), np.where(varies, spread, 1.0)
