"""Plots: a record of numbers first, then a drawing of it."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError, MissingDependencyError, UsageError
from engine.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from engine.comparison import Comparison, Row
    from engine.gains import GainTensor
    from engine.solution import Solution

FORMATS = (".png", ".svg", ".pdf")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DPI = 150


@dataclass(frozen=True)
class Curve:
    """What one solver reaches by budget; means over tasks, None where unknown.

    Attributes
    ----------
    label
        Its name in the legend.
    budgets
        Ascending.
    source, evaluation
        Mean on the split the solver saw, and on the one it is judged on.
    bound
        Proven limit of the source mean, where the objective is the plain total.
    proven
        Whether the grouping is proven optimal.
    """

    label: str
    budgets: tuple[float, ...]
    source: tuple[float | None, ...]
    evaluation: tuple[float | None, ...]
    bound: tuple[float | None, ...]
    proven: tuple[bool, ...]


@dataclass(frozen=True)
class Panel:
    """The curves on one problem.

    Attributes
    ----------
    title
        Instance and source.
    quantity
        ``"gain"`` or ``"loss"``.
    source, evaluation
        How the two splits are called.
    curves
        One per solver.
    """

    title: str
    quantity: str
    source: str
    evaluation: str
    curves: tuple[Curve, ...]


def frontier_chart(
    solutions: Mapping[float, Solution], evaluation: GainTensor | None = None, *, title: str = ""
) -> tuple[Panel, ...]:
    """Return the numbers of a frontier plot.

    Parameters
    ----------
    solutions
        As :func:`engine.frontier` returns them.
    evaluation
        The gains to judge on.
    title
        Name of the instance.
    """
    found = {budget: one for budget, one in sorted(solutions.items()) if one.found}
    if not found:
        return ()
    first = next(iter(found.values()))
    kept: list[float | None] = []
    for one in found.values():
        try:
            kept.append(None if evaluation is None else one.evaluate(evaluation).mean)
        except DataError:
            kept.append(None)
    curve = Curve(
        label=first.certificate.solver,
        budgets=tuple(found),
        source=tuple(one.mean_gain for one in found.values()),
        evaluation=tuple(kept),
        bound=tuple(_mean_bound(one) for one in found.values()),
        proven=tuple(one.status == "OPTIMAL" for one in found.values()),
    )
    predicted = any(
        not one.groups[index].measured for one in found.values() for index in one.serving.values()
    )
    source = f"{first.gains.get('source', '')}{', predicted' if predicted else ''}"
    return (
        Panel(
            title=f"{title} · {source}".strip(" ·"),
            quantity=first.quantity,
            source=str(first.gains.get("split") or "source"),
            evaluation=(evaluation.split or "evaluation") if evaluation is not None else "",
            curves=(curve,),
        ),
    )


def comparison_chart(comparison: Comparison) -> tuple[Panel, ...]:
    """Return the numbers of a comparison plot: a panel per instance and source, a curve per solver."""
    panels: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in comparison.rows:
        if row.value is not None:
            of_panel = panels.setdefault((row.instance, row.source), {})
            of_panel.setdefault(row.solver, []).append(row)
    made = []
    for (instance, source), by_solver in panels.items():
        every = [row for rows in by_solver.values() for row in rows]
        judged = any(row.evaluation_mean is not None for row in every)
        predicted = ", predicted" if any(row.predicted_servings for row in every) else ""
        made.append(
            Panel(
                title=f"{instance} · {source}{predicted}",
                quantity=every[0].quantity,
                source="source",
                evaluation="evaluation" if judged else "",
                curves=tuple(_curve(solver, rows) for solver, rows in by_solver.items()),
            )
        )
    return tuple(made)


def _curve(solver: str, rows: Sequence[Row]) -> Curve:
    ordered = sorted(rows, key=lambda row: row.budget)
    return Curve(
        label=solver,
        budgets=tuple(row.budget for row in ordered),
        source=tuple(row.mean for row in ordered),
        evaluation=tuple(row.evaluation_mean for row in ordered),
        bound=(None,) * len(ordered),
        proven=tuple(row.status == "OPTIMAL" for row in ordered),
    )


def _mean_bound(solution: Solution) -> float | None:
    """Return the bound per task, where the value is the plain total of the tasks."""
    total = math.fsum(solution.task_values.values())
    if solution.bound is None or solution.value is None:
        return None
    plain = math.isclose(total, solution.value, rel_tol=1e-9, abs_tol=1e-12)
    return solution.bound / len(solution.tasks) if plain else None


def draw(panels: Sequence[Panel]) -> Figure:
    """Draw panels side by side: budget against mean gain, source solid and evaluation dashed.

    Parameters
    ----------
    panels
        At least one, from :func:`frontier_chart` or :func:`comparison_chart`.

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
    figure = Figure(figsize=(1.4 + 4.8 * columns, 0.6 + 3.6 * lines), layout="constrained", dpi=DPI)
    axes = figure.subplots(lines, columns, squeeze=False).ravel().tolist()
    for ax, panel in zip(axes, panels, strict=False):
        _draw_panel(ax, panel)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    return figure


def _draw_panel(ax: Axes, panel: Panel) -> None:
    scale = 100.0 if panel.quantity == "gain" else 1.0
    for index, curve in enumerate(panel.curves):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4.5, "linewidth": 1.6}
        source, evaluation = _scaled(curve.source, scale), _scaled(curve.evaluation, scale)
        bound = _scaled(curve.bound, scale)
        open_ = [
            not proven and limit is not None for proven, limit in zip(curve.proven, curve.bound, strict=True)
        ]
        if any(open_):
            ax.fill_between(
                curve.budgets, source, bound, color=colour, alpha=0.15, linewidth=0, label="up to the bound"
            )
        ax.plot(curve.budgets, source, label=f"{curve.label}, {panel.source}", **style)
        loose = [at for at, proven in enumerate(curve.proven) if not proven]
        ax.plot(
            [curve.budgets[at] for at in loose],
            [source[at] for at in loose],
            linestyle="none",
            marker=marker,
            markersize=4.5,
            markerfacecolor="white",
            markeredgecolor=colour,
            zorder=3,
        )
        if panel.evaluation and any(one is not None for one in curve.evaluation):
            style |= {"linestyle": (0, (4, 2)), "alpha": 0.75, "markersize": 3.0}
            ax.plot(curve.budgets, evaluation, label=f"{curve.label}, {panel.evaluation}", **style)
    ax.set_title(panel.title, fontsize=11)
    ax.set_xlabel("budget (total cost of the groups)")
    ax.set_ylabel("mean gain in %" if panel.quantity == "gain" else "mean loss")
    if any(not proven for curve in panel.curves for proven in curve.proven):
        ax.plot(
            [], [], linestyle="none", marker="o", color="0.4", markerfacecolor="white", label="not proven"
        )
    ax.grid(visible=True, color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize=8, frameon=False)


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
