"""What a backbone takes: the shapes of samples, checked with errors that name the backbone."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import DataError


def is_token_type(dtype: np.dtype[Any]) -> bool:
    """Return whether inputs of this type are tokens: integers other than bytes."""
    return dtype.kind in "iu" and dtype != np.uint8


def image_shape(
    backbone: str, shape: tuple[int, ...], dtype: np.dtype[Any], smallest: int
) -> tuple[int, int, int]:
    """Return (channels, height, width) of an image.

    Parameters
    ----------
    backbone
        Name for the error.
    shape, dtype
        Of one sample.
    smallest
        Least height and width that the network can take.

    Raises
    ------
    DataError
        If a sample is no image, or too small.
    """
    if len(shape) != 3 or is_token_type(dtype) or min(shape[1:]) < smallest:
        raise DataError(
            f"Backbone {backbone!r} takes images, floats or bytes of shape (channels, height, width) with "
            f"at least {smallest} × {smallest} pixels; these samples are {dtype} of shape {shape}."
        )
    return shape[0], shape[1], shape[2]


def series_shape(
    backbone: str, shape: tuple[int, ...], dtype: np.dtype[Any], shortest: int = 1
) -> tuple[int, int]:
    """Return (time, channels) of a series.

    Parameters
    ----------
    backbone
        Name for the error.
    shape, dtype
        Of one sample.
    shortest
        Least number of time steps.

    Raises
    ------
    DataError
        If a sample is no series, or too short.
    """
    if len(shape) != 2 or is_token_type(dtype) or shape[0] < shortest or shape[1] < 1:
        raise DataError(
            f"Backbone {backbone!r} takes series, floats of shape (time, channels) with at least "
            f"{shortest} time steps; these samples are {dtype} of shape {shape}."
        )
    return shape[0], shape[1]
