"""From options to problems: instance, gains, objective, demands."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from engine.catalogue.affinities import AffinityInstance, is_affinity_file
from engine.catalogue.files import FileInstance, open_instance
from engine.catalogue.instance import Instance
from engine.cli.options.shared import ProblemOptions
from engine.cli.telling.messages import say
from engine.errors import UsageError, unknown_name
from engine.gains.tensor import GainTensor
from engine.plugins import INSTANCES, OBJECTIVES
from engine.problem.constraint import Constraint
from engine.problem.constraints import (
    Apart,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    Mandatory,
    MembershipLimit,
    Partition,
    Together,
)
from engine.problem.objectives import Objective
from engine.problem.table import Problem


def open_asked(name: str, options: ProblemOptions, *, affinity: bool = False) -> Instance:
    """Open an instance of the catalogue or a file.

    Parameters
    ----------
    name
        What was given for the instance.
    options
        Where gains come from and how files are read.
    affinity
        Whether the pairs of an affinity file are enough, so that not all groups have to be listed.

    Raises
    ------
    UsageError
        If there is no such instance, or an option does not fit it.
    """
    of_files = {
        "--evaluate": options.evaluate is not None,
        "--merge-duplicates": options.merge_duplicates,
        "--baseline": options.baseline != "single-task",
    }
    given = [option for option, there in of_files.items() if there]
    if given and name in INSTANCES.names():
        raise UsageError(
            f"{name!r} comes from the catalogue; {' and '.join(given)} can only be given with a file of "
            "your own."
        )
    if affinity and is_affinity_file(name):
        return AffinityInstance(
            name,
            options.evaluate,
            merge_duplicates=options.merge_duplicates,
            single_task_baseline=options.baseline == "single-task",
        )
    return open_instance(
        name,
        data_dir=options.data_dir,
        evaluation=options.evaluate,
        merge_duplicates=options.merge_duplicates,
        single_task_baseline=options.baseline == "single-task",
    )


def warn_of_percent(instance: Instance, gains: GainTensor) -> None:
    """Tell on stderr where the gains of a file look like percent."""
    values = abs(gains.values[gains.sizes[gains.entry_rows] > 1])
    if (
        isinstance(instance, (AffinityInstance, FileInstance))
        and gains.quantity == "gain"
        and (values > 1).sum() > len(values) / 2
    ):
        say(f"more than half of the gains of {instance.name} exceed 1; gains are fractions: 3 means 300 %.")


def check_budgets(name: str, own: tuple[float, ...], budgets: tuple[float, ...] | None) -> tuple[float, ...]:
    """Return the budgets to solve for: those given, or else the instance's own.

    Raises
    ------
    UsageError
        If there are none.
    """
    limits = budgets or own
    if not limits:
        raise UsageError(f"Instance {name!r} has no budgets of its own: give --budgets, for instance 1-6.")
    return limits


def make_problem(gains: GainTensor, options: ProblemOptions) -> Problem:
    """Build the problem over a table that the options ask for, without a budget."""
    objective = make_objective(options, gains.tasks)
    return Problem(gains, objective, demands(options, gains.tasks))  # type: ignore[arg-type]


def default_budget(instance: Instance, options: ProblemOptions) -> float | None:
    """Return the budget where none is given: the instance's, unless a number of groups is demanded."""
    counted = options.groups_exactly is not None or options.groups_at_most is not None
    return None if counted else instance.info.default_budget


def make_objective(options: ProblemOptions, tasks: Collection[str]) -> Objective | None:
    """Build the objective; None stands for the default of the gains.

    Parameters
    ----------
    options
        The objective and its parameters.
    tasks
        The names that weights may be for.

    Raises
    ------
    UsageError
        If the name is unknown or the objective does not take a parameter that is given.
    """
    for task, _ in options.weight:
        if "=" in task and task not in tasks:
            raise UsageError(f"--weight {task}=…: give one task, and --weight again for the next one.")
    given: dict[str, Any] = {}
    if options.weight:
        given["weights"] = dict(options.weight)
    if options.kappa is not None:
        given["kappa"] = options.kappa
    name = options.objective
    if name is None:
        if not given:
            return None
        if len(given) > 1:
            raise UsageError("--weight and --kappa belong to different objectives; give one of them.")
        name = "weighted" if "weights" in given else "lower-confidence"
    cls = OBJECTIVES.load(name)
    if not (isinstance(cls, type) and issubclass(cls, Objective)):
        raise UsageError(f"The objective {name!r} is not a subclass of engine.Objective.")
    known: set[str] = (
        {one.name for one in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    )
    for key, option in (("weights", "--weight"), ("kappa", "--kappa")):
        if key in given and key not in known:
            raise UsageError(f"The objective {name!r} takes no {option}.")
    try:
        return cls(**given)
    except TypeError as error:
        raise UsageError(f"Objective {name!r}: {error}") from error


def demands(options: ProblemOptions, tasks: Collection[str]) -> tuple[Constraint, ...]:
    """Build the demands, the budget apart."""
    found: list[Constraint] = []
    exactly = options.groups_exactly
    if exactly is not None:
        if options.groups_at_most is not None or options.groups_at_least is not None:
            raise UsageError("Give --groups-exactly alone, or --groups-at-most and --groups-at-least.")
        found.append(GroupCount(exactly, exactly))
    elif options.groups_at_most is not None or options.groups_at_least is not None:
        found.append(GroupCount(options.groups_at_most, options.groups_at_least or 0))
    if options.min_group_size is not None or options.max_group_size is not None:
        found.append(GroupSize(options.max_group_size, options.min_group_size or 1))
    found += [Together(_known(names, tasks)) for names in options.together]
    found += [Apart(_known(names, tasks)) for names in options.apart]
    found += [Mandatory(*_group(text, tasks)) for text in options.mandatory]
    found += [Forbidden(*_group(text, tasks)) for text in options.forbidden]
    if options.partition:
        found.append(Partition())
    if options.memberships_at_most is not None:
        found.append(MembershipLimit(options.memberships_at_most))
    if options.floor is not None:
        found.append(Floor(options.floor))
    return tuple(found)


def _known(names: Iterable[str], tasks: Collection[str]) -> tuple[str, ...]:
    given = tuple(names)
    for name in given:
        if name not in tasks:
            raise unknown_name("task", name, tasks)
    return given


def _group(text: str, tasks: Collection[str]) -> tuple[tuple[str, ...], float | None]:
    """Read ``a|b`` or ``a|b@cost``; an ``@`` that belongs to a task's name stays there."""
    names = tuple(one.strip() for one in text.split("|"))
    cost = None
    last, sign, tail = names[-1].rpartition("@")
    if sign and names[-1] not in tasks:
        try:
            cost = float(tail)
        except ValueError:
            raise UsageError(f"{text!r}: write a group as 'a|b', or 'a|b@cost' with a number.") from None
        names = (*names[:-1], last.strip())
    return _known(names, tasks), cost


def read_options(solver: str, given: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
    """Read the options of a solver, each as what its field is.

    Parameters
    ----------
    solver
        A registered name or ``module:Class``.
    given
        Pairs of name and text.

    Raises
    ------
    UsageError
        If an option is unknown or its text does not fit.
    """
    pairs = dict(given)
    if not pairs:
        return {}
    from engine.cli.options.text import read_fields
    from engine.plugins import SOLVERS

    return read_fields(SOLVERS.load(solver), pairs.items(), f"solver {solver!r}")
