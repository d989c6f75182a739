"""Charts: the numbers of a plot, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import DataError

if TYPE_CHECKING:
    from engine.comparison_table import Comparison, Row
    from engine.gains import GainTensor
    from engine.solution import Solution


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
