"""The human view of one solution: groups, who serves whom, and what is proven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.cli.output import amount, gap_percent, number, percent, unit
from engine.cli.results import PROVEN, Result, basis
from engine.cli.tables import MEASURED_NOTE, PREDICTED, PREDICTED_NOTE, Column, Fitted, facts, starred
from engine.solution import Status

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
        predicted = result.predicted_servings or (result.scores is not None and result.scores.predicted)
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
    solution, scores = result.solution, result.scores
    what, serving = unit(solution.quantity), solution.serving
    promised = [amount(solution.task_values[task], solution.quantity) for task in serving]
    guessed = [not solution.groups[group].measured for group in serving.values()]
    columns = [
        Column("task", list(serving), right=False),
        Column("group", [str(group + 1) for group in serving.values()]),
        Column(f"{solution.gains.get('split') or 'source'} {what}", starred(promised, guessed)),
    ]
    if scores is not None:
        kept = [amount(scores.task_values[task], solution.quantity) for task in serving]
        guessed = [not scores.measured[task] for task in serving]
        columns.append(Column(f"{scores.split or 'evaluation'} {what}", starred(kept, guessed)))
    return Fitted(columns)


def _facts(result: Result, read_seconds: float) -> Iterator[tuple[str, str]]:
    solution, scores = result.solution, result.scores
    certificate = solution.certificate
    quantity = solution.quantity
    predicted = "" if result.basis == "measured" else f"  ({result.basis})"
    yield "instance", result.instance
    yield "problem", solution.objective
    yield "status", f"{solution.status}: {PROVEN[solution.status]} ({_stopped(result)})"
    for index, demand in enumerate(solution.conflict):
        yield "" if index else "conflict", demand
    for index, reason in enumerate(solution.reasons):
        yield "" if index else "because", reason
    for index, problem in enumerate(certificate.problems):
        yield "" if index else "refuted", problem
    if solution.found:
        yield "value", number(solution.value) + predicted
    if solution.found or (solution.bound is not None and solution.status is not Status.INFEASIBLE):
        yield "bound", number(solution.bound)
        gap = gap_percent(solution.gap, solution.status)
        yield "gap", gap if gap == "–" else f"{gap} %"
    if solution.found:
        name, sign = ("mean gain", " %") if quantity == "gain" else ("mean loss", "")
        split = solution.gains.get("split") or "source"
        yield name, f"{amount(solution.mean_gain, quantity)}{sign} on {split}  ({result.basis})"
        if scores is not None:
            kind = basis(scores.predicted, len(scores.measured), "tasks")
            yield "", f"{amount(scores.mean, quantity)}{sign} on {scores.split or 'evaluation'}  ({kind})"
            points = f"{percent(scores.optimism)} points" if quantity == "gain" else number(scores.optimism)
            mark = PREDICTED if predicted or scores.predicted else ""
            yield "optimism", f"{points}{mark} (promised minus kept, mean over tasks)"
    yield "gains", result.gains
    if result.judged_on:
        yield "judged on", result.judged_on
    yield "from", result.told_origin
    if result.note:
        yield "note", result.note
    presolve = "".join(f", {key} {value}" for key, value in certificate.options.items())
    yield "solver", f"{certificate.solver}, seed {certificate.seed}, threads {certificate.threads}{presolve}"
    seconds = {"read": read_seconds, **certificate.seconds}
    yield "seconds", "  ".join(f"{stage} {spent:.3f}" for stage, spent in seconds.items())


def _stopped(result: Result) -> str:
    reason = result.solution.certificate.termination
    return str(reason).lower().replace("_", " ")
