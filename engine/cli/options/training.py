"""What to train and how: options that the commands which train share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from engine.cli.options.gains import data_dir_option
from engine.cli.options.kinds import Assignment, Names
from engine.cli.options.shared import Command, add_options
from engine.errors import UsageError
from engine.training.settings import OPTIMISERS, PRECISIONS


@dataclass(frozen=True)
class TrainingOptions:
    """What to train and how; None: as the instance has it.

    Attributes
    ----------
    instance, instance_option
        An instance of the catalogue that trains, and its options.
    data, targets, inputs, kind, split, task_column
        A table of one's own.
    data_dir
        Folder with the data of the catalogue.
    backbone, backbone_option
        The network and its options.
    epochs, patience, batch_size, optimiser, learning_rate, momentum, weight_decay, clip_norm, precision
        As in :class:`~engine.training.settings.TrainingSettings`.
    """

    instance: str | None
    instance_option: tuple[tuple[str, str], ...]
    data: Path | None
    targets: tuple[str, ...] | None
    inputs: tuple[str, ...] | None
    kind: tuple[tuple[str, str], ...]
    split: str
    task_column: str | None
    data_dir: Path | None
    backbone: str | None
    backbone_option: tuple[tuple[str, str], ...]
    epochs: int | None
    patience: int | None
    batch_size: int | None
    optimiser: str | None
    learning_rate: float | None
    momentum: float | None
    weight_decay: float | None
    clip_norm: float | None
    precision: str | None


_WHAT = (
    click.option("--instance", metavar="NAME", help="An instance that trains, for example digits10."),
    click.option("--instance-option", type=Assignment(), multiple=True, help="An option of the instance."),
    click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A table of your own: CSV, TSV, Parquet, ARFF.",
    ),
    click.option("--targets", type=Names(), help="Columns of the table that are the tasks."),
    click.option("--inputs", type=Names(), help="Columns that are inputs. Default: all others."),
    click.option("--kind", type=Assignment(), multiple=True, help="task=binary, multiclass or regression."),
    click.option(
        "--split", default="random", show_default=True, help="random, blocked, temporal, or a column."
    ),
    click.option("--task-column", metavar="COLUMN", help="Column that names the task of each row."),
    data_dir_option,
)
_HOW = (
    click.option("--backbone", metavar="NAME", help="The network: a name, or module:Class of your own."),
    click.option("--backbone-option", type=Assignment(), multiple=True, help="An option of the backbone."),
    click.option("--epochs", type=click.IntRange(1), metavar="E", help="Passes over the data, at most."),
    click.option("--patience", type=click.IntRange(0), metavar="P", help="Epochs without gain; 0: no stop."),
    click.option("--batch-size", type=click.IntRange(1), metavar="B", help="Samples per step."),
    click.option("--optimiser", type=click.Choice(OPTIMISERS), help="Default: the instance's."),
    click.option("--learning-rate", type=click.FloatRange(0, min_open=True), metavar="X"),
    click.option("--momentum", type=click.FloatRange(0), metavar="X", help="Of sgd."),
    click.option("--weight-decay", type=click.FloatRange(0), metavar="X"),
    click.option("--clip-norm", type=click.FloatRange(0), metavar="X", help="Largest gradient norm."),
    click.option("--precision", type=click.Choice(PRECISIONS), help="Default: float32."),
)


def training_options(command: Command) -> Command:
    """Add the options of :class:`TrainingOptions`."""
    return add_options(command, (*_WHAT, *_HOW))


def refuse_training(options: TrainingOptions, why: str) -> None:
    """Refuse options that only a training can use.

    Parameters
    ----------
    options
        What was given.
    why
        Why nothing is trained, for the message.

    Raises
    ------
    UsageError
        If one is given.
    """
    odd = [
        f"--{name.replace('_', '-')}"
        for name, value in vars(options).items()
        if value not in (None, (), "random") and name not in ("instance", "data_dir")
    ]
    if odd:
        raise UsageError(f"{' and '.join(odd)} are about training, but {why}.")
