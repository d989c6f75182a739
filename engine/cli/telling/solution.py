"""The human view of one solution: groups, who serves whom, and what is proven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.cli.telling.output import amount, gap_percent, number, percent, unit
from engine.cli.telling.results import PROVEN, Result, basis, kind_name, solver_line, stopped
from engine.cli.telling.tables import MEASURED_NOTE, PREDICTED, PREDICTED_NOTE, Column, Fitted, facts, starred
from engine.problem.table import Kind
from engine.solving.solution import Status

if TYPE_CHECKING:
    from rich.console import RenderableType


def solution_table(result: Result, read_seconds: float) -> Iterator[RenderableType]:
    """Yield what to print, from the groups down to the certificate.

    Parameters
    ----------
    result
        What was found.
    read_seconds
        How long reading the gains took.
    """
    if result.solution.found:
        yield _groups(result)
        yield ""
        yield _serving(result)
        scores = result.shown_scores
        predicted = result.predicted_servings or (scores is not None and scores.predicted)
        yield PREDICTED_NOTE if predicted else MEASURED_NOTE
        yield ""
    yield facts(_facts(result, read_seconds))


def _groups(result: Result) -> Fitted:
    groups = result.solution.groups
    served = list(result.solution.serving.values())
    columns = [Column("group", [str(index + 1) for index in range(len(groups))])]
    if any(group.cost != 1 for group in groups):
        columns.append(Column("cost", [f"{group.cost:g}" for group in groups]))
    columns.append(Column("serves", [str(served.count(index)) for index in range(len(groups))]))
    if not all(group.measured for group in groups):
        kinds = ["measured" if group.measured else "predicted" for group in groups]
        columns.append(Column("gains", kinds, right=False))
    columns.append(Column("tasks", [", ".join(group.tasks) for group in groups], right=False, whole=False))
    return Fitted(columns)


def _serving(result: Result) -> Fitted:
    solution = result.valued
    what, serving = unit(solution.quantity), solution.serving
    promised = [amount(solution.task_values[task], solution.quantity) for task in serving]
    guessed = [not solution.groups[group].measured for group in serving.values()]
    columns = [
        Column("task", list(serving), right=False),
        Column("group", [str(group + 1) for group in serving.values()]),
        Column(f"{_promise(result)} {what}", starred(promised, guessed)),
    ]
    recorded = None if result.selection is None else result.selection.recorded
    for scores, name in (
        (None if recorded is None else recorded.best, "recorded"),
        (result.shown_scores, "evaluation"),
    ):
        if scores is not None:
            kept = [amount(scores.task_values.get(task), solution.quantity) for task in serving]
            guessed = [not scores.measured.get(task, True) for task in serving]
            columns.append(Column(f"{scores.split or name} {what}", starred(kept, guessed)))
    return Fitted(columns)


def _promise(result: Result) -> str:
    """Return what the values are called that the grouping promises."""
    if result.graph is not None:
        return "pair-mean"
    return result.solution.gains.get("split") or "source"


def _facts(result: Result, read_seconds: float) -> Iterator[tuple[str, str]]:
    solution = result.solution
    certificate = solution.certificate
    predicted = "" if result.basis == "measured" or result.graph else f"  ({result.basis})"
    yield "instance", result.instance
    if result.kind is not Kind.TABLE:
        yield "kind", f"{kind_name(result.kind)}: {result.kind}"
    yield "problem", solution.objective
    yield "status", f"{solution.status}: {PROVEN[solution.status]} ({stopped(certificate.termination)})"
    for index, demand in enumerate(solution.conflict):
        yield "" if index else "conflict", demand
    for index, reason in enumerate(solution.reasons):
        yield "" if index else "because", reason
    for index, problem in enumerate(certificate.problems):
        yield "" if index else "refuted", problem
    if solution.found:
        weights = "  (weights of the pairs in one group, added up)" if result.graph else ""
        yield "value", number(solution.value) + predicted + weights
    if solution.found or (solution.bound is not None and solution.status is not Status.INFEASIBLE):
        yield "bound", number(solution.bound)
        gap = gap_percent(solution.gap, solution.status)
        yield "gap", gap if gap == "–" else f"{gap} %"
    if solution.found:
        if result.kind is not Kind.TABLE:
            yield "groups", result.told_groups
        yield from _totals(result)
        yield from _means(result)
    yield "graph" if result.graph else "gains", result.gains
    if result.judged_on:
        yield "judged on", result.judged_on
    if result.not_evaluated:
        yield "not judged", result.not_evaluated
    yield "from", result.told_origin
    if result.note:
        yield "note", result.note
    if "method" in solution.details:
        yield "method", str(solution.details["method"])
    yield "solver", solver_line(certificate)
    seconds = {"read": read_seconds, **certificate.seconds}
    yield "seconds", "  ".join(f"{stage} {spent:.3f}" for stage, spent in seconds.items())


def _totals(result: Result) -> Iterator[tuple[str, str]]:
    """Yield what the partition of a graph is worth as a selection."""
    selection = result.selection
    if selection is None:
        return
    yield "selection", f"{number(selection.value)} total gain by the pair-mean rule  ({result.basis})"
    recorded = selection.recorded
    if recorded is not None and recorded.scores is not None:
        scores = recorded.scores
        kind = basis(scores.predicted, len(scores.measured), "tasks")
        yield "", f"{number(scores.total)} total gain on {scores.split or 'the recorded gains'}  ({kind})"
    elif recorded is not None:
        yield "", recorded.why


def _means(result: Result) -> Iterator[tuple[str, str]]:
    """Yield what a task gains or loses in the mean, promised and kept."""
    solution, scores = result.valued, result.shown_scores
    quantity = solution.quantity
    name, sign = ("mean gain", " %") if quantity == "gain" else ("mean loss", "")
    promised = "by the pair-mean rule" if result.graph else f"on {_promise(result)}"
    yield name, f"{amount(solution.mean, quantity)}{sign} {promised}  ({result.basis})"
    recorded = None if result.selection is None else result.selection.recorded
    for one, split in ((None if recorded is None else recorded.best, "recorded"), (scores, "evaluation")):
        if one is not None:
            judged, count = len(one.measured), len(solution.tasks)
            kind = basis(one.predicted, judged, "tasks")
            kind += "" if judged == count else f", {judged} of {count} tasks"
            yield "", f"{amount(one.mean, quantity)}{sign} on {one.split or split}  ({kind})"
    if result.scores is not None:
        optimism = result.scores.optimism
        points = f"{percent(optimism)} points" if quantity == "gain" else number(optimism)
        mark = PREDICTED if result.predicted_servings or result.scores.predicted else ""
        yield "optimism", f"{points}{mark} (promised minus kept, mean over tasks)"
