"""What a backbone takes: samples and options, checked with errors that name the backbone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from engine import DataError, UsageError


def is_token_type(dtype: np.dtype[Any]) -> bool:
    """Return whether inputs of this type are tokens: integers other than bytes."""
    return dtype.kind in "iu" and dtype != np.uint8


def ready(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return samples as an encoder takes them: bytes as 0…1, other integers as tokens, floats in a type."""
    if values.dtype == torch.uint8:
        return values.to(dtype) / 255
    return values.to(dtype) if values.dtype.is_floating_point else values.long()


def check_options(
    backbone: str, options: object, least: Mapping[str, int], rates: Iterable[str] = ()
) -> None:
    """Check the options of a backbone that are sizes or probabilities.

    Parameters
    ----------
    backbone
        Name for the error.
    options
        The backbone, whose fields are its options.
    least
        The smallest value of each option that is a whole number.
    rates
        The options that are probabilities: from 0 to below 1.

    Raises
    ------
    UsageError
        If one is out of range or no such number.
    """
    for name, smallest in least.items():
        value = getattr(options, name)
        if type(value) is not int or value < smallest:
            raise UsageError(
                f"Backbone {backbone!r}: {name} must be a whole number of {smallest} or more, not {value!r}."
            )
    for name in rates:
        value = getattr(options, name)
        if type(value) not in (int, float) or not 0 <= value < 1:
            raise UsageError(f"Backbone {backbone!r}: {name} must be from 0 to below 1, not {value!r}.")


def check_heads(backbone: str, hidden: int, heads: int) -> None:
    """Check that attention heads can share a width evenly.

    Raises
    ------
    UsageError
        If they cannot.
    """
    if hidden % heads:
        raise UsageError(f"Backbone {backbone!r}: {heads} heads cannot share a width of {hidden}.")


def flat_width(backbone: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Return how many numbers a sample of any shape has.

    Parameters
    ----------
    backbone
        Name for the error.
    shape, dtype
        Of one sample.

    Raises
    ------
    DataError
        If a sample is of tokens.
    """
    if is_token_type(dtype):
        raise DataError(
            f"Backbone {backbone!r} takes floats or bytes; these samples are {dtype} of shape {shape}, which "
            "are tokens. Make them floats if they are quantities."
        )
    return math.prod(shape)


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
