"""Tables of intensive-care stays, and the sequences and parts that they make up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine import DataError
from engine.data.readers.inputs import centre

if TYPE_CHECKING:
    import pandas as pd

_PARTS = ("train", "valid", "test")


def read_stay_table(folder: Path, name: str, columns: list[str]) -> tuple[Path, pd.DataFrame]:
    """Return a table of a folder, and its file.

    Parameters
    ----------
    folder, name
        Its file is ``name`` with the suffix ``.csv`` or ``.parquet``.
    columns
        That it must have.

    Raises
    ------
    DataError
        If it is absent or malformed, or lacks a column.
    """
    import pandas as pd

    files = [folder / f"{name}.{suffix}" for suffix in ("parquet", "csv")]
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        raise DataError(f"{folder}: there is neither {name}.csv nor {name}.parquet.")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (ValueError, OSError, ImportError) as error:
        raise DataError(f"{path}: cannot be read as a table ({error}).") from error
    absent = next((column for column in columns if column not in table.columns), None)
    if absent is not None:
        raise DataError(f"{path}: the column {absent!r} is missing.")
    return path, table


def numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column of numbers, NaN where a cell is empty.

    Parameters
    ----------
    path
        Of the table, for the message.
    table, column
        Where the numbers are.

    Raises
    ------
    DataError
        If a cell is no number; its row is named.
    """
    import pandas as pd

    known = table[column]
    values = pd.to_numeric(known, errors="coerce")
    wrong = np.flatnonzero(values.isna() & known.notna())
    if len(wrong):
        raise DataError(f"{path}, row {wrong[0] + 2}: {column} is {known.iloc[wrong[0]]!r}, not a number.")
    return np.asarray(values, dtype=np.float64)


def stay_splits(
    path: Path, labels: pd.DataFrame, valid: float, test: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Return the rows of every part: as the column ``split`` says, else drawn so that a patient is in one.

    Parameters
    ----------
    path, labels
        The table of labels.
    valid, test, seed
        As in :class:`~instances.hourly_stays.HourlyStays`.

    Raises
    ------
    DataError
        If the column names other parts, a patient is not named, or there are too few of them.
    """
    if "split" in labels:
        parts = labels["split"].to_numpy(dtype=object)
        wrong = next((part for part in parts if part not in _PARTS), None)
        if wrong is not None:
            raise DataError(f"{path}: the column 'split' must hold train, valid and test, not {wrong!r}.")
        lacking = ", ".join(part for part in _PARTS if part not in parts)
        if lacking:
            raise DataError(f"{path}: the column 'split' lacks {lacking}.")
        return {part: np.flatnonzero(parts == part) for part in _PARTS}
    whose = "subject_id" if "subject_id" in labels else "stay_id"
    if labels[whose].isna().any():
        row = int(labels[whose].isna().to_numpy().argmax())
        raise DataError(f"{path}, row {row + 2}: {whose} is missing.")
    patients = labels[whose].to_numpy()
    if patients.dtype == object:
        patients = patients.astype(str)
    distinct = np.unique(patients)
    order = distinct[np.random.default_rng(seed).permutation(len(distinct))]
    first, second = round(len(order) * test), round(len(order) * (test + valid))
    if not 0 < first < second < len(order):
        raise DataError(f"{path}: {len(order)} patients cannot be split into {valid:g} and {test:g} of them.")
    drawn = {"train": order[second:], "valid": order[first:second], "test": order[:first]}
    return {part: np.flatnonzero(np.isin(patients, those)) for part, those in drawn.items()}


def sequences(folder: Path, stays: pd.Series[Any], hours: int) -> NDArray[np.float64]:
    """Return the numbers of every stay, shape (stays, hours, features), NaN where not measured.

    Parameters
    ----------
    folder
        With the table ``series``.
    stays
        Their identities, in the order of the result.
    hours
        Length of the sequences.

    Raises
    ------
    DataError
        If the table is absent or malformed; the row is named where there is one.
    """
    import pandas as pd

    path, series = read_stay_table(folder, "series", ["stay_id", "hour"])
    features = [column for column in series.columns if column not in ("stay_id", "hour")]
    if not features:
        raise DataError(f"{path}: there is no column of a feature besides stay_id and hour.")
    row = pd.Index(stays).get_indexer(series["stay_id"])
    hour = numbers(path, series, "hour")
    wrong = np.flatnonzero((row >= 0) & ~((hour >= 0) & (hour == np.floor(hour))))
    if len(wrong):
        raise DataError(f"{path}, row {wrong[0] + 2}: hour is {hour[wrong[0]]:g}, not a number 0, 1, 2, …")
    kept = np.flatnonzero((row >= 0) & (hour < hours))
    places = row[kept] * hours + hour[kept].astype(np.int64)
    _, first = np.unique(places, return_index=True)
    if len(first) < len(places):
        again = kept[np.setdiff1d(np.arange(len(places)), first)[0]]
        raise DataError(f"{path}, row {again + 2}: the stay has this hour twice.")
    empty = np.setdiff1d(np.arange(len(stays)), row[kept])
    if len(empty):
        raise DataError(f"{path}: the stay {stays.iloc[empty[0]]} has no row in its first {hours} hours.")
    values = np.full((len(stays) * hours, len(features)), np.nan)
    for column, feature in enumerate(features):
        values[places, column] = numbers(path, series, feature)[kept]
    if np.isinf(values).any():
        raise DataError(f"{path}: an infinite number.")
    return values.reshape(len(stays), hours, len(features))


def stay_inputs(values: NDArray[np.float64], train: NDArray[np.int64], measured: bool) -> NDArray[np.float32]:
    """Return sequences without gaps, standardised by the measurements of the training stays.

    Parameters
    ----------
    values
        Shape (stays, hours, features), NaN where not measured.
    train
        The training stays.
    measured
        Whether a companion of every feature says where it was measured.
    """
    known = ~np.isnan(values)
    seen = known[train]
    mean, deviation = np.zeros(values.shape[2]), np.ones(values.shape[2])
    for feature in np.flatnonzero(seen.any(axis=(0, 1))):
        mean[feature], deviation[feature] = centre(values[train, :, feature][seen[:, :, feature]])
    scaled = (values - mean) / deviation
    hour = np.arange(values.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(known, hour, -1), axis=1)
    carried = np.take_along_axis(scaled, np.maximum(last, 0), axis=1)
    filled = np.where(last >= 0, carried, 0.0)
    joined = np.concatenate([filled, known], axis=2) if measured else filled
    return joined.astype(np.float32)
