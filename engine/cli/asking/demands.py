"""From options to an objective and to demands."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import Any

from engine.cli.options.shared import ProblemOptions
from engine.errors import UsageError, unknown_name
from engine.plugins import OBJECTIVES
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
