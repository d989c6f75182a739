"""Instances of labelled images: one task per class, one against the rest."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from engine import MultiTaskData, Task, TrainingSettings
from instances.images.class_tasks import LabelledImages, Targets, draw, image_targets, image_tasks
from instances.reading.folder_instance import FolderInstance
from instances.reading.training_info import with_tasks

VALID = 0.2
"""Fraction of the training part that is for validation."""


class ImageInstance(FolderInstance):
    """Base of the instances whose tasks are the classes of images; the published test part is the test split.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.reading.folder_instance.FolderInstance`.
    n_train, n_test
        How many images are drawn of the training part, a fifth of which is for validation, and of the
        test part; None: all.
    positive_weight, multiclass
        As in :func:`~instances.images.class_tasks.image_tasks`.
    seed
        Of all draws.
    """

    backbone = "cnn"
    backbone_options = {"channels": 8, "hidden": 64}  # noqa: RUF012
    settings = TrainingSettings(epochs=8, batch_size=64, patience=3)

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        n_train: int | None = 6000,
        n_test: int | None = 2000,
        positive_weight: float = 1.0,
        multiclass: bool = False,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(name, data_dir, **options)
        self.n_train, self.n_test, self.seed, self.multiclass = n_train, n_test, seed, multiclass
        self.n_classes = len(self.info.tasks)
        self.set_tasks(image_tasks(self.info.tasks, positive_weight, multiclass))

    def set_tasks(self, tasks: tuple[Task, ...]) -> None:
        """Let the instance have other tasks than were declared."""
        self.tasks = tasks
        self.info = with_tasks(self.info, [task.name for task in tasks])

    @abstractmethod
    def read(self) -> LabelledImages:
        """Return all images.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        """

    def further(self, source: LabelledImages) -> tuple[LabelledImages, Targets]:
        """Return the images drawn, and the targets of tasks beyond the classes; none by default."""
        return source, ()

    def data(self) -> MultiTaskData:
        """Return the images and their tasks; images of the training part come first in the rows.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        UsageError
            If there are fewer images than wanted.
        """
        source = draw(self.read(), self.n_train, self.n_test, self.seed)
        labels = np.concatenate([source.labels, source.test_labels])
        targets = image_targets(labels, self.n_classes, self.multiclass)
        source, more = self.further(source)
        count = len(source.images)
        order = np.random.default_rng((self.seed, 1)).permutation(count)
        first = round(count * VALID)
        return MultiTaskData(
            self.tasks,
            (np.concatenate([source.images, source.test_images]),),
            (*targets, *more),
            {
                "train": (np.sort(order[first:]),),
                "valid": (np.sort(order[:first]),),
                "test": (np.arange(count, len(labels)),),
            },
            name=self.name,
            provenance=self.info.origin,
        )
