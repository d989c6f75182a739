"""Labelled images as one task per class, one against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import DataError, Task, UsageError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Targets = tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images of a published training and test part.

    Attributes
    ----------
    images, labels
        The training part: shape (n, channels, height, width), bytes; and (n,), class numbers.
    test_images, test_labels
        The test part, likewise.
    """

    images: Images
    labels: Labels
    test_images: Images
    test_labels: Labels


def image_tasks(
    names: Sequence[str], positive_weight: float = 1.0, multiclass: bool = False
) -> tuple[Task, ...]:
    """Return a binary task per class and, if asked for, one multiclass task named ``class``.

    Parameters
    ----------
    names
        Names of the classes, which the tasks get.
    positive_weight
        Factor of the positive samples in the binary losses. Above 1 it turns the binary cross-entropy
        into a poor metric, so that such tasks are judged by their balanced accuracy.
    multiclass
        Whether to add the multiclass task.
    """
    metric = "" if positive_weight == 1 else "balanced-accuracy"
    binary = [Task(name, "binary", metric=metric, positive_weight=positive_weight) for name in names]
    return (*binary, *((Task("class", "multiclass", outputs=len(names)),) if multiclass else ()))


def image_targets(labels: Labels, classes: int, multiclass: bool = False) -> Targets:
    """Return the targets of :func:`image_tasks`, each of shape (n,)."""
    binary = tuple((labels == number).astype(np.float64) for number in range(classes))
    return (*binary, labels.astype(np.float64)) if multiclass else binary


def check_labels(path: Path, labels: Labels, classes: int, images: int) -> None:
    """Check that labels are class numbers, one per image.

    Raises
    ------
    DataError
        If they are not; the file and the row are named.
    """
    if len(labels) != images:
        raise DataError(f"{path}: {len(labels)} labels for {images} images.")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise DataError(
            f"{path}: label {labels[wrong[0]]} of image {wrong[0] + 1} is not a class from 0 to "
            f"{classes - 1}."
        )


def draw(source: LabelledImages, n_train: int | None, n_test: int | None, seed: int) -> LabelledImages:
    """Return some of the images, drawn at random; None: all of them.

    Raises
    ------
    UsageError
        If more are wanted than there are.
    """
    train = _some(len(source.images), n_train, "training", seed)
    test = _some(len(source.test_images), n_test, "test", seed)
    return LabelledImages(
        source.images[train], source.labels[train], source.test_images[test], source.test_labels[test]
    )


def _some(count: int, wanted: int | None, which: str, seed: int) -> Labels:
    if wanted is None:
        return np.arange(count)
    if not 0 < wanted <= count:
        raise UsageError(f"There are {count} {which} images; {wanted} cannot be drawn from them.")
    return np.sort(np.random.default_rng(seed).permutation(count)[:wanted])
