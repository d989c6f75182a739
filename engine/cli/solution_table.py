"""The human view of one solution: groups, who serves whom, and what is proven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from engine.cli.output import amount, gap_percent, number, percent, unit
from engine.cli.results import PROVEN, Result
from engine.solution import Status

if TYPE_CHECKING:
    from rich.console import RenderableType

TASKS_WIDTH = 110
"""Columns after which the tasks of a group go on in the next line."""


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
        yield _serving(result)
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column()
    for name, fact in _facts(result, read_seconds):
        facts.add_row(name, fact)
    yield facts


def _groups(result: Result) -> Table:
    groups = result.solution.groups
    costs = any(group.cost != 1 for group in groups)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("group", justify="right")
    for heading in (["cost"] if costs else []) + ["serves"]:
        table.add_column(heading, justify="right")
    table.add_column("gains")
    table.add_column("tasks", max_width=TASKS_WIDTH)
    served = list(result.solution.serving.values())
    for index, group in enumerate(groups):
        table.add_row(
            str(index + 1),
            *([f"{group.cost:g}"] if costs else []),
            str(served.count(index)),
            "measured" if group.measured else "predicted",
            ", ".join(group.tasks),
        )
    return table


def _serving(result: Result) -> Table:
    solution, scores = result.solution, result.scores
    what = unit(solution.quantity)
    split = solution.gains.get("split") or "source"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task")
    table.add_column("group", justify="right")
    table.add_column(f"{split} {what}", justify="right")
    table.add_column("", justify="left")
    if scores is not None:
        predicted = "" if result.evaluation_measured else ", predicted"
        table.add_column(f"{scores.split or 'evaluation'} {what}{predicted}", justify="right")
    for task, group in solution.serving.items():
        table.add_row(
            task,
            str(group + 1),
            amount(solution.task_values[task], solution.quantity),
            "measured" if solution.groups[group].measured else "predicted",
            *([] if scores is None else [amount(scores.task_values[task], solution.quantity)]),
        )
    return table


def _facts(result: Result, read_seconds: float) -> Iterator[tuple[str, str]]:
    solution, scores = result.solution, result.scores
    certificate, gains = solution.certificate, solution.gains
    quantity = solution.quantity
    name = "mean gain" if quantity == "gain" else "mean loss"
    sign = " %" if quantity == "gain" else ""
    predicted = "" if result.basis == "measured" else f"  ({result.basis})"
    yield "instance", result.instance
    yield "problem", solution.objective
    yield "status", f"{solution.status}: {PROVEN[solution.status]} ({_stopped(result)})"
    for index, demand in enumerate(solution.conflict):
        yield "" if index else "conflict", demand
    for index, problem in enumerate(certificate.problems):
        yield "" if index else "refuted", problem
    if solution.found:
        yield "value", number(solution.value) + predicted
    if solution.found or (solution.bound is not None and solution.status is not Status.INFEASIBLE):
        yield "bound", number(solution.bound)
        gap = gap_percent(solution.gap)
        yield "gap", gap if gap == "–" else f"{gap} %"
    if solution.found:
        split = gains.get("split") or "source"
        yield name, f"{amount(solution.mean_gain, quantity)}{sign} on {split}{predicted}"
    if scores is not None:
        split = scores.split or "evaluation"
        kind = dict.fromkeys((scores.source, "measured" if result.evaluation_measured else "predicted"))
        yield "", f"{amount(scores.mean, quantity)}{sign} on {split}  ({', '.join(kind)})"
        points = f"{percent(scores.optimism)} points" if quantity == "gain" else number(scores.optimism)
        yield "optimism", f"{points} (promised minus kept, mean over tasks){predicted}"
    known = f"{gains['measured_groups']} measured, {gains['groups'] - gains['measured_groups']} predicted"
    yield (
        "gains",
        f"{gains['source']}, split {gains['split'] or 'unnamed'}, {gains['groups']} groups ({known})",
    )
    yield "from", result.told_origin
    presolve = "".join(f", {key} {value}" for key, value in certificate.options.items())
    yield "solver", f"{certificate.solver}, seed {certificate.seed}, threads {certificate.threads}{presolve}"
    seconds = {"read": read_seconds, **certificate.seconds}
    yield "seconds", "  ".join(f"{stage} {spent:.3f}" for stage, spent in seconds.items())


def _stopped(result: Result) -> str:
    reason = result.solution.certificate.termination
    return str(reason).lower().replace("_", " ")
