"""hourly_stays: hour by hour through stays in intensive care, from a folder of tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import DataError, MultiTaskData, Task, TrainingSettings, UsageError
from instances.reading.folder_instance import FolderInstance
from instances.reading.mimic_tasks import MIMIC_TASKS
from instances.reading.published_files import Publisher
from instances.reading.stay_tables import numbers, read_stay_table, sequences, stay_inputs, stay_splits
from instances.reading.training_info import training_info, with_tasks

ACUITY_CLASSES = 18
"""Classes of the task ``final_acuity_outcome`` unless a task of one's own says otherwise."""


class HourlyStays(FolderInstance):
    """Stays in intensive care: one sequence per stay and one target per task.

    Looked for in the folder ``hourly_stays`` of a data folder. It holds two tables, each as ``.csv`` or
    ``.parquet``. ``series``: ``stay_id``, ``hour`` (from 0) and one column of numbers per feature, one row
    per stay and hour; a cell without a number was not measured. ``labels``: ``stay_id``, one column per
    task, and, if there are, ``subject_id`` (the patient) and ``split`` (``train``, ``valid`` or ``test``).

    A number that is not measured in an hour is the last one before, or 0 where there is none, which is
    the mean: features have mean 0 and deviation 1 over the measurements of the training stays.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.reading.folder_instance.FolderInstance`.
    tasks
        Names of columns, or tasks that are named as their columns. A name alone is a binary task, but for
        ``final_acuity_outcome``.
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
    UsageError
        If a number is not usable.
    """

    info = training_info(
        "27 outcomes of intensive-care stays, hour by hour; needs the folder hourly_stays",
        MIMIC_TASKS,
        default_budget=6.0,
        publisher=Publisher(origin="tables of one's own, for instance of MIMIC-III", licence="one's own"),
        note="the tasks are those of mimic27",
    )
    title = "A folder of stays"
    layouts = (("hourly_stays", "labels.parquet"), ("hourly_stays", "labels.csv"))
    ways = "docs/data.md says what the tables series and labels hold."
    backbone = "gru"
    backbone_options = {"hidden": 32}  # noqa: RUF012
    settings = TrainingSettings(epochs=12, batch_size=64, patience=3, learning_rate=3e-3)

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        tasks: Sequence[str | Task] = MIMIC_TASKS,
        hours: int = 48,
        measured: bool = True,
        valid: float = 0.2,
        test: float = 0.2,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(name, data_dir, **options)
        if hours < 1:
            raise UsageError(f"hours must be 1 or more, not {hours}.")
        self.tasks = tuple(_task(task) if isinstance(task, str) else task for task in tasks)
        self.info = with_tasks(self.info, [task.name for task in self.tasks])
        self._hours, self._measured = hours, measured
        self._valid, self._test, self._seed = valid, test, seed

    def data(self) -> MultiTaskData:
        """Return the sequences and their outcomes.

        Raises
        ------
        DataError
            If a table is absent or malformed, or they do not fit together.
        """
        folder = self.folder()
        path, labels = read_stay_table(folder, "labels", ["stay_id", *self.info.tasks])
        if labels["stay_id"].duplicated().any():
            twice = labels["stay_id"][labels["stay_id"].duplicated()].iloc[0]
            raise DataError(f"{path}: stay {twice} has two rows.")
        targets = tuple(numbers(path, labels, task) for task in self.info.tasks)
        splits = stay_splits(path, labels, self._valid, self._test, self._seed)
        values = sequences(folder, labels["stay_id"], self._hours)
        return MultiTaskData(
            self.tasks,
            (stay_inputs(values, splits["train"], self._measured),),
            targets,
            {part: (rows,) for part, rows in splits.items()},
            name=self.name,
            provenance=str(folder),
        )


def _task(name: str) -> Task:
    if name == "final_acuity_outcome":
        return Task(name, "multiclass", outputs=ACUITY_CLASSES)
    return Task(name, "binary")
