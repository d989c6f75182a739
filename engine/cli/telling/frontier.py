"""The human view of a frontier: a line per budget, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine.cli.frontier_rows import unjudged
from engine.cli.telling.output import amount, gap_percent, number, percent, unit
from engine.cli.telling.results import Result, kind_name, solver_line, stopped
from engine.cli.telling.tables import MEASURED_NOTE, PREDICTED_NOTE, Column, Fitted, facts, starred
from engine.problem.table import Kind
from engine.solving.solution import Termination

if TYPE_CHECKING:
    from rich.console import RenderableType


def frontier_table(results: Sequence[Result], described: str) -> Iterator[RenderableType]:
    """Yield what to print.

    Parameters
    ----------
    results
        One per budget, at least one.
    described
        The problem in words, without a budget.
    """
    yield Fitted(list(_columns(results)))
    if any(one.solution.found for one in results):
        yield PREDICTED_NOTE if any(map(_doubtful, results)) else MEASURED_NOTE
    yield ""
    yield facts(_facts(results, described))


def _guessed(result: Result) -> bool:
    return result.predicted_servings > 0


def _guessed_evaluation(result: Result) -> bool:
    return result.scores is not None and result.scores.predicted > 0


def _doubtful(result: Result) -> bool:
    return _guessed(result) or _guessed_evaluation(result)


def _columns(results: Sequence[Result]) -> Iterator[Column]:
    solutions = [one.solution for one in results]
    quantity = solutions[0].quantity
    what = f"mean {unit(quantity)}"
    guessed = [_guessed(one) for one in results]
    graph = results[0].graph is not None
    split = "pair-mean" if graph else solutions[0].gains.get("split") or "source"
    yield Column("budget", [f"{one.budget:g}" for one in results])
    yield Column("groups", [str(len(one.groups)) if one.found else "–" for one in solutions])
    yield Column("value", starred((number(one.value) for one in solutions), guessed), spare=0 if graph else 2)
    if graph:
        worth = (number(None if one.selection is None else one.selection.value) for one in results)
        yield Column("selection value", starred(worth, guessed))
    means = starred((amount(one.valued.mean, quantity) for one in results), guessed)
    yield Column(f"{split} {what}", means, spare=4 if graph else 0)
    yield Column("bound", [number(one.bound) for one in solutions], spare=3)
    yield Column("gap %", [gap_percent(one.gap, one.status) for one in solutions])
    yield Column("status", [str(one.status) for one in solutions], right=False)
    scores = [one.scores for one in results]
    judged = next((one for one in scores if one is not None), None)
    if judged is not None:
        kept = [amount(None if one is None else one.mean, quantity) for one in scores]
        yield Column(
            f"{judged.split or 'evaluation'} {what}", starred(kept, map(_guessed_evaluation, results))
        )
        points, heading = (percent, "optimism points") if quantity == "gain" else (number, "optimism")
        lost = [points(None if one is None else one.optimism) for one in scores]
        yield Column(heading, starred(lost, map(_doubtful, results)))
    yield Column("seconds", [f"{one.certificate.seconds['total']:.3f}" for one in solutions], spare=1)


def _facts(results: Sequence[Result], described: str) -> Iterator[tuple[str, str]]:
    first = results[0]
    yield from _by_budget("conflict", results, [result.conflict for result in results])
    ends = [result.solution.certificate.termination for result in results]
    yield from _by_budget(
        "stopped", results, ["" if end is Termination.COMPLETED else stopped(end) for end in ends]
    )
    yield "instance", first.instance
    yield "problem", described
    if first.kind is not Kind.TABLE:
        yield "kind", f"{kind_name(first.kind)}: {first.kind}, {first.candidates} groups"
    yield "graph" if first.graph else "gains", first.gains
    judged_on = next((one.judged_on for one in results if one.scores is not None), "")
    if judged_on:
        yield "judged on", judged_on
    for index, why in enumerate(unjudged(results)):
        yield "" if index else "not judged", why
    yield "from", first.told_origin
    if first.note:
        yield "note", first.note
    methods = [str(result.solution.details.get("method", "")) for result in results]
    yield from _by_budget("method", results, methods)
    yield "solver", solver_line(first.solution.certificate)


def _by_budget(name: str, results: Sequence[Result], texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each text once, with the budgets that it is about."""
    budgets: dict[str, list[str]] = {}
    for result, text in zip(results, texts, strict=True):
        if text:
            budgets.setdefault(text, []).append(f"{result.budget:g}")
    for index, (text, some) in enumerate(budgets.items()):
        yield "" if index else name, f"budget {', '.join(some)}: {text}"
