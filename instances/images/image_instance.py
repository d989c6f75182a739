"""Instances of labelled images: one task per class, one against the rest."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.catalogue.trainable import TrainableInstance
from engine.data import MultiTaskData, Task
from engine.training.settings import TrainingSettings
from instances.images.class_tasks import LabelledImages, Targets, draw, image_data, image_targets, image_tasks


class ImageInstance(TrainableInstance):
    """Base of the instances whose tasks are the classes of images.

    Attributes
    ----------
    classes
        Their names, which the tasks get.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.catalogue.instance.Instance`.
    n_train, n_test
        How many images are drawn of the training part, a fifth of which is for validation, and of the
        test part; None: all.
    positive_weight, multiclass
        As in :func:`~instances.images.class_tasks.image_tasks`.
    seed
        Of all draws.
    """

    classes: ClassVar[tuple[str, ...]]
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
    ) -> None:
        super().__init__(name, data_dir)
        self.n_train, self.n_test, self.seed, self.multiclass = n_train, n_test, seed, multiclass
        self.tasks: tuple[Task, ...] = image_tasks(self.classes, positive_weight, multiclass)
        self.info = replace(self.info, tasks=tuple(task.name for task in self.tasks))

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
        """Return the images and their tasks.

        Raises
        ------
        DataError
            If the files are absent or malformed.
        UsageError
            If there are fewer images than wanted.
        """
        source = draw(self.read(), self.n_train, self.n_test, self.seed)
        labels = np.concatenate([source.labels, source.test_labels])
        targets = image_targets(labels, len(self.classes), self.multiclass)
        source, more = self.further(source)
        return image_data(
            source,
            self.tasks,
            (*targets, *more),
            seed=self.seed,
            name=self.name,
            provenance=self.info.origin,
        )
