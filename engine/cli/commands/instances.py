"""``engine instances``: what there is to solve, and one instance in numbers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engine.cli.options.gains import GainsOptions, shown_gains_options
from engine.cli.options.shared import output_options, pick


@click.group(invoke_without_command=True, short_help="List the instances, or describe one.")
@output_options
@click.pass_context
def instances(ctx: click.Context, format: str, output: Path | None) -> int:
    """List the instances, or describe one: engine instances show NAME."""
    if ctx.invoked_subcommand is not None:
        return 0
    from engine.cli.telling.listings import InstanceListing
    from engine.cli.telling.output import check_output
    from engine.cli.telling.view import show
    from engine.gains.source import Predictor, source_names

    check_output(output)
    show(InstanceListing(_listed(), source_names(Predictor)), format, output)
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


@instances.command()
@click.argument("name", metavar="NAME|FILE")
@shown_gains_options
@output_options
def show(name: str, format: str, output: Path | None, **given: Any) -> int:
    """Describe one instance: sizes, distribution of the gains, coverage of the tasks.

    Of one that trains: its tasks, and how its groups are trained. As CSV: the coverage of the tasks.
    """
    from engine.catalogue.description import describe, describe_training
    from engine.catalogue.trainable import TrainableInstance
    from engine.cli.asking.posing import warn_of_percent
    from engine.cli.telling.description import DescriptionView, TrainingView
    from engine.cli.telling.output import check_output
    from engine.cli.telling.view import show as show_view

    check_output(output)
    opened = pick(GainsOptions, given).open(name)
    if isinstance(opened, TrainableInstance):
        show_view(TrainingView(describe_training(opened)), format, output)
        return 0
    warn_of_percent(opened, opened.gains())
    show_view(DescriptionView(describe(opened)), format, output)
    return 0
