"""Data of MULAN: ARFF files whose last columns are the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from engine.catalogue.trainable import TrainableInstance
from engine.data import MultiTaskData
from engine.data.readers import Table, read_table, read_table_data
from engine.errors import DataError
from instances.reading.published import PublishedFile, locate

ORIGIN = "github.com/tsoumakas/mulan"
LICENCE = "none stated for the data: downloaded on use, never redistributed"
_URL = "https://raw.githubusercontent.com/tsoumakas/mulan/master/data"


def mulan(folder: str, name: str, sha256: str) -> PublishedFile:
    """Return a file of MULAN's data, for instance of the folder ``"multi-target"``."""
    return PublishedFile(f"mulan/{name}", f"{_URL}/{folder}/{name}", sha256)


def mulan_data(
    path: Path | Table, columns: Mapping[str, str], kind: str, *, name: str, seed: int = 0
) -> MultiTaskData:
    """Return the data of an ARFF file.

    Parameters
    ----------
    path
        The file, or what was read from it.
    columns
        The column of each task, by the name of the task.
    kind
        ``"binary"`` or ``"regression"``, of all tasks.
    name
        Of the data.
    seed
        Of the split.

    Raises
    ------
    DataError
        If the file is absent or malformed or lacks a column.
    """
    table = path if isinstance(path, Table) else read_table(path)
    absent = [column for column in columns.values() if column not in table.columns]
    if absent:
        raise DataError(f"{table.path}: there is no column {absent[0]!r}.")
    data = read_table_data(
        table,
        list(columns.values()),
        kinds=dict.fromkeys(columns.values(), kind),
        split="stratified" if kind == "binary" else "random",
        seed=seed,
        name=name,
    )
    tasks = tuple(replace(task, name=one) for task, one in zip(data.tasks, columns, strict=True))
    return replace(data, tasks=tasks)


class MulanInstance(TrainableInstance):
    """Base of the instances that are one file of MULAN.

    Attributes
    ----------
    file
        Where it is.
    columns
        The column of each task, by the name of the task.
    kind
        Of all tasks.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.catalogue.instance.Instance`.
    seed
        Of the split.
    """

    file: ClassVar[PublishedFile]
    columns: ClassVar[Mapping[str, str]]
    kind: ClassVar[str]

    def __init__(self, name: str, data_dir: Path | None = None, *, seed: int = 0) -> None:
        super().__init__(name, data_dir)
        self.seed = seed

    def data(self) -> MultiTaskData:
        """Return the data.

        Raises
        ------
        DataError
            If the file cannot be had.
        """
        path = locate(self.file, self.data_dir)
        return mulan_data(path, self.columns, self.kind, name=self.name, seed=self.seed)
