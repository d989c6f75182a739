"""A picture of the tasks as points: what a gain model has learnt about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.gains.embeddings import checked_points, principal_axes
from engine.gains.model import EmbeddedModel
from engine.plots.drawing import COLOURS, DPI, check_plot, save_figure


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
    points = checked_points(model)
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
