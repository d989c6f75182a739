"""Data that a user puts into a folder, and where they are looked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from instances.reading.published_files import cache_dir, named_folders

Layouts = Iterable[tuple[str, str]]
"""Pairs of a folder below a data folder and a file that must be in it."""


def data_folders(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders where data are looked for: the one given, that of ENGINE_DATA, the user cache."""
    return tuple(dict.fromkeys((*named_folders(data_dir), cache_dir())))


def find_folder(layouts: Layouts, data_dir: Path | None = None) -> Path | None:
    """Return the first folder that holds the file of its layout, None where there is none.

    Parameters
    ----------
    layouts
        For instance ``[("fashion-mnist", "train-images-idx3-ubyte.gz")]``, the preferred one first.
    data_dir
        Folder to look in first.
    """
    places = ((base / folder, file) for folder, file in layouts for base in data_folders(data_dir))
    return next((folder for folder, file in places if (folder / file).exists()), None)
