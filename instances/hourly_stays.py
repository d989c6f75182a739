"""Hourly measurements of intensive-care stays with many outcomes each, from a folder of tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.data import MultiTaskData, Task
from engine.data.readers.inputs import centre
from engine.errors import DataError, UsageError
from instances.mimic27 import TASKS

if TYPE_CHECKING:
    import pandas as pd

ACUITY_CLASSES = 18
"""Classes of the task ``final_acuity_outcome`` unless a task of one's own says otherwise."""

_PARTS = ("train", "valid", "test")


def mimic_tasks() -> tuple[Task, ...]:
    """Return the 27 tasks that MTG-Net trains on MIMIC-III: binary but for the final acuity outcome."""
    return tuple(
        Task(name, "multiclass", outputs=ACUITY_CLASSES)
        if name == "final_acuity_outcome"
        else Task(name, "binary")
        for name in TASKS
    )


def read_stay_data(
    folder: Path | str,
    tasks: Sequence[Task] | None = None,
    *,
    hours: int = 48,
    measured: bool = True,
    valid: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> MultiTaskData:
    """Return one sequence per stay and one target per task.

    A number that is not measured in an hour is the last one before, or 0 where there is none, which is
    the mean: features have mean 0 and deviation 1 over the measurements of the training stays.

    Parameters
    ----------
    folder
        Holds two tables, each as ``.csv`` or ``.parquet``. ``series``: ``stay_id``, ``hour`` (from 0) and
        one column of numbers per feature, one row per stay and hour; a cell without a number was not
        measured. ``labels``: ``stay_id``, one column per task, and, if there are, ``subject_id`` (the
        patient) and ``split`` (``train``, ``valid`` or ``test``).
    tasks
        The tasks, named as their columns; None: those of :func:`mimic_tasks`.
    hours
        Length of the sequences; later hours are left out.
    measured
        Whether every feature gets a companion that is 1 where it was measured, else 0.
    valid, test
        Fractions of the patients, or of the stays where there is no ``subject_id``, drawn at random;
        not used where the labels have a column ``split``.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If a table is absent or malformed, or they do not fit together.
    UsageError
        If a number is not usable.
    """
    folder = Path(folder)
    if hours < 1:
        raise UsageError(f"hours must be 1 or more, not {hours}.")
    tasks = mimic_tasks() if tasks is None else tuple(tasks)
    path, labels = _table(folder, "labels", ["stay_id", *(task.name for task in tasks)])
    if labels["stay_id"].duplicated().any():
        twice = labels["stay_id"][labels["stay_id"].duplicated()].iloc[0]
        raise DataError(f"{path}: stay {twice} has two rows.")
    targets = tuple(_numbers(path, labels, task.name) for task in tasks)
    splits = _splits(path, labels, valid, test, seed)
    values = _sequences(folder, labels["stay_id"], hours)
    return MultiTaskData(
        tasks,
        (_inputs(values, splits["train"], measured),),
        targets,
        {part: (rows,) for part, rows in splits.items()},
        name="stays",
        provenance=str(folder),
    )


def _table(folder: Path, name: str, columns: list[str]) -> tuple[Path, pd.DataFrame]:
    import pandas as pd

    path = next(
        (one for suffix in ("parquet", "csv") if (one := folder / f"{name}.{suffix}").is_file()), None
    )
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


def _numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    import pandas as pd

    known = table[column]
    values = pd.to_numeric(known, errors="coerce")
    wrong = np.flatnonzero(values.isna() & known.notna())
    if len(wrong):
        raise DataError(f"{path}, row {wrong[0] + 2}: {column} is {known.iloc[wrong[0]]!r}, not a number.")
    return np.asarray(values, dtype=np.float64)


def _splits(
    path: Path, labels: pd.DataFrame, valid: float, test: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    if "split" in labels:
        of = labels["split"].to_numpy(dtype=object)
        wrong = next((one for one in of if one not in _PARTS), None)
        if wrong is not None:
            raise DataError(f"{path}: the column 'split' must hold train, valid and test, not {wrong!r}.")
        lacking = ", ".join(part for part in _PARTS if part not in of)
        if lacking:
            raise DataError(f"{path}: the column 'split' lacks {lacking}.")
        return {part: np.flatnonzero(of == part) for part in _PARTS}
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
    parts = {"train": order[second:], "valid": order[first:second], "test": order[:first]}
    return {part: np.flatnonzero(np.isin(patients, those)) for part, those in parts.items()}


def _sequences(folder: Path, stays: Any, hours: int) -> NDArray[np.float64]:
    """Return the numbers of every stay, shape (stays, hours, features), NaN where not measured."""
    import pandas as pd

    path, series = _table(folder, "series", ["stay_id", "hour"])
    features = [column for column in series.columns if column not in ("stay_id", "hour")]
    if not features:
        raise DataError(f"{path}: there is no column of a feature besides stay_id and hour.")
    row = pd.Index(stays).get_indexer(series["stay_id"])
    hour = _numbers(path, series, "hour")
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
        values[places, column] = _numbers(path, series, feature)[kept]
    if np.isinf(values).any():
        raise DataError(f"{path}: an infinite number.")
    return values.reshape(len(stays), hours, len(features))


def _inputs(values: NDArray[np.float64], train: NDArray[np.int64], measured: bool) -> NDArray[np.float32]:
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
