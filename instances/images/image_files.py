"""Images in files, decoded by Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import DataError, MissingDependencyError
from instances.reading.array_cache import cached_array, file_stamps


def read_image(path: Path, mode: str = "", *, size: tuple[int, int] | None = None) -> NDArray[Any]:
    """Return the pixels of an image.

    Parameters
    ----------
    path
        The file.
    mode
        The mode that Pillow shall convert to, for instance ``"RGB"``; empty: as the file has it, so
        that 16-bit images keep their numbers.
    size
        Height and width to resize to, by averaging where that is smaller.

    Returns
    -------
    array
        Shape (height, width) or (height, width, channels).

    Raises
    ------
    DataError
        If the file is absent or no image.
    MissingDependencyError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "Reading images needs Pillow: pip install 'task-grouping-engine[images]'."
        ) from None
    try:
        with Image.open(path) as opened:
            image = opened.convert(mode) if mode else opened
            if size is not None:
                image = image.resize(size[::-1], Image.Resampling.BOX)
            return np.asarray(image)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: this image cannot be read ({error}).") from error


def cached_images(topic: str, paths: Sequence[Path], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return coloured images of one size, made once and kept in the user cache.

    Parameters
    ----------
    topic
        Folder below the cache.
    paths
        Their files.
    size
        Height and width.

    Returns
    -------
    array
        Shape (images, 3, height, width), read from the cache as it is used.

    Raises
    ------
    DataError
        If a file is absent or no image, or the cache cannot be written.
    MissingDependencyError
        If Pillow is not installed.
    """

    def fill(array: NDArray[Any]) -> None:
        for row, path in enumerate(paths):
            array[row] = read_image(path, "RGB", size=size).transpose(2, 0, 1)

    return cached_array(topic, file_stamps(paths), (len(paths), 3, *size), np.uint8, fill)
