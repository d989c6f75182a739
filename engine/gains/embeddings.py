"""Tasks as points: what a gain model has learnt about them, as a table and as a picture."""

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
    points = _checked(model)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["task", *range(1, points.shape[1] + 1)])
    for task, point in zip(model.tasks, points.tolist(), strict=True):
        writer.writerow([task, *point])
    write_text(path, stream.getvalue())


def plot_embeddings(model: EmbeddedModel, path: Path) -> None:
    """Draw the tasks in the plane of the two principal axes, with the share of the variance along each.

    Parameters
    ----------
    model
        Has an embedding per task.
    path
        Ending in ``.png``, ``.svg`` or ``.pdf``; written whole or not at all.

    Raises
    ------
    DataError
        If the file cannot be written, or the embeddings do not fit the tasks.
    UsageError
        If the ending is unknown or matplotlib is not installed.
    """
    from engine.plots.drawing import COLOURS, DPI, check_plot, save_figure

    points = _checked(model)
    check_plot(path)
    from matplotlib.figure import Figure

    coordinates, shares = principal_axes(points)
    plane, along = np.zeros((len(points), 2)), np.zeros(2)
    plane[:, : coordinates.shape[1]], along[: len(shares)] = coordinates[:, :2], shares[:2]
    figure = Figure(figsize=(7.0, 6.0), layout="constrained", dpi=DPI)
    ax = figure.subplots()
    ax.scatter(plane[:, 0], plane[:, 1], color=COLOURS[0], s=24)
    for task, (across, up) in zip(model.tasks, plane.tolist(), strict=True):
        ax.annotate(task, (across, up), xytext=(4, 3), textcoords="offset points", fontsize=8)
    ax.margins(x=0.25, y=0.1)  # names stand to the right of their points
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel(f"first principal axis, {100 * along[0]:.0f} % of the variance")
    ax.set_ylabel(f"second principal axis, {100 * along[1]:.0f} %")
    ax.set_title(f"Tasks as {model.source} sees them", fontsize=11)
    save_figure(figure, path)


def _checked(model: EmbeddedModel) -> NDArray[np.float64]:
    points = np.asarray(model.embeddings(), dtype=np.float64)
    if points.ndim != 2 or len(points) != len(model.tasks) or not np.isfinite(points).all():
        raise DataError(
            f"The source {model.source!r} must give one embedding of finite numbers for each of its "
            f"{len(model.tasks)} tasks, not an array of shape {points.shape}."
        )
    return points
