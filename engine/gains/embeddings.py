"""Tasks as points: what a gain model has learnt about them, as a table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.files import write_text
from engine.gains.model import EmbeddedModel


def principal_axes(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn points so that their spread is largest along the first axis, then along the second, and so on.

    Distances stay as they are. On each axis the coordinate of largest magnitude is positive.

    Parameters
    ----------
    points
        Shape (N, D).

    Returns
    -------
    coordinates
        Shape (N, min(N, D)), 0 on average.
    shares
        Shape (min(N, D),): of the variance, along each axis; 0 where all points are one.
    """
    left, singular, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    coordinates = left * singular
    largest = coordinates[np.abs(coordinates).argmax(axis=0), np.arange(len(singular))]
    coordinates = coordinates * np.where(largest < 0, -1.0, 1.0)
    total = float((singular**2).sum())
    return coordinates, singular**2 / total if total > 0 else np.zeros(len(singular))


def write_embeddings(model: EmbeddedModel, path: Path) -> None:
    """Write one line per task, whole or not at all: its name and its D coordinates.

    Parameters
    ----------
    model
        Has an embedding per task.
    path
        A CSV file with the header ``task,1,2,…``.

    Raises
    ------
    DataError
        If the file cannot be written, or the embeddings do not fit the tasks.
    """
    points = checked_points(model)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["task", *range(1, points.shape[1] + 1)])
    for task, point in zip(model.tasks, points.tolist(), strict=True):
        writer.writerow([task, *point])
    write_text(path, stream.getvalue())


def checked_points(model: EmbeddedModel) -> NDArray[np.float64]:
    """Return the embeddings of a model, shape (N, D).

    Raises
    ------
    DataError
        If they are not one row of finite numbers per task.
    """
    points = np.asarray(model.embeddings(), dtype=np.float64)
    if points.ndim != 2 or len(points) != len(model.tasks) or not np.isfinite(points).all():
        raise DataError(
            f"The source {model.source!r} must give one embedding of finite numbers for each of its "
            f"{len(model.tasks)} tasks, not an array of shape {points.shape}."
        )
    return points
