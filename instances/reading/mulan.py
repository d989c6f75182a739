"""Data of MULAN: ARFF files some columns of which are the tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from engine import InstanceInfo, MultiTaskData, TrainingSettings
from engine.data.readers import read_table, read_table_data
from instances.reading.published_files import RAW, Publisher
from instances.reading.published_instance import PublishedInstance
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


class MulanInstance(PublishedInstance):
    """Base of the instances that are one file of MULAN.

    Attributes
    ----------
    columns
        The column of a task, by its name, where that is another.
    kind
        Of all tasks: ``"binary"`` or ``"regression"``.
    """

    columns: ClassVar[Mapping[str, str]] = {}
    kind: ClassVar[str]
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=25, batch_size=64, patience=5)

    def read(self, path: Path) -> MultiTaskData:
        """Return the data of an ARFF file."""
        table = read_table(path)
        columns = [self.columns.get(task, task) for task in self.info.tasks]
        table.require(columns)
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
