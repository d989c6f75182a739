"""Rows of one problem as a table, and what has to be said of them: of a frontier or of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.cli.telling.output import amount, gap_percent, number, percent, unit
from engine.cli.telling.tables import MEASURED_NOTE, PREDICTED_NOTE, Column, Fitted, facts, starred
from engine.cli.telling.words import origin_line, provenance_line, record_line, stopped
from engine.problem.kinds import Kind
from engine.solving.certificate import Status, Termination
from engine.solving.comparison_table import Case
from engine.solving.row import Row

if TYPE_CHECKING:
    from rich.console import RenderableType

FEW_REASONS = 3
"""Up to so many reasons why results cannot be judged are told in full."""


@dataclass(frozen=True)
class CaseRows:
    """The rows of one problem.

    Attributes
    ----------
    case
        What was solved.
    rows
        At least one.
    origin, note
        Where the data of the instance come from, and what a reader must know about them.
    solver
        What solved it, where all rows are of one solver; empty where solvers are compared.
    """

    case: Case
    rows: Sequence[Row]
    origin: str
    note: str
    solver: str = ""

    def table(self) -> Iterator[RenderableType]:
        """Yield the table, and what holds for all its rows."""
        yield Fitted(list(self._columns()))
        if any(row.value is not None for row in self.rows):
            yield PREDICTED_NOTE if any(map(_doubtful, self.rows)) else MEASURED_NOTE
        yield ""
        yield facts(self._facts())

    @property
    def _judged(self) -> bool:
        return any(row.evaluation_mean is not None for row in self.rows)

    def _columns(self) -> Iterator[Column]:
        rows, quantity, graph = self.rows, self.case.problem.quantity, self.case.graph is not None
        what = f"mean {unit(quantity)}"
        split = "pair-mean" if graph else self.case.problem.gains_record()["split"] or "source"
        predicted = [row.predicted_servings > 0 for row in rows]
        if not self.solver:
            yield Column("solver", [row.solver for row in rows], right=False)
        yield Column("budget", [f"{row.budget:g}" for row in rows])
        yield Column("groups", ["–" if row.groups is None else str(row.groups) for row in rows], spare=3)
        yield Column(
            "value", starred((number(row.value) for row in rows), predicted), spare=0 if graph else 5
        )
        if graph:
            totals = starred((number(row.selection_value) for row in rows), predicted)
            yield Column("selection value", totals, spare=2)
        means = starred((amount(row.mean, quantity) for row in rows), predicted)
        yield Column(f"{split} {what}", means, spare=5 if graph else 0)
        yield Column("bound", [number(row.bound) for row in rows], spare=6)
        yield Column("gap %", [gap_percent(row.gap, row.status) for row in rows])
        yield Column("status", [row.status for row in rows], right=False)
        if self.case.evaluation is not None and self._judged:
            kept = [amount(row.evaluation_mean, quantity) for row in rows]
            heading = f"{self.case.evaluation.split or 'evaluation'} {what}"
            yield Column(heading, starred(kept, map(_judged_on_predictions, rows)))
            points, heading = (percent, "optimism points") if quantity == "gain" else (number, "optimism")
            lost = [points(row.optimism) for row in rows]
            yield Column(heading, starred(lost, map(_doubtful, rows)), spare=2)
        if not self.solver:
            yield Column("agrees %", [percent(row.agreement, 0) for row in rows])
        yield Column("seconds", [number(row.seconds, 3) for row in rows], spare=1 if self.solver else 0)
        yield Column("load s", [number(row.load_seconds, 3) for row in rows], spare=4)

    def _facts(self) -> Iterator[tuple[str, str]]:
        problem, evaluation = self.case.problem, self.case.evaluation
        yield from self._remarks()
        gains = problem.gains_record()
        yield "instance", self.case.instance
        yield "problem", problem.describe()
        if problem.kind is not Kind.TABLE:
            yield "kind", f"{problem.kind.word}: {problem.kind}, {gains['groups']} groups"
        if self.case.graph is None:
            yield "gains", record_line(problem.kind, gains)
        else:
            yield "graph", self.case.graph.describe()
        if evaluation is not None and self._judged:
            yield "judged on", origin_line(evaluation.source, evaluation.split)
        for index, why in enumerate(unjudged(self.rows)):
            yield "" if index else "not judged", why
        yield "from", provenance_line(gains["provenance"]["text"], self.origin)
        if self.note:
            yield "note", self.note
        if self.solver:
            yield "solver", self.solver
        elif not all(row.presolve for row in self.rows):
            yield "presolve", "none"

    def _remarks(self) -> Iterator[tuple[str, str]]:
        """Yield what is to say of single rows, each thing once with the budgets that it is about."""
        budgets: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            for name, text in _remarks(row):
                budgets.setdefault((name if self.solver else row.solver, text), []).append(f"{row.budget:g}")
        last = ""
        for (name, text), some in budgets.items():
            yield "" if name == last and self.solver else name, f"budget {', '.join(some)}: {text}"
            last = name


def _remarks(row: Row) -> Iterator[tuple[str, str]]:
    if row.flag:
        yield "refuted", row.flag
    if row.reason:
        yield "conflict" if row.status == Status.INFEASIBLE else "reason", row.reason
    if row.termination not in ("", Termination.COMPLETED):
        yield "stopped", f"stopped: {stopped(row.termination)}"
    if row.method:
        yield "method", row.method


def _judged_on_predictions(row: Row) -> bool:
    return bool(row.evaluation_predicted_servings)


def _doubtful(row: Row) -> bool:
    return row.predicted_servings > 0 or _judged_on_predictions(row)


def unjudged(rows: Sequence[Row]) -> Iterator[str]:
    """Yield why rows cannot be judged, each reason once with the budgets it is about.

    Parameters
    ----------
    rows
        Of one problem.
    """
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.not_evaluated:
            reasons.setdefault(row.not_evaluated, []).append(f"{row.budget:g}")
    if len(reasons) <= FEW_REASONS:
        for why, budgets in reasons.items():
            yield f"budget {', '.join(dict.fromkeys(budgets))}: {why}"
        return
    counts = [f"{row.unevaluated_tasks} at budget {row.budget:g}" for row in rows if row.not_evaluated]
    yield (
        "The evaluation gains lack groups. Tasks without gains to judge them on: "
        f"{', '.join(dict.fromkeys(counts))}; engine solve names them."
    )
