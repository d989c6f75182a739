"""Options that several commands share, as frozen records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.cli.options.kinds import Assignment, Names, Weight
from engine.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])
Record = TypeVar("Record")


@dataclass(frozen=True)
class ProblemOptions:
    """What to solve, but for the instance, the source and the budget.

    Attributes
    ----------
    objective, weight, kappa
        The objective and its parameters.
    groups_exactly, groups_at_most, groups_at_least, min_group_size, max_group_size, together, apart, \
    mandatory, forbidden, partition, floor, memberships_at_most
        Demands.
    """

    objective: str | None
    weight: tuple[tuple[str, float], ...]
    kappa: float | None
    groups_exactly: int | None
    groups_at_most: int | None
    groups_at_least: int | None
    min_group_size: int | None
    max_group_size: int | None
    together: tuple[tuple[str, ...], ...]
    apart: tuple[tuple[str, ...], ...]
    mandatory: tuple[str, ...]
    forbidden: tuple[str, ...]
    partition: bool
    floor: float | None
    memberships_at_most: int | None


@dataclass(frozen=True)
class SolverOptions:
    """How to solve.

    Attributes
    ----------
    time_limit, seed, threads, no_presolve
        Limits of one solve, the seed, and whether the shared presolve is skipped.
    option
        Options of the solver.
    verbose
        Plain progress lines on stderr.
    """

    time_limit: float | None
    seed: int
    threads: int | None
    no_presolve: bool
    option: tuple[tuple[str, str], ...]
    verbose: bool


@dataclass(frozen=True)
class KindOptions:
    """What groups to choose from; without either, those of the instance.

    Attributes
    ----------
    lattice
        All groups, by a gain model.
    graph
        Partitions of the pairwise graph.
    """

    lattice: bool
    graph: bool

    @property
    def listless(self) -> bool:
        """Whether the groups to choose from are not listed."""
        return self.lattice or self.graph

    def check(self) -> None:
        """Refuse two kinds at once.

        Raises
        ------
        UsageError
            If both are given.
        """
        if self.lattice and self.graph:
            raise UsageError(
                "Give --lattice (all groups of a gain model) or --graph (partitions of the pairwise graph), "
                "not both."
            )


_KIND = (
    click.option(
        "--lattice", is_flag=True, help="Choose from all 2^N − 1 groups of a gain model (--gains, or hoa)."
    ),
    click.option("--graph", is_flag=True, help="Partition the graph of pairwise gains."),
)
_OBJECTIVE = (
    click.option("--objective", metavar="NAME", help="An objective by name, or module:Class of your own."),
    click.option("--weight", type=Weight(), multiple=True, help="Weight of a task; others weigh 1."),
    click.option("--kappa", type=float, help="Standard errors to subtract (lower-confidence)."),
)
_DEMANDS = (
    click.option("--groups-exactly", type=click.IntRange(1), metavar="K", help="Choose exactly K groups."),
    click.option("--groups-at-most", type=click.IntRange(1), metavar="K", help="Choose at most K groups."),
    click.option("--groups-at-least", type=click.IntRange(1), metavar="K", help="Choose at least K groups."),
    click.option("--min-group-size", type=click.IntRange(1), metavar="S", help="Least tasks per group."),
    click.option("--max-group-size", type=click.IntRange(1), metavar="S", help="Most tasks per group."),
    click.option("--together", type=Names(), multiple=True, help="Tasks that share all their groups."),
    click.option("--apart", type=Names(), multiple=True, help="Tasks that share no group."),
    click.option("--mandatory", metavar="'a|b'", multiple=True, help="A group to choose ('a|b@cost')."),
    click.option("--forbidden", metavar="'a|b'", multiple=True, help="A group not to choose ('a|b@cost')."),
    click.option("--partition", is_flag=True, help="Disjoint groups."),
    click.option(
        "--floor", type=float, metavar="X", help="No task served below X (a fraction; 0: nobody loses)."
    ),
    click.option("--memberships-at-most", type=click.IntRange(1), metavar="R", help="Groups per task."),
)
_SOLVER = (
    click.option(
        "--time-limit", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds per solve."
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**31 - 1),
        default=0,
        show_default=True,
        help="Fixes every random decision.",
    ),
    click.option("--threads", type=click.IntRange(1), metavar="N", help="Default: the cores it may use."),
    click.option("--no-presolve", is_flag=True, help="Hand exact solvers the full problem."),
    click.option("--option", type=Assignment(), multiple=True, help="An option of the solver."),
    click.option("--verbose", is_flag=True, help="Plain progress lines on stderr."),
)
_OUTPUT = (
    click.option("--format", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True),
    click.option(
        "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write there instead of to stdout."
    ),
)

instance_option = click.option(
    "--instance", required=True, metavar="NAME|FILE", help="From the catalogue, or gains of your own."
)
plot_option = click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw it: .png, .svg or .pdf."
)


def problem_options(command: Command) -> Command:
    """Add the options of :class:`ProblemOptions`."""
    return add_options(command, (*_OBJECTIVE, *_DEMANDS))


def kind_options(command: Command) -> Command:
    """Add the options of :class:`KindOptions`."""
    return add_options(command, _KIND)


def solver_options(command: Command) -> Command:
    """Add the options of :class:`SolverOptions`."""
    return add_options(command, _SOLVER)


def output_options(command: Command) -> Command:
    """Add ``--format`` and ``--output``."""
    return add_options(command, _OUTPUT)


def add_options(command: Command, options: tuple[Callable[[Any], Any], ...]) -> Command:
    """Add some options to a command, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def pick(record: type[Record], given: Mapping[str, Any]) -> Record:
    """Build an options record from a command's keyword arguments."""
    names = (field.name for field in fields(record))  # type: ignore[arg-type]
    return record(**{name: given[name] for name in names if name in given})
