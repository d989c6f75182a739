"""``engine train``: the chosen groups, trained for good, and what they gained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from engine.cli.options.kinds import Assignment
from engine.cli.options.shared import pick
from engine.cli.options.training import TrainingOptions, training_options

if TYPE_CHECKING:
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
@click.option(
    "--source", metavar="NAME", help="A gain source that trains and saves. Default: the preferred one."
)
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
    source: str | None,
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
    from engine.cli.telling.realised import RealisedView
    from engine.cli.telling.view import show
    from engine.collection.realised_gains import train_solution
    from engine.gains.source import Purpose, choose_source, make_gain_source
    from engine.plugins import GAIN_SOURCES
    from engine.solving.solution import Solution
    from engine.training.collector import Collector

    check_output(report)
    chosen = Solution.load(solution)
    source = source or choose_source(Purpose.TRAIN)
    options = read_fields(GAIN_SOURCES.load(source), source_option, f"gain source {source!r}")
    collector = make_gain_source(source, Collector, options)
    experiment = make_experiment(pick(TrainingOptions, given))
    made = chosen.provenance
    if made.gain_form and (made.gain_form, made.gain_of) != (gain_form, gain_of):
        say(f"the promise is another kind of gain ({made}): --gain-form and --gain-of say which to compare.")
    if made.experiment and made.experiment != collector.experiment(experiment).digest:
        say(f"the promise comes from training otherwise ({made}): other data, backbone or settings.")
    realised = train_solution(chosen, experiment, collector, output, seed=seed, of=gain_of, form=gain_form)
    if chosen.quantity != "gain":
        say("the solution promises losses, so there is no promised gain to compare with.")
    if any(group.cost != 1 for group in chosen.groups):
        say("every group was trained at the size of the backbone as it is, whatever its cost.")
    show(RealisedView(realised, output), format, report)
    return 0
