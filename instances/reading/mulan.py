"""Data of MULAN: ARFF files some columns of which are the tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from engine import DataError, InstanceInfo, MultiTaskData, TrainableInstance, TrainingSettings
from engine.data.readers import read_table, read_table_data
from instances.reading.published_files import RAW, PublishedFile, Publisher, locate
from instances.reading.training_info import training_info

MULAN = Publisher(
    origin="github.com/tsoumakas/mulan",
    licence="none stated for the data: downloaded on use, never redistributed",
    url=f"{RAW}/tsoumakas/mulan/master/data",
    folder="mulan",
)


def mulan_info(summary: str, tasks: Sequence[str]) -> InstanceInfo:
    """Return the information on an instance of MULAN.

    Parameters
    ----------
    summary, tasks
        As in :class:`~engine.InstanceInfo`.
    """
    note = "they are small, so that many seeds are needed"
    return training_info(summary, tasks, default_budget=4.0, publisher=MULAN, note=note)


class MulanInstance(TrainableInstance):
    """Base of the instances that are one file of MULAN.

    Attributes
    ----------
    file
        Where it is.
    columns
        The column of a task, by its name, where that is another.
    kind
        Of all tasks: ``"binary"`` or ``"regression"``.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    seed
        Of the split.
    """

    file: ClassVar[PublishedFile]
    columns: ClassVar[Mapping[str, str]] = {}
    kind: ClassVar[str]
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=25, batch_size=64, patience=5)

    def __init__(self, name: str, data_dir: Path | None = None, *, seed: int = 0) -> None:
        super().__init__(name, data_dir)
        self.seed = seed

    def data(self) -> MultiTaskData:
        """Return the published data.

        Raises
        ------
        DataError
            If the file cannot be had.
        """
        return self.read(locate(self.file, self.data_dir))

    def read(self, path: Path) -> MultiTaskData:
        """Return the data of a file.

        Parameters
        ----------
        path
            An ARFF file.

        Raises
        ------
        DataError
            If the file is absent or malformed or lacks a column.
        """
        table = read_table(path)
        columns = [self.columns.get(task, task) for task in self.info.tasks]
        absent = [column for column in columns if column not in table.columns]
        if absent:
            raise DataError(f"{path}: there is no column {absent[0]!r}.")
        data = read_table_data(
            table,
            columns,
            kinds=dict.fromkeys(columns, self.kind),
            split="stratified" if self.kind == "binary" else "random",
            seed=self.seed,
            name=self.name,
        )
        named = zip(data.tasks, self.info.tasks, strict=True)
        return replace(data, tasks=tuple(replace(task, name=name) for task, name in named))
