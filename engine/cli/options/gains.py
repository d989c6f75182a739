"""Where recorded gains are, and how their files are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.options.shared import Command, add_options

if TYPE_CHECKING:
    from engine.catalogue.instance import Instance

data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Folder with published gains."
)
_READING = (
    click.option("--merge-duplicates", is_flag=True, help="Average rows of a file that repeat a group."),
    click.option(
        "--baseline",
        type=click.Choice(["single-task", "other"]),
        default="single-task",
        show_default=True,
        help="What the gains of a file are relative to.",
    ),
)
_EVALUATE = click.option("--evaluate", metavar="FILE", help="Gains to judge the result on, for a file.")


@dataclass(frozen=True)
class GainsOptions:
    """Where recorded gains are, and how their files are read.

    Attributes
    ----------
    merge_duplicates, baseline
        How a file is read.
    data_dir
        Folder with the data of the catalogue.
    evaluate
        Gains to judge the result on.
    """

    merge_duplicates: bool
    baseline: str
    data_dir: Path | None = None
    evaluate: str | None = None

    def open(self, name: str, *, pairs: bool = False) -> Instance:
        """Open an instance of the catalogue, a file or a store, as :func:`engine.open_instance` does.

        Parameters
        ----------
        name
            What was given for the instance.
        pairs
            Whether the pairs of an affinity file are enough.
        """
        from engine.catalogue.opening import open_instance
        from engine.gains.formats.options import ReadOptions

        return open_instance(
            name,
            data_dir=self.data_dir,
            evaluation=self.evaluate,
            options=ReadOptions(
                merge_duplicates=self.merge_duplicates,
                single_task_baseline=self.baseline == "single-task",
            ),
            pairs=pairs,
        )


def gains_options(command: Command) -> Command:
    """Add the options of :class:`GainsOptions`."""
    return add_options(command, (_EVALUATE, data_dir_option, *_READING))


def shown_gains_options(command: Command) -> Command:
    """Add the options of :class:`GainsOptions` for gains that nothing is judged on."""
    return add_options(command, (data_dir_option, *_READING))


def reading_options(command: Command) -> Command:
    """Add the options of :class:`GainsOptions` for a command that has ``--data-dir`` of its own."""
    return add_options(command, _READING)
