"""What the figures of a result are called, in words; and its exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.cli.telling.messages import FAILED
from engine.problem.kinds import Kind
from engine.solving.certificate import Certificate, Status
from engine.solving.result import Result
from engine.solving.solution import Solution

NO_SOLUTION = 4
EXIT_CODES = {
    Status.OPTIMAL: 0,
    Status.FEASIBLE: 0,
    Status.INFEASIBLE: 3,
    Status.NONE: NO_SOLUTION,
    Status.ERROR: FAILED,
}
PROVEN = {
    Status.OPTIMAL: "proven optimal",
    Status.FEASIBLE: "not proven",
    Status.INFEASIBLE: "proven: no grouping meets the demands",
    Status.NONE: "not proven: no grouping found, and none excluded",
    Status.ERROR: "refuted: the independent check found the solver wrong",
}


def basis(predicted: int, count: int, things: str) -> str:
    """Say what values are: measured, predicted, or how many of them are predicted."""
    if not predicted:
        return "measured"
    return "predicted" if predicted == count else f"{predicted} of {count} {things} predicted"


def servings_basis(result: Result) -> str:
    """Say what the source gains of the serving groups are: measured, predicted, or how many are."""
    return basis(result.predicted_servings, len(result.solution.serving), "tasks")


def groups_line(result: Result) -> str:
    """Say how many groups were chosen from how many, and how many of them are predicted."""
    chosen = len(result.solution.groups)
    counts = f"{chosen} of all {result.candidates} groups of {len(result.solution.tasks)} tasks"
    return f"{counts} ({basis(result.predicted_groups, chosen, 'chosen groups')})"


def gains_line(result: Result) -> str:
    """Say what a problem was solved on."""
    if result.graph is not None:
        return result.graph.describe()
    return record_line(result.kind, result.solution.gains)


def record_line(kind: Kind, gains: Mapping[str, Any]) -> str:
    """Say what a problem is solved on, by what its ``gains_record`` says."""
    count = gains["measured_groups"]
    if kind is Kind.TABLE:
        return origin_line(gains["source"], gains["split"], gains["groups"], count)
    fitted = f"fitted on {count} measured groups" if count else "fitted on predictions"
    return f"model {gains['source']!r}, split {gains['split'] or 'unnamed'}, {fitted}"


def judged_line(result: Result) -> str:
    """Say what a result was judged on; empty without scores."""
    scores = result.shown_scores
    if scores is None:
        return ""
    line = origin_line(scores.source, scores.split)
    count, tasks = len(scores.task_values), len(result.solution.tasks)
    return line if count == tasks else f"{line}: {count} of {tasks} tasks"


def provenance_line(provenance: str, origin: str) -> str:
    """Say where gains come from, each thing once.

    Parameters
    ----------
    provenance
        Words of the gains.
    origin
        Words of the instance that holds them.
    """
    if origin in provenance:
        return provenance or "unknown"
    return origin if provenance in origin else f"{provenance}; {origin}"


def conflict_line(solution: Solution) -> str:
    """Say which demands cannot all be met and, where it shows, why; empty where there are none."""
    why = "; ".join(solution.reasons)
    return "; ".join(solution.conflict) + (f" ({why})" if why else "")


def origin_line(source: str, split: str, groups: int = 0, measured: int = 0) -> str:
    """Say where gains come from and, where a number of groups is given, what they are."""
    line = f"source {source!r}, split {split or 'unnamed'}"
    return f"{line}, {groups} groups ({basis(groups - measured, groups, 'groups')})" if groups else line


def exit_code(statuses: Iterable[Status]) -> int:
    """Return the exit code of several results: a refuted claim counts most, then any success."""
    codes = {EXIT_CODES[status] for status in statuses}
    for code in (FAILED, 0, NO_SOLUTION):
        if code in codes:
            return code
    return max(codes, default=NO_SOLUTION)


def stopped(termination: str) -> str:
    """Say why a solver stopped."""
    return str(termination).lower().replace("_", " ")


def solver_line(certificate: Certificate) -> str:
    """Say what solved a problem, and how it was told to."""
    words = [certificate.solver, f"seed {certificate.seed}", f"threads {certificate.threads}"]
    words += [] if certificate.presolve else ["no presolve"]
    words += [f"{name} {value}" for name, value in certificate.options.items()]
    return ", ".join(words)
