"""``engine train``: the chosen groups, trained for good, and what they gained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from engine.cli.options.kinds import Assignment
from engine.cli.options.shared import pick
from engine.cli.options.training import TrainingOptions, training_options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.collection.realised_gains import RealisedGains
    from engine.store.seed_values import Form


@click.command(short_help="Train the chosen groups for good, and compare with the promise.")
@click.option(
    "--solution",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="What engine solve --format json wrote.",
)
@training_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="A new or empty folder for weights and serving map.",
)
@click.option("--source", default="measured", show_default=True, help="A gain source that trains and saves.")
@click.option("--source-option", type=Assignment(), multiple=True, help="An option of the source.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of training.")
@click.option("--gain-of", type=click.Choice(["metric", "loss"]), default="metric", show_default=True)
@click.option(
    "--gain-form", type=click.Choice(["relative", "log-ratio"]), default="relative", show_default=True
)
@click.option("--format", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there, not to stdout."
)
def train(
    solution: Path,
    output: Path,
    source: str,
    source_option: tuple[tuple[str, str], ...],
    seed: int,
    gain_of: Literal["metric", "loss"],
    gain_form: Form,
    format: str,
    report: Path | None,
    **given: Any,
) -> int:
    """Train the chosen groups for good, save them, and hold their gains against the promise.

    Every task is also trained alone with the same seed; the gain over that is reported on valid and
    test.

    \b
    Examples:
      engine train --solution s.json --instance digits10 --output models
      engine train --solution s.json --data my.csv --targets a,b,c --output models
    """  # noqa: D301  (click reads the backspace)
    from engine.cli.asking.experiments import make_experiment
    from engine.cli.options.text import read_fields
    from engine.cli.telling.messages import say
    from engine.cli.telling.output import check_output
    from engine.collection.realised_gains import train_solution
    from engine.gains.source import make_gain_source
    from engine.plugins import GAIN_SOURCES
    from engine.solving.solution import Solution
    from engine.training.collector import Collector

    check_output(report)
    chosen = Solution.load(solution)
    options = read_fields(GAIN_SOURCES.load(source), source_option, f"gain source {source!r}")
    collector = make_gain_source(source, Collector, options)
    experiment = make_experiment(pick(TrainingOptions, given))
    made = str(chosen.gains.get("provenance", ""))
    if " gain of the " in made and f"{gain_form} gain of the {gain_of}" not in made:
        say(f"the promise is another kind of gain ({made}): --gain-form and --gain-of say which to compare.")
    if ", experiment " in made and collector.experiment(experiment).digest[:12] not in made:
        say(f"the promise comes from training otherwise ({made}): other data, backbone or settings.")
    realised = train_solution(chosen, experiment, collector, output, seed=seed, of=gain_of, form=gain_form)
    if chosen.quantity != "gain":
        say("the solution promises losses, so there is no promised gain to compare with.")
    if any(group.cost != 1 for group in chosen.groups):
        say("every group was trained at the size of the backbone as it is, whatever its cost.")
    _print(realised, output, format, report)
    return 0


def _print(realised: RealisedGains, folder: Path, format: str, report: Path | None) -> None:
    from engine.cli.telling.output import emit_csv, emit_json, emit_table

    if format == "table":
        emit_table(_table(realised, folder), report)
    elif format == "json":
        emit_json({**_summary(realised, folder), "tasks": list(_rows(realised))}, report)
    else:
        rows = list(_rows(realised))
        emit_csv(list(rows[0]), rows, report)


def _rows(realised: RealisedGains) -> Iterator[dict[str, Any]]:
    """Yield what is known of each task; None where unknown."""
    for index, name in enumerate(realised.tasks):
        row: dict[str, Any] = {
            "task": name,
            "group": "|".join(realised.groups[int(realised.serving[index])]),
            "promised": _known(realised.promised[index]),
        }
        for split, gains in realised.gains.items():
            row[f"{split}_gain"] = _known(gains[index])
        for split in realised.gains:
            row[f"{split}_alone"] = _known(realised.alone[split][index])
            row[f"{split}_together"] = _known(realised.together[split][index])
        yield row


def _summary(realised: RealisedGains, folder: Path) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "seed": realised.seed,
        "groups": [list(group) for group in realised.groups],
        "promised_mean": _known(float(realised.promised.mean())),
        **{f"{split}_mean": _known(float(gains.mean())) for split, gains in realised.gains.items()},
    }


def _table(realised: RealisedGains, folder: Path) -> Iterator[RenderableType]:
    from rich.table import Table

    from engine.cli.telling.output import percent

    table = Table("task", "group")
    for heading in ("promised %", *(f"{split} gain %" for split in realised.gains)):
        table.add_column(heading, justify="right")
    for row in _rows(realised):
        gains = (row["promised"], *(row[f"{split}_gain"] for split in realised.gains))
        table.add_row(row["task"], row["group"], *(percent(gain) for gain in gains))
    summary = _summary(realised, folder)
    means = [summary["promised_mean"], *(summary[f"{split}_mean"] for split in realised.gains)]
    table.add_section()
    table.add_row("mean", "", *(percent(mean) for mean in means))
    yield table
    count = len(realised.groups)
    yield f"trained {count} group{'' if count == 1 else 's'} with seed {realised.seed}; saved in {folder}"
    yield "gains are over the same seed's single-task training: one seed, so noise is part of them"


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
