"""school139: exam scores at 139 schools, a task per school."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine import DataError, MultiTaskData, TrainableInstance, TrainingSettings
from engine.data.readers import read_table, read_table_data
from instances.reading.published_files import RAW, Publisher, locate
from instances.reading.training_info import training_info

_REPOSITORY = (
    "AfiyaAyman/Task-Grouping-for-Automated-Multi-Task-Machine-Learning-via-Task-Affinity-Prediction"
)
_PUBLISHER = Publisher(
    origin=f"ILEA, through github.com/{_REPOSITORY}",
    licence="none stated: downloaded on use, never redistributed",
    url=f"{RAW}/{_REPOSITORY}/b05680cbedf50c104a92b999313b58d982499112/Dataset/SCHOOL",
    folder="tabular",
)
_CATEGORIES = (
    "Year",
    "Gender",
    "VR_BAND_Student",
    "Ethnicity",
    "School_Gender",
    "School_Denomination",
)
_NUMBERS = ("FSM", "VR_Band")


class School139(TrainableInstance):
    """15362 pupils of the Inner London Education Authority; each school has samples of its own.

    Two inputs are percentages at the school (free meals, highest band of verbal reasoning), the rest
    categories, one input per value. Schools have 22 to 251 pupils.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    seed
        Of the split within each school: 60 % train, 20 % valid, 20 % test.
    """

    info = training_info(
        "exam scores at 139 schools, each with pupils of its own, regression",
        [f"school_{number}" for number in range(1, 140)],
        budgets=(1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
        default_budget=8.0,
        publisher=_PUBLISHER,
        note="a school is judged on a few pupils, so that gains are noisy",
    )
    file = _PUBLISHER.file(
        "School_Data.csv", "6f2fed3ef4e0b2a62ee32e37e4598b3331fcb7aa4ca8b008e4970095c3725b46"
    )
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 1}  # noqa: RUF012
    settings = TrainingSettings(epochs=25, batch_size=64, patience=5)

    def __init__(self, name: str, data_dir: Path | None = None, *, seed: int = 0) -> None:
        super().__init__(name, data_dir)
        self.seed = seed

    def data(self) -> MultiTaskData:
        """Return the published pupils of every school.

        Raises
        ------
        DataError
            If the file cannot be had.
        """
        data = self.read(locate(self.file, self.data_dir))
        if data.task_names != self.info.tasks:
            raise DataError(f"{self.file.path}: the schools are not numbered from 1 to 139 in order.")
        return data

    def read(self, path: Path) -> MultiTaskData:
        """Return a task per school of a table of pupils.

        Parameters
        ----------
        path
            The table.

        Raises
        ------
        DataError
            If the file is absent or malformed, lacks a column, or a school has too few pupils.
        """
        table = read_table(path)
        for column in ("School", "ExamScore", *_CATEGORIES, *_NUMBERS):
            if column not in table.columns:
                raise DataError(f"{path}: there is no column {column!r}.")
        data = read_table_data(
            table,
            ["ExamScore"],
            kinds={"ExamScore": "regression"},
            inputs=[*_CATEGORIES, *_NUMBERS],
            categorical=_CATEGORIES,
            task_column="School",
            seed=self.seed,
            name=self.name,
        )
        return replace(data, tasks=tuple(replace(task, name=f"school_{task.name}") for task in data.tasks))
