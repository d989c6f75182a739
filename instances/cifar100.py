"""CIFAR-100 as one-against-the-rest tasks, 100 fine or 20 coarse classes, from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.data import MultiTaskData
from engine.errors import DataError
from engine.files import read_text
from instances.images.cifar import read_cifar100_binary
from instances.images.class_tasks import draw, image_data, image_targets, image_tasks


def read_cifar100_data(
    folder: Path | str,
    *,
    coarse: bool = False,
    n_train: int | None = None,
    n_test: int | None = None,
    positive_weight: float = 1.0,
    multiclass: bool = False,
    seed: int = 0,
) -> MultiTaskData:
    """Return CIFAR-100: colour images of 32 × 32 pixels, 50000 for training and 10000 for testing.

    Parameters
    ----------
    folder
        The publisher's binary version, ``cifar-100-binary``: ``train.bin``, ``test.bin``, and the names
        of the classes in ``fine_label_names.txt`` and ``coarse_label_names.txt``.
    coarse
        20 coarse classes rather than 100 fine ones.
    n_train, n_test
        How many images are drawn of the training part, a fifth of which is for validation, and of the
        test part; None: all.
    positive_weight, multiclass
        As in :func:`~instances.images.class_tasks.image_tasks`.
    seed
        Of the draws.

    Raises
    ------
    DataError
        If a file is absent or malformed.
    UsageError
        If there are fewer images than wanted.
    """
    folder = Path(folder)
    which, count = ("coarse", 20) if coarse else ("fine", 100)
    path = folder / f"{which}_label_names.txt"
    names = read_text(path).split()
    if len(names) != count:
        raise DataError(f"{path}: {count} names are needed, not {len(names)}.")
    source = draw(read_cifar100_binary(folder, coarse=coarse), n_train, n_test, seed)
    labels = np.concatenate([source.labels, source.test_labels])
    return image_data(
        source,
        image_tasks(names, positive_weight, multiclass),
        image_targets(labels, count, multiclass),
        seed=seed,
        name=f"cifar{count}",
        provenance="CIFAR-100, www.cs.toronto.edu/~kriz/cifar.html",
    )
