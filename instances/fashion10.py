"""fashion10: Fashion-MNIST, ten kinds of clothing as one-against-the-rest tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine import DataError
from instances.images.class_tasks import Images, LabelledImages, Labels, check_labels
from instances.images.idx_images import read_idx
from instances.images.image_instance import ImageInstance
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info

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
_FIRST = "train-images-idx3-ubyte.gz"


class Fashion10(ImageInstance):
    """Fashion-MNIST: grey images of 28 × 28 pixels, 60000 for training and 10000 for testing.

    Looked for in the folder ``fashion-mnist`` of a data folder, and where Debian installs it: the files
    ``train-images-idx3-ubyte.gz``, ``train-labels-idx1-ubyte.gz`` and the same with ``t10k``. Those of
    MNIST are alike.
    """

    info = training_info(
        "10 kinds of clothing, one against the rest (Fashion-MNIST)",
        _TASKS,
        default_budget=3.0,
        publisher=Publisher(origin="Fashion-MNIST, github.com/zalandoresearch/fashion-mnist", licence="MIT"),
        note="6000 training and 2000 test images unless told otherwise",
    )
    title = "Fashion-MNIST"
    layouts = (("fashion-mnist", _FIRST), ("/usr/share/datasets/fashion-mnist", _FIRST))
    ways = (
        "It is the Debian package dataset-fashion-mnist, which is found where it installs its files, or "
        "the four files at github.com/zalandoresearch/fashion-mnist, data/fashion."
    )

    def read(self) -> LabelledImages:
        """Return all images.

        Raises
        ------
        DataError
            If the files are absent or malformed, or do not fit together.
        """
        folder = self.folder()
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
