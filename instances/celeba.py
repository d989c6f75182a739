"""Attributes of faces, from a folder of CelebA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data import MultiTaskData, Task
from engine.errors import DataError, UsageError, unknown_name
from engine.files import read_text
from instances.images.image_files import read_image
from instances.reading.array_cache import cached_array, file_stamps

NINE_ATTRIBUTES = (
    "5_o_Clock_Shadow",
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Goatee",
    "Mustache",
    "No_Beard",
    "Rosy_Cheeks",
    "Wearing_Hat",
)
"""The nine of the 40 attributes that TAG uses (Fifty et al., 2021)."""

_PARTS = ("train", "valid", "test")


def read_celeba_data(
    folder: Path | str,
    *,
    attributes: tuple[str, ...] | None = NINE_ATTRIBUTES,
    height: int = 64,
    width: int = 64,
    n_images: int | None = None,
    seed: int = 0,
) -> MultiTaskData:
    """Return CelebA, one binary task per attribute, on the published parts.

    The images are resized once and kept in the user cache, from where they are read as they are used.

    Parameters
    ----------
    folder
        Holds ``list_attr_celeba.txt``, ``list_eval_partition.txt`` and the folder ``img_align_celeba``.
    attributes
        Which attributes; None: all.
    height, width
        Of the images, in pixels.
    n_images
        How many images are drawn, from all parts together; None: all, 202599 of the published set.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If a file is absent or malformed, or no image of a part was drawn.
    UsageError
        If an attribute is unknown, or there are fewer images than wanted.
    MissingDependencyError
        If Pillow is not installed.
    """
    folder = Path(folder)
    names, files, values = _attributes(folder / "list_attr_celeba.txt")
    parts = _parts(folder / "list_eval_partition.txt", files)
    wanted = names if attributes is None else list(attributes)
    for attribute in wanted:
        if attribute not in names:
            raise unknown_name("attribute", attribute, names)
    rows = np.arange(len(files))
    if n_images is not None:
        if not 0 < n_images <= len(files):
            raise UsageError(f"{folder} has {len(files)} images; {n_images} cannot be drawn from them.")
        rows = np.sort(np.random.default_rng(seed).permutation(len(files))[:n_images])
    paths = [folder / "img_align_celeba" / files[row] for row in rows]

    def fill(array: NDArray[Any]) -> None:
        for row, path in enumerate(paths):
            array[row] = read_image(path, "RGB", size=(height, width)).transpose(2, 0, 1)

    images = cached_array("celeba", file_stamps(paths), (len(paths), 3, height, width), np.uint8, fill)
    return MultiTaskData(
        tuple(Task(attribute, "binary") for attribute in wanted),
        (images,),
        tuple(values[rows, names.index(attribute)] for attribute in wanted),
        {part: (np.flatnonzero(parts[rows] == number),) for number, part in enumerate(_PARTS)},
        name="celeba",
        provenance=f"CelebA, {folder}",
    )


def _attributes(path: Path) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Return the names of the attributes, the files, and a table of 0 and 1."""
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
    if len(lines) < 3 or len(lines[0]) != 1 or not lines[0][0].isdigit():
        raise DataError(
            f"{path}: the number of images, a line of attributes, and a line per image are needed."
        )
    names, rows = lines[1], lines[2:]
    if int(lines[0][0]) != len(rows):
        raise DataError(f"{path}: {lines[0][0]} images are announced, but {len(rows)} follow.")
    values = np.empty((len(rows), len(names)))
    for number, row in enumerate(rows, start=3):
        if len(row) != len(names) + 1:
            raise DataError(f"{path}, line {number}: {len(names) + 1} words are needed, not {len(row)}.")
        wrong = next((cell for cell in row[1:] if cell not in ("1", "-1")), None)
        if wrong is not None:
            raise DataError(f"{path}, line {number}: an attribute is 1 or -1, not {wrong!r}.")
        values[number - 3] = [cell == "1" for cell in row[1:]]
    return names, [row[0] for row in rows], values


def _parts(path: Path, files: list[str]) -> NDArray[np.int64]:
    """Return the part of every file: 0 training, 1 validation, 2 test."""
    part: dict[str, int] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or words[1] not in ("0", "1", "2"):
            raise DataError(f"{path}, line {number}: a file and 0, 1 or 2 are needed, not {line!r}.")
        part[words[0]] = int(words[1])
    absent = next((file for file in files if file not in part), None)
    if absent is not None:
        raise DataError(f"{path}: the image {absent} is missing.")
    return np.array([part[file] for file in files])
