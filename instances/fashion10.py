"""fashion10: Fashion-MNIST, ten kinds of clothing as one-against-the-rest tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.catalogue.instance import InstanceInfo
from engine.errors import DataError
from instances.images.class_tasks import Images, LabelledImages, Labels, check_labels
from instances.images.idx_images import read_idx
from instances.images.image_instance import ImageInstance
from instances.reading.local_files import find_folder, missing_data

_TASKS = (
    "t_shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle_boot",
)
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_FIRST = "train-images-idx3-ubyte.gz"
_WAYS = (
    "It is the Debian package dataset-fashion-mnist, which is found where it installs its files, or "
    "the four files at github.com/zalandoresearch/fashion-mnist, data/fashion."
)


class Fashion10(ImageInstance):
    """Fashion-MNIST: grey images of 28 × 28 pixels, 60000 for training and 10000 for testing.

    Looked for in the folder ``fashion-mnist`` of a data folder, and where Debian installs it.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.images.image_instance.ImageInstance`.
    """

    info = InstanceInfo(
        summary="10 kinds of clothing, one against the rest (Fashion-MNIST)",
        tasks=_TASKS,
        n_groups=0,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(map(float, range(1, 11))),
        default_budget=3.0,
        origin="Fashion-MNIST, github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
        note="gains are made by engine collect; 6000 training and 2000 test images unless told otherwise",
    )
    classes = _TASKS

    def __init__(self, name: str = "fashion10", data_dir: Path | None = None, **options: Any) -> None:
        super().__init__(name, data_dir, **options)

    def read(self) -> LabelledImages:
        """Return all images.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        """
        folder = find_folder(["fashion-mnist"], _FIRST, self.data_dir, also=[_DEBIAN])
        if folder is None:
            raise missing_data("Fashion-MNIST", f"fashion-mnist/{_FIRST}", _WAYS, self.data_dir)
        return read_fashion_mnist(folder)


def read_fashion_mnist(folder: Path) -> LabelledImages:
    """Return the images and labels of the four files of Fashion-MNIST, or of MNIST, which are alike.

    Parameters
    ----------
    folder
        Holds ``train-images-idx3-ubyte.gz``, ``train-labels-idx1-ubyte.gz`` and the same with ``t10k``.

    Raises
    ------
    DataError
        If a file is absent or malformed, or they do not fit together.
    """
    images, labels = _part(folder, "train")
    test_images, test_labels = _part(folder, "t10k")
    if images.shape[1:] != test_images.shape[1:]:
        raise DataError(f"{folder}: the training and the test images differ in size.")
    return LabelledImages(images, labels, test_images, test_labels)


def _part(folder: Path, part: str) -> tuple[Images, Labels]:
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 3)
    path = folder / f"{part}-labels-idx1-ubyte.gz"
    labels = read_idx(path, 1).astype(np.int64)
    check_labels(path, labels, len(_TASKS), len(images))
    return images[:, None], labels
