"""What a guided collection measures with: recorded gains, or training into a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from click.core import ParameterSource
from numpy.typing import NDArray

from engine.cli.commands.guided import GuidedOptions, guided_line, run_guided
from engine.cli.options.training import TrainingOptions, refuse_training
from engine.cli.telling.messages import INTERRUPTED, harmless, say
from engine.cli.telling.view import show
from engine.collection.collect import Collected, Plan
from engine.errors import DataError, UsageError
from engine.gains.tensor import GainTensor
from engine.training.experiment import Experiment

if TYPE_CHECKING:
    from engine.catalogue.instance import Instance
    from engine.guided.collection import GuidedObserver, GuidedProgress
    from engine.store import GainStore


def is_recorded(options: TrainingOptions) -> bool:
    """Whether the instance asked for has recorded gains, so that measuring is looking up."""
    from engine.catalogue.trainable import TrainableInstance
    from engine.plugins import INSTANCES

    name = options.instance
    if name is None:
        return False
    if name not in INSTANCES.names() and ":" not in name:
        return True
    cls = INSTANCES.load(name)
    return not (isinstance(cls, type) and issubclass(cls, TrainableInstance))


MEASURING = (
    *("seeds", "most_seeds", "source", "source_option", "gain_of", "gain_form", "store"),
    *("executor", "executor_option", "chunk"),
)
"""Options of the command that say how to train, beside those of every training."""


def refuse_measuring() -> None:
    """Refuse options that say how to train, where gains are looked up.

    Raises
    ------
    UsageError
        If one is given.
    """
    context = click.get_current_context()
    odd = [
        f"--{name.replace('_', '-')}"
        for name in MEASURING
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if odd:
        raise UsageError(
            f"{' and '.join(odd)} are about training, but the gains of this instance are recorded."
        )


def guide_recorded(
    wanted: GuidedOptions,
    options: TrainingOptions,
    seed: int,
    verbose: bool,
    format: str,
    output: Path | None,
) -> int:
    """Rehearse: measure by looking recorded gains up, and see what a guided collection would have found.

    Raises
    ------
    UsageError
        If an option is about training.
    DataError
        If the gains are predictions.
    """
    from engine.catalogue.opening import open_instance
    from engine.guided.collection import recorded, recorded_alone

    refuse_training(options, "the gains of this instance are recorded")
    assert options.instance is not None
    instance = open_instance(options.instance, data_dir=options.data_dir)
    gains = instance.gains()
    if not gains.measured.all():
        raise DataError(
            f"The gains of {instance.name!r} are predictions, of which nothing can be learned by measuring: "
            "get the measured ones (--data-dir, ENGINE_DATA, or a download)."
        )
    if len(gains.standing_rows) < gains.n_groups:
        say(f"{instance.name} has groups at several costs: those of the cost nearest to 1 are measured.")
    study = wanted.study(gains.tasks, instance, seed, candidates=gains.membership)
    alone = recorded_alone(gains)
    if alone is not None:
        study.tell(alone)
    with _progress(verbose) as observers:
        evaluation = instance.evaluation()
        guided = run_guided(
            wanted, instance.name, "", instance, study, recorded(gains), evaluation, observers
        )
    show(guided, format, output)
    return INTERRUPTED if guided.result.reason == "interrupted" else 0


def guide_training(
    wanted: GuidedOptions,
    experiment: Experiment,
    instance: Instance | None,
    plan: Plan,
    train: Callable[[Plan], Collected],
    store: GainStore,
    seed: int,
    verbose: bool,
    format: str,
    output: Path | None,
) -> int:
    """Train what the study asks for; what the store holds already counts as measured.

    Parameters
    ----------
    experiment, instance
        What is trained; no instance where it is a table.
    plan
        Seeds and form of the gains; its groups are the study's to choose.
    train
        Runs a plan into the store.
    """
    study = wanted.study(experiment.tasks, instance, seed)
    begun = train(plan)
    if begun.interrupted or begun.gains is None:
        raise click.Abort
    study.tell(begun.gains)

    def measure(groups: NDArray[np.bool_]) -> GainTensor | None:
        found = train(replace(plan, groups=groups))
        if found.interrupted:
            raise KeyboardInterrupt
        assert found.gains is not None
        rows = found.gains.rows_of(groups)
        if (rows < 0).any():
            say(f"{(rows < 0).sum()} of {len(rows)} groups diverged, and are passed over.")
        return found.gains.select(rows[rows >= 0]) if (rows >= 0).any() else None

    with _progress(verbose) as observers:
        guided = run_guided(
            wanted,
            experiment.data.name,
            f"{store.url}#{begun.experiment}",
            instance,
            study,
            measure,
            None,
            observers,
        )
    guided = replace(
        guided, evaluation=store.tensor(begun.experiment, split="test", of=plan.of, form=plan.form)
    )
    show(guided, format, output)
    if guided.result.reason != "interrupted":
        return 0
    say("interrupted: what was trained is kept; the same command goes on from there.")
    return INTERRUPTED


@contextmanager
def _progress(verbose: bool) -> Iterator[tuple[GuidedObserver, ...]]:
    """Give the observer that tells of every batch on stderr."""

    def report(progress: GuidedProgress) -> None:
        click.echo(harmless(f"engine: {guided_line(progress)}"), err=True)

    yield (report,) if verbose else ()
