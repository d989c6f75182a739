"""The human view of a comparison: a table per problem, and what its rows do not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from engine.cli.telling.graphs import SYMMETRISED
from engine.cli.telling.output import amount, gap_percent, number, percent, unit
from engine.cli.telling.results import kind_name, origin_of, stopped, told_gains
from engine.cli.telling.tables import MEASURED_NOTE, PREDICTED_NOTE, Column, Fitted, facts, starred
from engine.problem.table import Kind
from engine.solving.comparison import Case, Comparison, Row
from engine.solving.solution import Termination

if TYPE_CHECKING:
    from rich.console import RenderableType


def comparison_table(comparison: Comparison, notes: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield what to print.

    Parameters
    ----------
    comparison
        What was found.
    notes
        What a reader must know about an instance, by its name.
    """
    for index, case in enumerate(comparison.cases):
        rows = comparison.of(case)
        if rows:
            if index:
                yield "\n"
            yield f"{case.instance}, {case.source_name}\n"
            yield Fitted(list(_columns(case, rows)))
            if any(row.value is not None for row in rows):
                yield PREDICTED_NOTE if any(map(_doubtful, rows)) else MEASURED_NOTE
            yield ""
            yield facts(_facts(case, rows, notes.get(case.instance, "")))


def _guessed_evaluation(row: Row) -> bool:
    return bool(row.evaluation_predicted_servings)


def _doubtful(row: Row) -> bool:
    return row.predicted_servings > 0 or _guessed_evaluation(row)


def _columns(case: Case, rows: Sequence[Row]) -> Iterator[Column]:
    quantity, graph = case.problem.quantity, case.selection_model is not None
    what = f"mean {unit(quantity)}"
    split = "pair-mean" if graph else case.problem.told_gains()["split"] or "source"
    guessed = [row.predicted_servings > 0 for row in rows]
    yield Column("solver", [row.solver for row in rows], right=False)
    yield Column("budget", [f"{row.budget:g}" for row in rows])
    yield Column("groups", ["–" if row.groups is None else str(row.groups) for row in rows], spare=3)
    yield Column("value", starred((number(row.value) for row in rows), guessed), spare=0 if graph else 5)
    if graph:
        worth = starred((number(row.selection_value) for row in rows), guessed)
        yield Column("selection value", worth, spare=2)
    means = starred((amount(row.mean, quantity) for row in rows), guessed)
    yield Column(f"{split} {what}", means, spare=5 if graph else 0)
    yield Column("bound", [number(row.bound) for row in rows], spare=6)
    yield Column("gap %", [gap_percent(row.gap, row.status) for row in rows])
    yield Column("status", [row.status for row in rows], right=False)
    if case.evaluation is not None:
        kept = [amount(row.evaluation_mean, quantity) for row in rows]
        heading = f"{case.evaluation.split or 'evaluation'} {what}"
        yield Column(heading, starred(kept, map(_guessed_evaluation, rows)))
        points, heading = (percent, "optimism points") if quantity == "gain" else (number, "optimism")
        lost = [points(row.optimism) for row in rows]
        yield Column(heading, starred(lost, map(_doubtful, rows)), spare=2)
    yield Column("agrees %", [percent(row.agreement, 0) for row in rows])
    yield Column("seconds", [number(row.seconds, 3) for row in rows])
    yield Column("load s", [number(row.load_seconds, 3) for row in rows], spare=4)


def _facts(case: Case, rows: Sequence[Row], note: str) -> Iterator[tuple[str, str]]:
    budgets: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        ended = row.termination if row.termination not in ("", Termination.COMPLETED) else ""
        for text in filter(None, (row.flag, row.reason, row.method, ended and f"stopped: {stopped(ended)}")):
            budgets.setdefault((row.solver, text), []).append(f"{row.budget:g}")
    for (solver, text), some in budgets.items():
        yield solver, f"budget {', '.join(some)}: {text}"
    if not all(row.presolve for row in rows):
        yield "presolve", "none"
    kind, gains = case.problem.kind, case.problem.told_gains()
    yield "problem", case.problem.describe()
    if kind is not Kind.TABLE:
        yield "kind", f"{kind_name(kind)}: {kind}, {gains['groups']} groups"
    if case.selection_model is None:
        yield "gains", told_gains(kind, gains)
    else:
        yield "graph", f"{gains['source']}; a pair weighs {SYMMETRISED}"
    if case.evaluation is not None:
        yield "judged on", origin_of(case.evaluation.source, case.evaluation.split)
    if gains["provenance"]["text"]:
        yield "from", gains["provenance"]["text"]
    if note:
        yield "note", note
