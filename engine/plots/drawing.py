"""Plots: charts drawn with matplotlib."""

from __future__ import annotations

import importlib.util
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import MissingDependencyError, UsageError
from engine.files import replacing
from engine.plots.charts import Panel

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


FORMATS = (".png", ".svg", ".pdf")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DPI = 150
DASHES = (6, 3)
SUBTITLE_WIDTH = 62


def draw(panels: Sequence[Panel]) -> Figure:
    """Draw panels side by side: budget against mean gain, source solid and evaluation dashed.

    Parameters
    ----------
    panels
        At least one, from :func:`engine.plots.charts.frontier_chart` or
        :func:`engine.plots.charts.comparison_chart`.

    Raises
    ------
    UsageError
        If there is nothing to draw.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not panels:
        raise UsageError("There is nothing to plot: no budget has a grouping.")
    _require_matplotlib()
    from matplotlib.figure import Figure

    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(2.6 + 4.8 * columns, 0.6 + 3.6 * lines), layout="constrained", dpi=DPI)
    axes = figure.subplots(lines, columns, squeeze=False).ravel().tolist()
    labels = list(dict.fromkeys(curve.label for panel in panels for curve in panel.curves))
    for ax, panel in zip(axes, panels, strict=False):
        _draw_panel(ax, panel, labels)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    figure.legend(handles=_legend(panels, labels), loc="outside right upper", frameon=False, fontsize=9)
    return figure


def _style(label: str, labels: Sequence[str]) -> dict[str, Any]:
    index = labels.index(label)
    return {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)]}


def _darker(colour: str) -> tuple[float, ...]:
    """Return the shade of the evaluation, seen even where it lies on the source."""
    from matplotlib.colors import to_rgb

    return tuple(0.75 * part for part in to_rgb(colour))


def _draw_panel(ax: Axes, panel: Panel, labels: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    scale = 100.0 if panel.quantity == "gain" else 1.0
    for index, curve in enumerate(panel.curves):
        style = _style(curve.label, labels)
        # Later curves lie on top and are thinner, so that curves that coincide are all seen.
        under = min(len(panel.curves) - 1 - index, 4)
        style |= {"markersize": 4.5 + 1.6 * under, "zorder": 2 + index / 100}
        source, evaluation = _scaled(curve.source, scale), _scaled(curve.evaluation, scale)
        if any(not proven for proven in curve.proven):
            upper = _scaled(curve.bound, scale)
            ax.fill_between(curve.budgets, source, upper, color=style["color"], alpha=0.15, linewidth=0)
        ax.plot(curve.budgets, source, linewidth=1.6 + 1.3 * under, **style)
        loose = [at for at, proven in enumerate(curve.proven) if not proven]
        ax.plot(
            [curve.budgets[at] for at in loose],
            [source[at] for at in loose],
            linestyle="none",
            markerfacecolor="white",
            **style,
        )
        width = 1.2 + 1.3 * under
        style |= {
            "color": _darker(style["color"]),
            "markersize": 2.5 + 1.6 * under,
            "zorder": 3 + index / 100,
        }
        dashes = (0, tuple(length / width for length in DASHES))  # matplotlib multiplies by the width
        ax.plot(curve.budgets, evaluation, linestyle=dashes, linewidth=width, **style)
    if all(budget == int(budget) for curve in panel.curves for budget in curve.budgets):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    subtitle = textwrap.fill(panel.subtitle, SUBTITLE_WIDTH)
    ax.set_title(panel.title, fontsize=11, loc="left", pad=8 + 10 * (subtitle.count("\n") + 1))
    ax.annotate(
        subtitle,
        (0, 1),
        xytext=(0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color="0.35",
    )
    ax.set_xlabel(f"budget ({panel.budget})")
    ax.set_ylabel("mean gain in %" if panel.quantity == "gain" else "mean loss")
    ax.grid(visible=True, color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _legend(panels: Sequence[Panel], labels: Sequence[str]) -> list[Artist]:
    """Explain colours and markers (the solver), dashes (the split) and fillings (the proof)."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    curves = [curve for panel in panels for curve in panel.curves]
    grey: dict[str, Any] = {"color": "0.35", "linewidth": 1.6}
    handles: list[Artist] = [
        Line2D([], [], label=label, linewidth=1.6, markersize=5, **_style(label, labels)) for label in labels
    ]
    names = list(dict.fromkeys(panel.source for panel in panels))
    handles.append(Line2D([], [], label=f"{' / '.join(names)}: seen by the solver", **grey))
    judged = list(dict.fromkeys(panel.evaluation for panel in panels if panel.evaluation))
    if judged:
        handles.append(
            Line2D([], [], label=f"{' / '.join(judged)}: judged on", linestyle=(0, (4, 2)), **grey)
        )
    if any(not all(curve.proven) for curve in curves):
        hollow: dict[str, Any] = {
            "marker": "o",
            "markerfacecolor": "white",
            "linestyle": "none",
            "color": "0.35",
        }
        handles.append(Line2D([], [], label="not proven optimal", **hollow))
    if any(
        limit is not None and not proven
        for curve in curves
        for limit, proven in zip(curve.bound, curve.proven, strict=True)
    ):
        handles.append(Patch(color="0.35", alpha=0.15, label="up to the proven bound"))
    return handles


def _scaled(numbers: Sequence[float | None], scale: float) -> list[float]:
    return [math.nan if one is None else scale * one for one in numbers]


def check_plot(path: Path) -> None:
    """Refuse a plot that cannot be drawn, before time is spent on its numbers.

    Raises
    ------
    UsageError
        If the ending is unknown or matplotlib is missing.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: a plot ends in {', '.join(FORMATS)}.")
    _require_matplotlib()


def _require_matplotlib() -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError(
            "Plots need matplotlib, not installed here: pip install 'task-grouping-engine[plot]'"
        )


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure, whole or not at all; the ending says how.

    Parameters
    ----------
    figure
        From :func:`draw`.
    path
        Ending in ``.png``, ``.svg`` or ``.pdf``.
    """
    target = Path(path)
    check_plot(target)
    with replacing(target) as temporary:
        figure.savefig(temporary, format=target.suffix.lower()[1:])
