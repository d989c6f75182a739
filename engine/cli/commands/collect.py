"""``engine collect``: train groups and keep their gains."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from engine.cli.commands.guided import GuidedOptions, guided_options
from engine.cli.options.kinds import Assignment
from engine.cli.options.shared import output_options, pick
from engine.cli.options.training import TrainingOptions, training_options

if TYPE_CHECKING:
    from engine.collection.collect import Collected, Plan
    from engine.collection.progress import CollectionObserver, CollectionProgress

DEFAULT_GROUPS = "pairs,random:100"


@click.command(short_help="Train groups of tasks and keep their gains.")
@training_options
@click.option(
    "--groups",
    metavar="LIST",
    help="singles, pairs, triples, full, all, sizes:2-4, random:100[:3-6], a|b, or a file. "
    "[default: pairs,random:100]",
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Runs of every group.")
@click.option(
    "--until-reliable",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="R",
    help="Add seeds until the gains are so reliable.",
)
@click.option("--most-seeds", type=click.IntRange(1), default=32, show_default=True, help="No more seeds.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Begin nothing after S seconds.",
)
@click.option("--source", metavar="NAME", help="A gain source that trains. Default: the preferred one.")
@click.option("--source-option", type=Assignment(), multiple=True, help="An option of the source.")
@click.option("--gain-of", type=click.Choice(["metric", "loss"]), default="metric", show_default=True)
@click.option(
    "--gain-form", type=click.Choice(["relative", "log-ratio"]), default="relative", show_default=True
)
@click.option(
    "--store", metavar="URL", help="Where gains are kept. [default: ENGINE_STORE or sqlite:///gains.db]"
)
@click.option(
    "--executor",
    default="in-process",
    show_default=True,
    metavar="WHERE",
    help="in-process, processes[:N], or ray[:ADDRESS].",
)
@click.option("--executor-option", type=Assignment(), multiple=True, help="An option of the executor.")
@click.option("--chunk", type=click.IntRange(1), metavar="G", help="Groups between two writes.")
@click.option(
    "--group-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of random groups."
)
@click.option(
    "--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Log curves and reliability there."
)
@click.option("--verbose", is_flag=True, help="Plain progress lines on stderr.")
@guided_options
@output_options
def collect(
    groups: str | None,
    seeds: int,
    until_reliable: float | None,
    most_seeds: int,
    time_limit: float | None,
    source: str | None,
    source_option: tuple[tuple[str, str], ...],
    gain_of: Literal["metric", "loss"],
    gain_form: Literal["relative", "log-ratio"],
    store: str | None,
    executor: str,
    executor_option: tuple[tuple[str, str], ...],
    chunk: int | None,
    group_seed: int,
    tensorboard: Path | None,
    verbose: bool,
    format: str,
    output: Path | None,
    **given: Any,
) -> int:
    """Train groups of tasks, compare each with single-task training, and keep the gains.

    What is in the store already is not trained again; Ctrl-C loses only the chunk in flight.

    \b
    Examples:
      engine collect --instance digits10 --groups pairs,random:100 --until-reliable 0.9
      engine collect --data my.csv --targets a,b,c --backbone my_package:MyBackbone
      engine collect --instance digits10 --guided --budget-groups 3 --runs 30
    """  # noqa: D301  (click reads the backspace)
    import numpy as np

    from engine.catalogue.trainable import default_store
    from engine.cli.asking.experiments import make_experiment, open_trainable
    from engine.cli.commands.guided_measuring import (
        guide_recorded,
        guide_training,
        is_recorded,
        refuse_measuring,
    )
    from engine.cli.options.text import read_fields, read_keywords
    from engine.cli.telling.collected import CollectedView
    from engine.cli.telling.messages import INTERRUPTED, say
    from engine.cli.telling.output import check_output
    from engine.cli.telling.view import show
    from engine.collection.collect import Plan
    from engine.collection.collect import collect as run
    from engine.collection.groups import parse_groups
    from engine.errors import UsageError
    from engine.executors import executor_class, make_executor
    from engine.gains.source import Purpose, choose_source, make_gain_source
    from engine.plugins import GAIN_SOURCES
    from engine.store import GainStore
    from engine.training.collector import Collector

    check_output(output)
    wanted = pick(GuidedOptions, given)
    wanted.check()
    training = pick(TrainingOptions, given)
    if wanted.guided:
        odd: dict[str, Any] = {"groups": groups, "until-reliable": until_reliable}
        odd |= {"time-limit": time_limit, "tensorboard": tensorboard}
        refused = [f"--{name}" for name, value in odd.items() if value is not None]
        if refused:
            raise UsageError(f"{' and '.join(refused)} cannot be given with --guided.")
        if is_recorded(training):
            refuse_measuring()
            return guide_recorded(wanted, training, group_seed, verbose, format, output)
    source = source or choose_source(Purpose.TRAIN)
    options = read_fields(GAIN_SOURCES.load(source), source_option, f"gain source {source!r}")
    collector = make_gain_source(source, Collector, options)
    how = {}
    if executor_option:
        how = read_keywords(executor_class(executor), executor_option, f"executor {executor!r}")
    experiment = make_experiment(training)
    groups = groups or DEFAULT_GROUPS
    plan = Plan(
        np.zeros((0, len(experiment.tasks)), dtype=bool)
        if wanted.guided
        else parse_groups(groups, experiment.tasks, seed=group_seed),
        seeds,
        until_reliable,
        most_seeds,
        time_limit,
        of=gain_of,
        form=gain_form,
    )
    with ExitStack() as stack:
        where = stack.enter_context(make_executor(executor, **how))
        kept = stack.enter_context(GainStore.open(store or default_store()))
        observers = [*stack.enter_context(_progress(verbose))]
        if tensorboard is not None:
            from engine.collection.tensorboard import TensorBoardLog

            observers.append(stack.enter_context(TensorBoardLog(tensorboard, experiment.tasks)))

        def train(asked: Plan) -> Collected:
            return run(
                experiment,
                asked,
                source=collector,
                store=kept,
                executor=where,
                observers=observers,
                chunk_size=chunk,
            )

        if wanted.guided:
            instance = open_trainable(training)
            return guide_training(
                wanted, experiment, instance, plan, train, kept, group_seed, verbose, format, output
            )
        collected = train(plan)
    show(CollectedView(experiment, plan, collected, kept.url), format, output)
    if collected.interrupted:
        say("interrupted: what was trained is kept; the same command goes on from there.")
        return INTERRUPTED
    if not collected.complete:
        say("not complete: the time or the number of seeds was used up; the same command goes on from there.")
        return 4
    return 0


@contextmanager
def _progress(verbose: bool) -> Iterator[tuple[CollectionObserver, ...]]:
    """Give the observers that show progress on stderr: a bar on a terminal, lines on request."""
    if verbose:
        yield (lambda progress: click.echo(f"engine: {progress_line(progress)}", err=True),)
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        bar = Progress(
            BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
        )
        with bar:
            shown = bar.add_task("starting", total=None)

            def show(progress: CollectionProgress) -> None:
                bar.update(
                    shown,
                    completed=progress.done,
                    total=progress.wanted,
                    description=progress_line(progress),
                )

            yield (show,)
    else:
        yield ()


def progress_line(progress: CollectionProgress) -> str:
    """Return one line: runs done, rate, time left, reliability."""
    parts = [f"{progress.done}/{progress.wanted} runs", f"{progress.groups_per_second:.1f} groups/s"]
    if progress.waiting:
        parts.append("waiting for groups that other collectors have leased")
    elif progress.seconds_left is not None:
        parts.append(f"{progress.seconds_left:.0f} s left")
    if progress.reliability is not None and not math.isnan(progress.reliability.value):
        parts.append(f"reliability {progress.reliability.value:.2f}")
    return "  ".join(parts)
