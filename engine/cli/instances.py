"""``engine instances``: what there is to solve, and one instance in numbers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import format_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from engine.cli.describe import Description

_OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write there, not to stdout."
)


@click.group(invoke_without_command=True)
@format_option("table", "json")
@_OUTPUT
@click.pass_context
def instances(ctx: click.Context, format: str, output: Path | None) -> int:
    """List the instances, or describe one: engine instances show NAME."""
    if ctx.invoked_subcommand is not None:
        return 0
    from engine.cli.output import check_output, emit_json, emit_table

    check_output(output)
    listed = _listed()
    if format == "json":
        emit_json({"instances": listed}, output)
    else:
        emit_table([_table(listed)], output)
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


def _table(listed: Sequence[dict[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("instance", "tasks", "groups", "about"):
        table.add_column(
            heading,
            justify="right" if heading in ("tasks", "groups") else "left",
            no_wrap=heading == "instance",
        )
    for one in listed:
        if one["problem"]:
            table.add_row(one["name"], "", "", one["problem"] + "\n")
            continue
        splits = " → ".join(one["splits"]) or "unnamed"
        about = (
            one["summary"],
            f"{'gains' if one['quantity'] == 'gain' else 'losses'}, splits: {splits}",
            f"sources: {', '.join(one['sources'])}",
            f"default budget: {one['default_budget']:g}",
            f"from: {one['origin']}",
        )
        table.add_row(one["name"], str(len(one["tasks"])), str(one["n_groups"]), "\n".join(about) + "\n")
    return table


@instances.command()
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with published gains."
)
@click.option("--merge-duplicates", is_flag=True, help="Average rows of a file that repeat a group.")
@click.option("--baseline", type=click.Choice(["single-task", "other"]), default="single-task")
@format_option("table", "json")
@_OUTPUT
def show(
    name: str, data_dir: Path | None, merge_duplicates: bool, baseline: str, format: str, output: Path | None
) -> int:
    """Describe one instance: sizes, distribution of the gains, coverage of the tasks."""
    from engine.cli.describe import describe
    from engine.cli.output import check_output, emit_json, emit_table
    from engine.file_instance import open_instance

    check_output(output)
    opened = open_instance(
        name,
        data_dir=data_dir,
        merge_duplicates=merge_duplicates,
        single_task_baseline=baseline == "single-task",
    )
    description = describe(opened)
    if format == "json":
        emit_json(asdict(description), output)
    else:
        emit_table(_shown(description), output)
    return 0


def _shown(described: Description) -> Iterator[RenderableType]:
    from rich import box
    from rich.table import Table

    from engine.cli.output import amount, percent, unit

    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column()
    budgets = [f"{budget:g}" for budget in described.budgets]
    for heading, fact in (
        ("instance", f"{described.name}: {described.summary}"),
        ("from", described.origin),
        ("licence", described.licence),
        ("sources", ", ".join(described.sources)),
        ("budgets", f"{', '.join(budgets) or '–'} (default {described.default_budget:g})"),
        (
            "groups",
            f"{described.groups} ({described.measured_groups} measured) over {len(described.tasks)} tasks",
        ),
        ("sizes", ", ".join(f"{count} of {size}" for size, count in described.sizes.items())),
        ("costs", ", ".join(f"{count} at {cost}" for cost, count in described.costs.items())),
    ):
        facts.add_row(heading, fact)
    if described.correlation is not None:
        names = " and ".join(one.split or one.role for one in described.splits)
        facts.add_row("correlation", f"{described.correlation:.3f} between {names} (groups of two or more)")
    yield facts
    what = unit(described.quantity)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("split")
    gain = described.quantity == "gain"
    for heading in (*described.splits[0].quantiles, "mean", *(["positive %"] if gain else [])):
        table.add_column(heading, justify="right")
    for one in described.splits:
        numbers = [amount(x, described.quantity) for x in (*one.quantiles.values(), one.mean)]
        table.add_row(one.split or one.role, *numbers, *([percent(one.positive, 1)] if gain else []))
    yield f"\n{what} of the members of groups of two or more"
    yield table
    coverage = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    coverage.add_column("task")
    coverage.add_column("groups", justify="right")
    coverage.add_column(f"mean {what}", justify="right")
    coverage.add_column(f"best {what}", justify="right")
    for task in described.coverage:
        mean, best = amount(task.mean, described.quantity), amount(task.best, described.quantity)
        coverage.add_row(task.task, str(task.groups), mean, best)
    yield coverage
