"""Charts: the numbers of a plot, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.problem.lattice import LatticeProblem
from engine.solving.judgement import judgement

if TYPE_CHECKING:
    from engine.gains.tensor import GainTensor
    from engine.problem.table import Problem
    from engine.solving.comparison_table import Comparison
    from engine.solving.row import Row
    from engine.solving.scores import Scores
    from engine.solving.solution import Solution


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
    title, subtitle
        Instance, source and what is predicted; objective and demands.
    quantity
        ``"gain"`` or ``"loss"``.
    budget
        What the budget limits.
    source, evaluation
        How the two splits are called.
    curves
        One per solver.
    """

    title: str
    subtitle: str
    quantity: str
    budget: str
    source: str
    evaluation: str
    curves: tuple[Curve, ...]


def frontier_chart(
    problem: Problem | LatticeProblem,
    solutions: Mapping[float, Solution],
    evaluation: GainTensor | None = None,
    *,
    title: str = "",
) -> tuple[Panel, ...]:
    """Return the numbers of a frontier plot, nothing if no budget has a grouping.

    Parameters
    ----------
    problem
        What was solved.
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
    kept = [_scores(one, evaluation) for one in found.values()]
    curve = Curve(
        label=next(iter(found.values())).certificate.solver,
        budgets=tuple(found),
        source=tuple(one.mean for one in found.values()),
        evaluation=tuple(None if one is None else one.mean for one in kept),
        bound=tuple(_mean_bound(one) for one in found.values()),
        proven=tuple(one.status == "OPTIMAL" for one in found.values()),
    )
    servings = [one.groups[index].measured for one in found.values() for index in one.serving.values()]
    judged = [measured for one in kept if one is not None for measured in one.measured.values()]
    name = f"{title} · {problem.source}"
    return (_panel(name, problem, evaluation, (curve,), not all(servings), not all(judged)),)


def comparison_chart(comparison: Comparison) -> tuple[Panel, ...]:
    """Return the numbers of a comparison plot: a panel per problem, a curve per solver."""
    panels = []
    for case in comparison.cases:
        rows = [row for row in comparison.rows_of(case) if row.value is not None]
        by_solver: dict[str, list[Row]] = {}
        for row in rows:
            by_solver.setdefault(row.solver, []).append(row)
        if rows:
            curves = tuple(_curve(solver, some) for solver, some in by_solver.items())
            predicted = any(row.predicted_servings for row in rows)
            judged = any(row.evaluation_predicted_servings for row in rows)
            name = f"{case.instance} · {case.source_name}"
            panels.append(_panel(name, case.problem, case.evaluation, curves, predicted, judged))
    return tuple(panels)


def _panel(
    name: str,
    problem: Problem | LatticeProblem,
    evaluation: GainTensor | None,
    curves: tuple[Curve, ...],
    predicted: bool,
    evaluation_predicted: bool,
) -> Panel:
    judged = any(mean is not None for curve in curves for mean in curve.evaluation)
    split = (evaluation.split or "evaluation") if evaluation is not None and judged else ""
    title = f"{name}{', predicted' if predicted else ''}".strip(" ·")
    return Panel(
        title=f"{title} · {split} predicted" if evaluation_predicted else title,
        subtitle=problem.describe(),
        quantity=problem.quantity,
        budget="number of groups" if _has_unit_costs(problem) else "total cost of the groups",
        source=problem.gains_record()["split"] or "source",
        evaluation=split,
        curves=curves,
    )


def _has_unit_costs(problem: Problem | LatticeProblem) -> bool:
    return isinstance(problem, LatticeProblem) or bool((problem.gains.cost == 1).all())


def _scores(solution: Solution, evaluation: GainTensor | None) -> Scores | None:
    return None if evaluation is None else judgement(solution, evaluation, "evaluation").scores


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
