"""Instances whose data a user puts into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from engine import DataError, TrainableInstance
from instances.reading.local_files import data_folders, find_folder


class FolderInstance(TrainableInstance):
    """Base of the instances that train on the files of a folder, which are never downloaded.

    Attributes
    ----------
    title
        What the data are called.
    layouts
        Pairs of a folder below a data folder and a file that must be in it; the first pair found counts.
        A folder with a full path is where a package of the operating system may have put the file.
    ways
        Where the data can be had.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    folder
        The folder with the files; empty: the first of the layouts that is found in ``data_dir``, the
        folder of ``ENGINE_DATA`` or the user cache.
    """

    title: ClassVar[str]
    layouts: ClassVar[tuple[tuple[str, str], ...]]
    ways: ClassVar[str]

    def __init__(self, name: str, data_dir: Path | None = None, *, folder: str | Path = "") -> None:
        super().__init__(name, data_dir)
        self._given = folder

    def folder(self) -> Path:
        """Return the folder with the files.

        Raises
        ------
        DataError
            If it is nowhere.
        """
        found = Path(self._given) if self._given else find_folder(self.layouts, self.data_dir)
        if found is None:
            looked = ", ".join(map(str, data_folders(self.data_dir)))
            wanted = " or ".join("/".join(filter(None, layout)) for layout in self.layouts)
            raise DataError(
                f"{self.title} is not here: none of the folders {looked} holds {wanted}. Give a folder that "
                f"does with --data-dir or ENGINE_DATA, or the folder itself as the option folder. {self.ways}"
            )
        return found
