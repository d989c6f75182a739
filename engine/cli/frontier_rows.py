"""A frontier as lines for machines, and why some of it cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.cli.telling.results import Result, kind_name

FEW_REASONS = 3
"""Up to so many reasons why results cannot be judged are told in full."""


def frontier_row(result: Result) -> dict[str, Any]:
    """Return one budget as a line for machines.

    Parameters
    ----------
    result
        What was found at this budget.
    """
    solution, scores = result.solution, result.scores
    quantity = solution.quantity
    row = {
        "budget": result.budget,
        "kind": kind_name(result.kind),
        "candidate_groups": result.candidates,
        "groups": len(solution.groups),
        "predicted_groups": result.predicted_groups,
        "cost": solution.cost,
        "value": solution.value,
    }
    if result.graph is None:
        row[f"mean_{quantity}"] = solution.mean
    else:
        selection = result.selection
        recorded = None if selection is None or selection.recorded is None else selection.recorded.scores
        row["selection_value"] = None if selection is None else selection.value
        row[f"selection_mean_{quantity}"] = result.valued.mean if selection else None
        row[f"recorded_total_{quantity}"] = None if recorded is None else recorded.total
    return row | {
        "bound": solution.bound,
        "gap": solution.gap,
        "status": solution.status.value,
        f"evaluation_mean_{quantity}": None if scores is None else scores.mean,
        "optimism": None if scores is None else scores.optimism,
        "predicted_servings": result.predicted_servings,
        "evaluation_predicted_servings": None if scores is None else scores.predicted,
        "unevaluated_tasks": None if result.judgement is None else len(result.judgement.unjudged),
        "seconds": solution.certificate.seconds["total"],
        "conflict": result.conflict,
        "termination": solution.certificate.termination.value,
        "presolve": solution.certificate.presolve,
        "method": solution.details.get("method", ""),
    }


def unjudged(results: Sequence[Result]) -> Iterator[str]:
    """Yield why results cannot be judged, each reason once with the budgets it is about."""
    reasons: dict[str, list[str]] = {}
    for one in results:
        if one.not_evaluated:
            reasons.setdefault(one.not_evaluated, []).append(f"{one.budget:g}")
    if len(reasons) <= FEW_REASONS:
        for why, budgets in reasons.items():
            yield f"budget {', '.join(budgets)}: {why}"
        return
    counts = [(one.budget, one.judgement) for one in results if one.not_evaluated]
    told = [f"{len(found.unjudged)} at budget {budget:g}" for budget, found in counts if found is not None]
    yield (
        f"The evaluation gains lack groups. Of {len(results[0].solution.tasks)} tasks there are none for "
        f"{', '.join(told)}; engine solve names them."
    )
