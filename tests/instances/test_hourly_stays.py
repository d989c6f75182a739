from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import DataError, MultiTaskData, Task, UsageError
from instances.hourly_stays import HourlyStays
from instances.mimic27 import Mimic27

TASKS = Mimic27.info.tasks

STAYS = 30
HOURS = 6
TWO = (Task("mort_24h", "binary"), Task("long_los", "binary"))


def read(folder: Path, tasks: Sequence[str | Task] = TASKS, **options: Any) -> MultiTaskData:
    return HourlyStays("hourly_stays", folder=folder, tasks=tasks, **options).data()


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return measurements of 30 stays of 15 patients, a third of them missing, and labels."""
    draws = np.random.default_rng(0)
    stays = 100 + draws.permutation(STAYS)
    series = pd.DataFrame({"stay_id": np.repeat(stays, HOURS), "hour": np.tile(np.arange(HOURS), STAYS)})
    for feature, centre in (("heart_rate", 80.0), ("lactate", 2.0)):
        values = centre + draws.normal(size=len(series)) * centre / 10
        series[feature] = np.where(draws.random(len(series)) < 1 / 3, np.nan, values)
    series = series.iloc[draws.permutation(len(series))].reset_index(drop=True)
    labels = pd.DataFrame({"stay_id": np.sort(stays), "subject_id": np.arange(STAYS) // 2})
    for task in TASKS:
        labels[task] = draws.integers(0, 2, STAYS)
    labels.loc[4, "icd_skin"] = np.nan
    return series, labels


def write(folder: Path, series: pd.DataFrame, labels: pd.DataFrame) -> None:
    series.to_csv(folder / "series.csv", index=False)
    labels.to_csv(folder / "labels.csv", index=False)


def reference(series: pd.DataFrame, labels: pd.DataFrame, train: list[int], hours: int) -> np.ndarray:
    """Fill stay by stay and hour by hour."""
    stays = labels["stay_id"].tolist()
    result = np.zeros((len(stays), hours, 4))
    for column, feature in enumerate(("heart_rate", "lactate")):
        table = {(row.stay_id, row.hour): getattr(row, feature) for row in series.itertuples()}
        seen = [table[stays[row], hour] for row in train for hour in range(hours)]
        known = [value for value in seen if not np.isnan(value)]
        for row, stay in enumerate(stays):
            last = 0.0
            for hour in range(hours):
                value = table[stay, hour]
                if not np.isnan(value):
                    last = (value - np.mean(known)) / np.std(known)
                    result[row, hour, 2 + column] = 1
                result[row, hour, column] = last
    return result


def test_the_27_tasks_on_sequences(tmp_path: Path) -> None:
    series, labels = tables()
    write(tmp_path, series, labels)
    data = read(tmp_path, hours=5)
    assert data.task_names == TASKS
    assert {task.name: task.kind for task in data.tasks if task.kind != "binary"} == {
        "final_acuity_outcome": "multiclass"
    }
    assert data.inputs[0].shape == (STAYS, 5, 4)
    wanted = reference(series, labels, data.rows("train").tolist(), 5)
    assert np.abs(data.inputs[0] - wanted).max() < 1e-6
    for task, target in zip(TASKS, data.targets, strict=True):
        assert np.array_equal(target, labels[task].to_numpy(), equal_nan=True)


def test_a_patient_is_in_one_part(tmp_path: Path) -> None:
    series, labels = tables()
    write(tmp_path, series, labels)
    data = read(tmp_path, TWO, hours=HOURS)
    patients = [set(labels["subject_id"][data.rows(part)]) for part in ("train", "valid", "test")]
    assert [len(part) for part in patients] == [9, 3, 3]
    assert len(set.union(*patients)) == 15


def test_a_column_of_parts_is_obeyed_and_parquet_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    series, labels = tables()
    labels["split"] = ["train", "valid", "test"] * 10
    series.to_parquet(tmp_path / "series.parquet")
    labels.to_parquet(tmp_path / "labels.parquet")
    data = read(tmp_path, TWO, hours=HOURS, measured=False)
    assert data.input_shape == (HOURS, 2)
    assert data.rows("valid").tolist() == list(range(1, STAYS, 3))


def test_hours_beyond_the_series_repeat_the_last_number(tmp_path: Path) -> None:
    series, labels = tables()
    write(tmp_path, series, labels)
    values = read(tmp_path, TWO, hours=8).inputs[0]
    assert np.array_equal(values[:, 6:, :2], np.repeat(values[:, 5:6, :2], 2, axis=1))
    assert not values[:, 6:, 2:].any()


def test_stays_without_labels_are_left_out(tmp_path: Path) -> None:
    series, labels = tables()
    write(tmp_path, series, labels.iloc[3:])
    assert len(read(tmp_path, TWO, hours=HOURS).inputs[0]) == STAYS - 3


def test_unusable_hours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hours must be 1 or more"):
        read(tmp_path, hours=0)


Tables = tuple[pd.DataFrame, pd.DataFrame]


def change(
    series: dict[str, object] | None = None, labels: dict[str, object] | None = None
) -> Callable[..., Tables]:
    """Return a function that sets the first cell of some columns."""

    def spoil(*pair: pd.DataFrame) -> Tables:
        changed = []
        for table, cells in zip(pair, (series, labels), strict=True):
            copy = table.astype(dict.fromkeys(cells or {}, object))
            for column, value in (cells or {}).items():
                copy.loc[0, column] = value  # type: ignore[call-overload]
            changed.append(copy)
        return changed[0], changed[1]

    return spoil


def without(which: int, column: str) -> Callable[..., Tables]:
    def spoil(*pair: pd.DataFrame) -> Tables:
        kept = [table.drop(columns=column) if index == which else table for index, table in enumerate(pair)]
        return kept[0], kept[1]

    return spoil


def unknown_part(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return series, labels.assign(split="training")


def one_part(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return series, labels.assign(split="train")


def few(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return series, labels.iloc[:3]


def twice(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return series, pd.concat([labels, labels.iloc[:1]])


def same_hour(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return pd.concat([series, series.iloc[:1]]), labels


def no_rows(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return series[series["stay_id"] != 110], labels


def no_features(series: pd.DataFrame, labels: pd.DataFrame) -> Tables:
    return series[["stay_id", "hour"]], labels


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (change(series={"lactate": "high"}), "series.csv, row 2: lactate is 'high', not a number"),
        (change(series={"lactate": np.inf}), "series.csv: an infinite number"),
        (change(series={"hour": -1}), "series.csv, row 2: hour is -1, not a number 0, 1, 2"),
        (change(series={"hour": 0.5}), "series.csv, row 2: hour is 0.5"),
        (change(labels={"mort_24h": "dead"}), "labels.csv, row 2: mort_24h is 'dead', not a number"),
        (change(labels={"mort_24h": 2}), "Row 1, task 'mort_24h': target 2.0 must be a class from 0 to 1"),
        (without(0, "hour"), "series.csv: the column 'hour' is missing"),
        (without(1, "long_los"), "labels.csv: the column 'long_los' is missing"),
        (unknown_part, "labels.csv: the column 'split' must hold train, valid and test, not 'training'"),
        (one_part, "labels.csv: the column 'split' lacks valid, test"),
        (few, "labels.csv: 2 patients cannot be split into 0.2 and 0.2 of them"),
        (twice, "labels.csv: stay 100 has two rows"),
        (same_hour, "series.csv, row 182: the stay has this hour twice"),
        (no_rows, "series.csv: the stay 110 has no row in its first 6 hours"),
        (no_features, "there is no column of a feature"),
    ],
)
def test_malformed_tables_are_refused(tmp_path: Path, spoil: Callable[..., Tables], message: str) -> None:
    write(tmp_path, *spoil(*tables()))
    with pytest.raises(DataError) as caught:
        read(tmp_path, TWO, hours=HOURS)
    assert message in str(caught.value)


def test_an_absent_or_broken_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither labels\.csv nor labels\.parquet"):
        read(tmp_path)
    (tmp_path / "labels.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"labels\.csv: cannot be read as a table"):
        read(tmp_path)
    (tmp_path / "labels.parquet").write_bytes(b"PAR?")
    with pytest.raises(DataError, match=r"labels\.parquet: cannot be read as a table"):
        read(tmp_path)


def test_the_tasks_are_those_of_the_published_gains(tmp_path: Path) -> None:
    assert HourlyStays.info.tasks == HourlyStays("hourly_stays").info.tasks == TASKS
    assert HourlyStays("hourly_stays", tasks=("long_los",)).info.tasks == ("long_los",)


def test_the_folder_is_looked_for_below_a_data_folder(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "hourly_stays").mkdir()
    write(tmp_path / "hourly_stays", *tables())
    assert HourlyStays("hourly_stays", tmp_path, tasks=TWO).data().task_names == ("mort_24h", "long_los")
    with pytest.raises(DataError, match=r"not here.*holds hourly_stays/labels\.parquet or"):
        HourlyStays("hourly_stays", tmp_path / "elsewhere").data()


def test_a_feature_that_does_not_vary_in_training_is_not_blown_up(tmp_path: Path) -> None:
    series, labels = tables()
    labels["split"] = ["train"] * 20 + ["valid"] * 5 + ["test"] * 5
    test = labels["stay_id"][25:]
    series["still"] = np.where(series["stay_id"].isin(test), 0.2, 0.1)
    write(tmp_path, series, labels)
    data = read(tmp_path, TWO, hours=HOURS, measured=False)
    np.testing.assert_allclose(data.inputs[0][:25, :, 2], 0.0, atol=1e-12)
    np.testing.assert_allclose(data.inputs[0][25:, :, 2], 0.1, rtol=1e-6)


def test_patients_may_be_named_by_text_but_each_stay_has_one(tmp_path: Path) -> None:
    series, labels = tables()
    labels["subject_id"] = labels["subject_id"].astype(object)
    labels.loc[3, "subject_id"] = "p 7"
    write(tmp_path, series, labels)
    assert len(read(tmp_path, TWO, hours=HOURS).inputs[0]) == STAYS
    labels.loc[5, "subject_id"] = np.nan
    write(tmp_path, series, labels)
    with pytest.raises(DataError, match=r"labels.csv, row 7: subject_id is missing"):
        read(tmp_path, TWO, hours=HOURS)
