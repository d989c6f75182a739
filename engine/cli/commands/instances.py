"""``engine instances``: what there is to solve, and one instance in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options.gains import GainsOptions, shown_gains_options
from engine.cli.options.shared import output_options, pick

if TYPE_CHECKING:
    from rich.console import RenderableType

COLUMNS = ["name", "tasks", "n_groups", "quantity", "sources", "source_split", "evaluation_split"]
COLUMNS += ["budgets", "default_budget", "summary", "origin", "licence", "note", "bundled", "problem"]


@click.group(invoke_without_command=True, short_help="List the instances, or describe one.")
@output_options
@click.pass_context
def instances(ctx: click.Context, format: str, output: Path | None) -> int:
    """List the instances, or describe one: engine instances show NAME."""
    if ctx.invoked_subcommand is not None:
        return 0
    from engine.cli.telling.output import check_output, emit_csv, emit_json, emit_table, joined

    check_output(output)
    listed = _listed()
    if format == "json":
        emit_json({"instances": listed}, output)
    elif format == "csv":
        emit_csv(COLUMNS, ({key: joined(value) for key, value in one.items()} for one in listed), output)
    else:
        emit_table(_table(listed), output)
    return 0


def _listed() -> list[dict[str, Any]]:
    from engine.errors import EngineError
    from engine.plugins import INSTANCES

    listed: list[dict[str, Any]] = []
    for name in INSTANCES.names():
        try:
            info = INSTANCES.load(name).info
        except EngineError as error:
            listed.append({"name": name, "problem": str(error)})
            continue
        listed.append({"name": name, **asdict(info), "splits": list(info.splits), "problem": ""})
    return listed


def _table(listed: Sequence[dict[str, Any]]) -> Iterator[RenderableType]:
    from engine.cli.telling.tables import Column, Fitted
    from engine.gains.source import Predictor, source_names

    yield Fitted(
        [
            Column("instance", [one["name"] for one in listed], right=False),
            Column("tasks", [str(len(one.get("tasks", ()))) for one in listed]),
            Column("groups", [_groups(one) for one in listed]),
            Column("about", [_about(one) + "\n" for one in listed], right=False, whole=False),
        ]
    )
    fitted = ", ".join(source_names(Predictor))
    yield f"Gain sources fitted on the measured gains, where those hold what it takes: {fitted or 'none'}."


def _groups(one: dict[str, Any]) -> str:
    """Return the number of groups; an instance that trains has none until they are collected."""
    return "–" if one["problem"] else str(one["n_groups"] or "trains")


def _about(one: dict[str, Any]) -> str:
    if one["problem"]:
        return str(one["problem"])
    lines = (
        one["summary"],
        f"{'gains' if one['quantity'] == 'gain' else 'losses'}, splits: "
        f"{' → '.join(one['splits']) or 'unnamed'}",
        f"sources: {', '.join(one['sources'])}",
        f"default budget: {one['default_budget']:g}",
        f"from: {one['origin']}",
        f"where those cannot be had: {one['bundled']}" if one["bundled"] else "",
    )
    return "\n".join(filter(None, lines))


@instances.command()
@click.argument("name", metavar="NAME|FILE")
@shown_gains_options
@output_options
def show(name: str, format: str, output: Path | None, **given: Any) -> int:
    """Describe one instance: sizes, distribution of the gains, coverage of the tasks.

    Of one that trains: its tasks, and how its groups are trained. As CSV: the coverage of the tasks.
    """
    from engine.catalogue.trainable import TrainableInstance
    from engine.cli.asking.posing import warn_of_percent
    from engine.cli.description_table import description_table
    from engine.cli.telling.description import describe
    from engine.cli.telling.output import check_output, emit_csv, emit_json, emit_table
    from engine.cli.telling.trained_instance import describe_training, training_table

    check_output(output)
    opened = pick(GainsOptions, given).open(name)
    if isinstance(opened, TrainableInstance):
        training = describe_training(opened)
        if format == "json":
            emit_json(asdict(training), output)
        elif format == "csv":
            emit_csv(("task",), ({"task": task} for task in training.tasks), output)
        else:
            emit_table(training_table(training), output)
        return 0
    warn_of_percent(opened, opened.gains())
    description = describe(opened)
    if format == "json":
        emit_json(asdict(description), output)
    elif format == "csv":
        rows = [asdict(one) for one in description.coverage]
        emit_csv(tuple(rows[0]), rows, output)
    else:
        emit_table(description_table(description), output)
    return 0
