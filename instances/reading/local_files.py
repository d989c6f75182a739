"""Data that a user puts into a folder: where they are looked for, and what to do when they are absent."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from engine.errors import DataError
from instances.reading.published import cache_dir


def data_folders(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders where data are looked for: the one given, that of ENGINE_DATA, the user cache."""
    environment = os.environ.get("ENGINE_DATA")
    folders = (data_dir, Path(environment) if environment else None, cache_dir())
    return tuple(dict.fromkeys(Path(folder) for folder in folders if folder))


def find_folder(
    names: Iterable[str], needed: str, data_dir: Path | None = None, *, also: Iterable[Path] = ()
) -> Path | None:
    """Return the first folder that holds a file, None where there is none.

    Parameters
    ----------
    names
        Folders below a data folder, for instance ``"fashion-mnist"``.
    needed
        The file that must be in it.
    data_dir
        Folder to look in first.
    also
        Further folders, where a package of the operating system may have put the file.
    """
    below = [base / name for base in data_folders(data_dir) for name in names]
    return next((folder for folder in (*below, *also) if (folder / needed).is_file()), None)


def missing_data(what: str, wanted: str, ways: str, data_dir: Path | None = None) -> DataError:
    """Return the error for data that are nowhere.

    Parameters
    ----------
    what
        Name of the data.
    wanted
        What a data folder must hold.
    ways
        Where they can be had.
    data_dir
        The folder that was given.
    """
    looked = ", ".join(map(str, data_folders(data_dir)))
    return DataError(
        f"{what} is not here: none of the folders {looked} holds {wanted}. Give a folder that does with "
        f"--data-dir or ENGINE_DATA. {ways}"
    )
