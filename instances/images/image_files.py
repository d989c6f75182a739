"""Images in files, decoded by Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, MissingDependencyError


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
