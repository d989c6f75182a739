"""One solution: groups, who serves whom, and what is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.cli.telling.output import amount, gap_percent, number, percent, unit
from engine.cli.telling.tables import MEASURED_NOTE, PREDICTED, PREDICTED_NOTE, Column, Fitted, facts, starred
from engine.cli.telling.view import Lines, View
from engine.cli.telling.words import (
    PROVEN,
    basis,
    gains_line,
    groups_line,
    judged_line,
    provenance_line,
    servings_basis,
    solver_line,
    stopped,
)
from engine.problem.kinds import Kind
from engine.solving.certificate import Status
from engine.solving.result import Result
from engine.solving.scores import Scores

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class SolutionView(View):
    """One result, from the groups down to the certificate; as CSV a line per task.

    Of the partition of a graph, the columns ``graph_value`` add up to the objective and ``selection_gain``
    to the value as a selection.

    Attributes
    ----------
    result
        What was found.
    read_seconds
        How long reading the gains took.
    """

    result: Result
    read_seconds: float

    def table(self) -> Iterator[RenderableType]:
        """Yield the groups, the tasks, and the facts."""
        result = self.result
        if result.solution.found:
            yield _groups(result)
            yield ""
            yield _serving(result)
            scores = result.shown_scores
            predicted = result.predicted_servings or (scores is not None and scores.predicted)
            yield PREDICTED_NOTE if predicted else MEASURED_NOTE
            yield ""
        yield facts(_facts(result, self.read_seconds))

    def data(self) -> dict[str, Any]:
        """Return the result."""
        return self.result.to_dict()

    def columns(self) -> Sequence[str]:
        """Return the columns, also where there is no grouping."""
        quantity = self.result.solution.quantity
        if self.result.graph is None:
            values = [
                f"source_{quantity}",
                f"evaluation_{quantity}",
                "source_measured",
                "evaluation_measured",
            ]
        else:
            values = [
                "graph_value",
                *(f"{name}_{quantity}" for name in ("selection", "recorded", "evaluation")),
            ]
            values += ["recorded_measured", "evaluation_measured"]
        return ["task", "group", *values, "kind", "candidate_groups"]

    def lines(self) -> Lines:
        """Return a line per task."""
        result = self.result
        solution, selection = result.solution, result.selection
        promised, quantity = result.valued.task_values, solution.quantity
        recorded = None if selection is None or selection.recorded is None else selection.recorded.best
        lines: list[dict[str, Any]] = []
        for task, index in solution.serving.items():
            group = solution.groups[index]
            line: dict[str, Any] = {"task": task, "group": "|".join(group.tasks)}
            if selection is None:
                line[f"source_{quantity}"] = promised[task]
            else:
                line["graph_value"] = solution.task_values[task]
                line[f"selection_{quantity}"] = promised[task]
            line |= _judged("recorded", quantity, recorded, task)
            line |= _judged("evaluation", quantity, result.shown_scores, task)
            line |= {"source_measured": group.measured, "kind": result.kind.word}
            lines.append(line | {"candidate_groups": result.candidates})
        return lines


def _judged(name: str, quantity: str, scores: Scores | None, task: str) -> dict[str, Any]:
    if scores is None or task not in scores.task_values:
        return {}
    return {f"{name}_{quantity}": scores.task_values[task], f"{name}_measured": scores.measured[task]}


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
    kind = servings_basis(result)
    predicted = "" if kind == "measured" or result.graph else f"  ({kind})"
    yield "instance", result.instance
    if result.kind is not Kind.TABLE:
        yield "kind", f"{result.kind.word}: {result.kind}"
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
            yield "groups", groups_line(result)
        yield from _totals(result)
        yield from _means(result)
    yield "graph" if result.graph else "gains", gains_line(result)
    if judged_line(result):
        yield "judged on", judged_line(result)
    if result.not_evaluated:
        yield "not judged", result.not_evaluated
    yield "from", provenance_line(solution.provenance.text, result.origin)
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
    kind = servings_basis(result)
    yield "selection", f"{number(selection.value)} total gain by the pair-mean rule  ({kind})"
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
    yield name, f"{amount(solution.mean, quantity)}{sign} {promised}  ({servings_basis(result)})"
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
