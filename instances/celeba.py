"""celeba: attributes of faces, from a folder of CelebA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import DataError, MultiTaskData, Task, TrainingSettings, UsageError
from engine.errors import unknown_name
from engine.files import read_text
from instances.images.image_files import cached_images
from instances.reading.folder_instance import FolderInstance
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info, with_tasks

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


class Celeba(FolderInstance):
    """CelebA: 202599 faces, one binary task per attribute, on the published parts.

    Looked for in the folder ``celeba`` of a data folder, which holds ``list_attr_celeba.txt``,
    ``list_eval_partition.txt`` and the folder ``img_align_celeba``. The images are resized once and kept in
    the user cache, from where they are read as they are used.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.reading.folder_instance.FolderInstance`.
    attributes
        Which attributes; None: all of the folder.
    height, width
        Of the images, in pixels.
    n_images
        How many images are drawn, from all parts together; None: all.
    seed
        Of the draw.
    """

    info = training_info(
        "9 attributes of faces, binary (CelebA); needs the folder celeba",
        NINE_ATTRIBUTES,
        default_budget=3.0,
        publisher=Publisher(
            origin="CelebA, mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            licence="non-commercial research only; never downloaded",
        ),
        note="8000 images of 64 × 64 pixels unless told otherwise; needs Pillow, the extra images",
    )
    title = "CelebA"
    layouts = (("celeba", "list_attr_celeba.txt"),)
    ways = "It is at mmlab.ie.cuhk.edu.hk/projects/CelebA.html."
    backbone = "cnn"
    backbone_options = {"channels": 8, "hidden": 64}  # noqa: RUF012
    settings = TrainingSettings(epochs=8, batch_size=64, patience=3)

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        attributes: tuple[str, ...] | None = NINE_ATTRIBUTES,
        height: int = 64,
        width: int = 64,
        n_images: int | None = 8000,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(name, data_dir, **options)
        self._attributes, self._size = attributes, (height, width)
        self.n_images, self.seed = n_images, seed
        if attributes is not None:
            self.info = with_tasks(self.info, attributes)

    def data(self) -> MultiTaskData:
        """Return the images and their attributes.

        Raises
        ------
        DataError
            If a file is absent or malformed, or no image of a part was drawn.
        UsageError
            If an attribute is unknown, or there are fewer images than wanted.
        MissingDependencyError
            If Pillow is not installed.
        """
        folder = self.folder()
        names, files, values = _attributes(folder / "list_attr_celeba.txt")
        parts = _parts(folder / "list_eval_partition.txt", files)
        wanted = names if self._attributes is None else self._attributes
        for attribute in wanted:
            if attribute not in names:
                raise unknown_name("attribute", attribute, names)
        rows = np.arange(len(files))
        if self.n_images is not None:
            if not 0 < self.n_images <= len(files):
                raise UsageError(
                    f"{folder} has {len(files)} images; {self.n_images} cannot be drawn from them."
                )
            draw = np.random.default_rng(self.seed).permutation(len(files))
            rows = np.sort(draw[: self.n_images])
        paths = [folder / "img_align_celeba" / files[row] for row in rows]
        return MultiTaskData(
            tuple(Task(attribute, "binary") for attribute in wanted),
            (cached_images("celeba", paths, self._size),),
            tuple(values[rows, names.index(attribute)] for attribute in wanted),
            {part: (np.flatnonzero(parts[rows] == number),) for number, part in enumerate(_PARTS)},
            name=self.name,
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
