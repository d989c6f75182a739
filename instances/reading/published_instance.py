"""Instances that train on one published file."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from engine import MultiTaskData, TrainableInstance
from instances.reading.published_files import PublishedFile, locate


class PublishedInstance(TrainableInstance):
    """Base of the instances whose data are one file of a publisher.

    Attributes
    ----------
    file
        Where it is.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    seed
        Of the split.
    """

    file: ClassVar[PublishedFile]

    def __init__(self, name: str, data_dir: Path | None = None, *, seed: int = 0) -> None:
        super().__init__(name, data_dir)
        self.seed = seed

    def data(self) -> MultiTaskData:
        """Return the published data."""
        return self.read(locate(self.file, self.data_dir))

    @abstractmethod
    def read(self, path: Path) -> MultiTaskData:
        """Return the data of a file of the same format.

        Raises
        ------
        DataError
            If the file is absent or malformed, or lacks a column.
        """
