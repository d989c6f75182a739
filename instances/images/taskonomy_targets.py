"""What is predicted of a Taskonomy domain: its image, reduced to a vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import DataError, Task
from engine.errors import unknown_name

Vector = NDArray[np.float64]

_DEEPEST = 65535.0
_CHANNELS = {
    "depth_euclidean": 1,
    "depth_zbuffer": 1,
    "edge_occlusion": 1,
    "edge_texture": 1,
    "keypoints2d": 1,
    "keypoints3d": 1,
    "normal": 3,
    "principal_curvature": 2,
    "reshading": 1,
}
"""The numbers of a pixel that count, by domain."""
_CLASSES = 18


def domain_task(domain: str, grid: int) -> Task:
    """Return the task of a domain: regression with channels · grid² outputs, or multiclass.

    Raises
    ------
    UsageError
        If the domain is unknown.
    """
    if domain == "segment_semantic":
        return Task(domain, "multiclass", outputs=_CLASSES)
    if domain not in _CHANNELS:
        raise unknown_name("domain", domain, (*_CHANNELS, "segment_semantic"))
    return Task(domain, "regression", outputs=_CHANNELS[domain] * grid**2, loss="absolute-error")


def domain_target(domain: str, pixels: NDArray[Any], grid: int, path: Path) -> Vector:
    """Return the target of one image.

    =====================  ===================================================================
    domain                 target
    =====================  ===================================================================
    depth_euclidean,       mean depth of each cell in metres (pixel ÷ 512); pixels of value
    depth_zbuffer          65535 have no depth, and a cell of such pixels has no label
    normal                 mean of each of the three components in each cell, −1…1
    principal_curvature    mean of the first two channels in each cell, −1…1
    reshading              mean brightness of each cell, 0…1
    edge_*, keypoints*     mean strength of each cell, 0…1 of the 16-bit range
    segment_semantic       the most frequent class of the image, 2…17; pixels of class 0
                           (uncertain) and 1 (background) do not count, and an image of such
                           pixels has no label
    =====================  ===================================================================

    Parameters
    ----------
    domain
        Its name.
    pixels
        Shape (height, width) or (height, width, channels), as the file has them.
    grid
        Cells per side.
    path
        Where they come from, for the message.

    Returns
    -------
    array
        Shape (1,) for ``segment_semantic``, else (channels · grid²,): channel by channel, row by row.

    Raises
    ------
    DataError
        If the pixels do not fit the domain, or are fewer than the cells.
    """
    if domain == "segment_semantic":
        return _dominant(pixels, path)
    values = _values(domain, pixels, path)
    if min(values.shape[1:]) < grid:
        raise DataError(
            f"{path}: an image of {values.shape[1]} × {values.shape[2]} has no {grid} × {grid} cells."
        )
    return np.concatenate([_cells(channel, grid) for channel in values])


def _values(domain: str, pixels: NDArray[Any], path: Path) -> NDArray[np.float64]:
    """Return the numbers of a domain, shape (channels, height, width)."""
    channels = np.atleast_3d(pixels).transpose(2, 0, 1).astype(np.float64)
    wanted = 3 if domain in ("normal", "principal_curvature") else 1
    if len(channels) < wanted:
        raise DataError(
            f"{path}: an image of the domain {domain!r} has {wanted} channels, not {len(channels)}."
        )
    if domain.startswith("depth"):
        depth = channels[:1]
        return np.where(depth >= _DEEPEST, np.nan, depth / 512)
    if domain in ("normal", "principal_curvature"):
        return np.asarray(channels[: _CHANNELS[domain]] / 127.5 - 1)
    if domain == "reshading":
        return np.asarray(channels[:3].mean(axis=0, keepdims=True) / 255)
    return channels[:1] / 65535


def _cells(channel: NDArray[np.float64], grid: int) -> Vector:
    edges = [np.linspace(0, size, grid + 1).astype(int) for size in channel.shape]
    known = ~np.isnan(channel)
    sums, counts = (
        np.add.reduceat(np.add.reduceat(one, edges[0][:-1], axis=0), edges[1][:-1], axis=1).ravel()
        for one in (np.where(known, channel, 0.0), known.astype(np.float64))
    )
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _dominant(pixels: NDArray[Any], path: Path) -> Vector:
    classes = np.atleast_3d(pixels)[:, :, 0].astype(np.int64)
    if classes.max() >= _CLASSES:
        raise DataError(f"{path}: pixel of class {classes.max()}; the classes are 0 to {_CLASSES - 1}.")
    counts = np.bincount(classes.ravel(), minlength=_CLASSES)[2:]
    return np.array([counts.argmax() + 2.0 if counts.any() else np.nan])
