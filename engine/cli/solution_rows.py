"""One solution as lines for machines: a line per task."""

from __future__ import annotations

from typing import Any

from engine.cli.telling.results import Result, kind_name
from engine.solving.scores import Scores

Rows = tuple[list[str], list[dict[str, Any]]]


def solution_rows(result: Result) -> Rows:
    """Return the columns and the lines.

    Of the partition of a graph, the columns ``graph_value`` add up to the objective and
    ``selection_gain`` to the value as a selection.

    Parameters
    ----------
    result
        What was found.
    """
    solution, quantity = result.solution, result.solution.quantity
    promised = result.valued.task_values
    selection = result.selection
    rows = []
    for task, index in solution.serving.items():
        group = solution.groups[index]
        row: dict[str, Any] = {"task": task, "group": "|".join(group.tasks)}
        if selection is None:
            row[f"source_{quantity}"] = promised[task]
        else:
            row["graph_value"] = solution.task_values[task]
            row[f"selection_{quantity}"] = promised[task]
            recorded = None if selection.recorded is None else selection.recorded.best
            row |= _judged("recorded", quantity, recorded, task)
        row |= _judged("evaluation", quantity, result.shown_scores, task)
        row["source_measured"] = group.measured
        row["kind"] = kind_name(result.kind)
        row["candidate_groups"] = result.candidates
        rows.append(row)
    return _columns(result), rows


def _columns(result: Result) -> list[str]:
    quantity = result.solution.quantity
    if result.graph is None:
        values = [f"source_{quantity}", f"evaluation_{quantity}", "source_measured", "evaluation_measured"]
    else:
        values = ["graph_value", *(f"{name}_{quantity}" for name in ("selection", "recorded", "evaluation"))]
        values += ["recorded_measured", "evaluation_measured"]
    return ["task", "group", *values, "kind", "candidate_groups"]


def _judged(name: str, quantity: str, scores: Scores | None, task: str) -> dict[str, Any]:
    if scores is None or task not in scores.task_values:
        return {}
    return {f"{name}_{quantity}": scores.task_values[task], f"{name}_measured": scores.measured[task]}
