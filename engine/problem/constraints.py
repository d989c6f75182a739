"""The built-in constraints: which groups may be chosen, how many, and how they may serve."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np

from engine.arrays import is_number
from engine.errors import UsageError
from engine.problem.constraint import Constraint, Grouping
from engine.problem.limits import COST_TOLERANCE, Limits


def _whole(value: int, least: int, what: str) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise UsageError(f"{what} must be a whole number, {least} or more, not {value!r}.")


def _task_names(tasks: Sequence[str], what: str) -> tuple[str, ...]:
    if isinstance(tasks, str):
        names = [name.strip() for name in tasks.split("|")]
        raise UsageError(f"{what} needs a list of task names, not the text {tasks!r}: write {names!r}.")
    names = list(tasks) if isinstance(tasks, Iterable) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{what} needs a list of task names, not {tasks!r}.")
    return tuple(dict.fromkeys(names))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _names(tasks: Iterable[str]) -> str:
    return " and ".join(repr(name) for name in tasks)


@dataclass(frozen=True)
class Budget(Constraint):
    """The total cost of the chosen groups is at most ``limit``; with unit costs, their number.

    Attributes
    ----------
    limit
        In units of cost, above 0.
    """

    limit: float

    def __post_init__(self) -> None:
        if not (is_number(self.limit) and self.limit > 0):
            raise UsageError(f"A budget must be a number above 0, not {self.limit!r}.")

    def restrict(self, limits: Limits) -> None:
        """Bound the cost."""
        limits.max_cost = min(limits.max_cost, self.limit)

    def violation(self, grouping: Grouping) -> str | None:
        """Add up the costs."""
        total = math.fsum(grouping.costs)
        if total > self.limit * (1 + COST_TOLERANCE):
            return f"the groups cost {total:g}, more than {self.limit:g}"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        return f"a budget of {self.limit:g}"


@dataclass(frozen=True)
class GroupCount(Constraint):
    """The number of chosen groups lies within bounds.

    Attributes
    ----------
    at_most, at_least
        Bounds; give both equal for an exact number.
    """

    at_most: int | None = None
    at_least: int = 0

    def __post_init__(self) -> None:
        _whole(self.at_least, 0, "The smallest number of groups")
        if self.at_most is not None:
            _whole(self.at_most, 1, "The largest number of groups")
            if self.at_most < self.at_least:
                raise UsageError(
                    f"No number of groups is at least {self.at_least} and at most {self.at_most}."
                )

    def restrict(self, limits: Limits) -> None:
        """Bound the number of groups."""
        limits.min_groups = max(limits.min_groups, self.at_least)
        if self.at_most is not None:
            limits.at_most(self.at_most)

    def violation(self, grouping: Grouping) -> str | None:
        """Count the groups."""
        count = len(grouping.groups)
        if count < self.at_least or (self.at_most is not None and count > self.at_most):
            return f"{_plural(count, 'group')} chosen, not {self.describe()}"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        if self.at_most == self.at_least:
            return f"exactly {_plural(self.at_least, 'group')}"
        parts = [f"at least {_plural(self.at_least, 'group')}"] if self.at_least else []
        if self.at_most is not None:
            parts.append(f"at most {_plural(self.at_most, 'group')}")
        return " and ".join(parts) or "any number of groups"


@dataclass(frozen=True)
class GroupSize(Constraint):
    """Every chosen group has a number of members within bounds."""

    at_most: int | None = None
    at_least: int = 1

    def __post_init__(self) -> None:
        _whole(self.at_least, 1, "The smallest group size")
        if self.at_most is not None:
            _whole(self.at_most, 1, "The largest group size")
            if self.at_most < self.at_least:
                raise UsageError(f"No group size is at least {self.at_least} and at most {self.at_most}.")

    def restrict(self, limits: Limits) -> None:
        """Bound the sizes."""
        limits.min_size = max(limits.min_size, self.at_least)
        if self.at_most is not None:
            limits.max_size = min(limits.max_size, self.at_most)

    def violation(self, grouping: Grouping) -> str | None:
        """Look at each group's size."""
        for group in grouping.groups:
            if len(group) < self.at_least or (self.at_most is not None and len(group) > self.at_most):
                return f"group {'|'.join(sorted(group))} has {_plural(len(group), 'task')}"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        parts = [f"at least {self.at_least}"] if self.at_least > 1 else []
        if self.at_most is not None:
            parts.append(f"at most {self.at_most}")
        return f"groups of {' and '.join(parts) or 'any number of'} tasks"


@dataclass(frozen=True, init=False)
class _Several(Constraint):
    """Base of the demands on a set of two tasks or more."""

    tasks: Sequence[str]

    def __init__(self, tasks: Sequence[str], *more: Never) -> None:
        name = type(self).__name__
        if more:
            raise UsageError(f"{name} takes one list of task names: {name}({[tasks, *more]!r}).")
        names = _task_names(tasks, name)
        if len(names) < 2:
            raise UsageError(f"{name} needs two task names or more, not {tasks!r}.")
        object.__setattr__(self, "tasks", names)

    def mentioned(self) -> Sequence[str]:
        """Return the task names in the demand."""
        return self.tasks


@dataclass(frozen=True, init=False)
class Together(_Several):
    """Every chosen group holds all of these tasks or none.

    Attributes
    ----------
    tasks
        Two names or more, in one list.
    """

    def restrict(self, limits: Limits) -> None:
        """Drop groups that split the tasks."""
        limits.together.append(limits.columns(self.tasks))

    def violation(self, grouping: Grouping) -> str | None:
        """Look for a group that holds some but not all."""
        for group in grouping.groups:
            if 0 < len(group & set(self.tasks)) < len(set(self.tasks)):
                return f"group {'|'.join(sorted(group))} splits {_names(self.tasks)}"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        return f"{_names(self.tasks)} together"


@dataclass(frozen=True, init=False)
class Apart(_Several):
    """No chosen group holds two of these tasks.

    Attributes
    ----------
    tasks
        Two names or more, in one list.
    """

    def restrict(self, limits: Limits) -> None:
        """Drop groups that join any two of the tasks."""
        limits.apart.append(limits.columns(self.tasks))

    def violation(self, grouping: Grouping) -> str | None:
        """Look for a group that holds two."""
        for group in grouping.groups:
            if len(group & set(self.tasks)) > 1:
                return f"group {'|'.join(sorted(group))} joins {_names(sorted(group & set(self.tasks)))}"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        return f"{_names(self.tasks)} apart"


@dataclass(frozen=True)
class _OneGroup(Constraint):
    """Base of the demands on one group.

    Attributes
    ----------
    group
        Its members.
    cost
        Which of several networks on these members is meant, where they differ in cost.
    """

    group: Sequence[str]
    cost: float | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        object.__setattr__(self, "group", _task_names(self.group, name))
        if self.cost is not None and not is_number(self.cost):
            raise UsageError(f"{name} takes one list of task names and possibly a cost, not {self.cost!r}.")

    @property
    def label(self) -> str:
        """The group in words."""
        return f"{'|'.join(self.group)}" + ("" if self.cost is None else f" at cost {self.cost:g}")

    def mentioned(self) -> Sequence[str]:
        """Return the task names in the demand."""
        return self.group


@dataclass(frozen=True)
class Mandatory(_OneGroup):
    """A group that must be chosen.

    Attributes
    ----------
    group
        Its members.
    cost
        Which of several networks on these members is meant, where they differ in cost.
    """

    def restrict(self, limits: Limits) -> None:
        """Force the group."""
        limits.mandatory.append((limits.columns(self.group), self.cost))

    def violation(self, grouping: Grouping) -> str | None:
        """Look for the group."""
        for members, cost in zip(grouping.groups, grouping.costs, strict=True):
            if members == set(self.group) and self.cost in (None, cost):
                return None
        return f"group {self.label} is not chosen"

    def describe(self) -> str:
        """Return the demand in words."""
        return f"group {self.label} mandatory"


@dataclass(frozen=True)
class Forbidden(_OneGroup):
    """A group that must not be chosen, at the given cost or, by default, at any."""

    def restrict(self, limits: Limits) -> None:
        """Drop the group."""
        limits.forbidden.append((limits.columns(self.group), self.cost))

    def violation(self, grouping: Grouping) -> str | None:
        """Look for the group."""
        for members, cost in zip(grouping.groups, grouping.costs, strict=True):
            if members == set(self.group) and self.cost in (None, cost):
                return f"group {self.label} is chosen"
        return None

    def describe(self) -> str:
        """Return the demand in words."""
        return f"group {self.label} forbidden"


@dataclass(frozen=True)
class Partition(Constraint):
    """The chosen groups are disjoint."""

    def restrict(self, limits: Limits) -> None:
        """Let each task be in one chosen group only."""
        limits.share(1)

    def violation(self, grouping: Grouping) -> str | None:
        """Count the memberships of each task."""
        return _crowded(grouping, 1)

    def describe(self) -> str:
        """Return the demand in words."""
        return "disjoint groups"


@dataclass(frozen=True)
class MembershipLimit(Constraint):
    """Each task is in at most ``at_most`` chosen groups."""

    at_most: int

    def __post_init__(self) -> None:
        _whole(self.at_most, 1, "The largest number of groups per task")

    def restrict(self, limits: Limits) -> None:
        """Bound the memberships."""
        limits.share(self.at_most)

    def violation(self, grouping: Grouping) -> str | None:
        """Count the memberships of each task."""
        return _crowded(grouping, self.at_most)

    def describe(self) -> str:
        """Return the demand in words."""
        return f"each task in at most {_plural(self.at_most, 'group')}"


def _crowded(grouping: Grouping, at_most: int) -> str | None:
    counts = Counter(task for group in grouping.groups for task in group)
    for task, count in counts.items():
        if count > at_most:
            return f"task {task!r} is in {_plural(count, 'group')}, more than {at_most}"
    return None


@dataclass(frozen=True)
class Floor(Constraint):
    """No task is served at a gain below ``value``, or, for losses, at a loss above it.

    Attributes
    ----------
    value
        In the unit of the tensor; 0 on gains means that nobody loses.
    tasks
        The tasks it protects; all by default.
    """

    value: float = 0.0
    tasks: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if not is_number(self.value):
            raise UsageError(f"A floor must be a finite number, not {self.value!r}.")
        if self.tasks is not None:
            object.__setattr__(self, "tasks", _task_names(self.tasks, "Floor"))

    def mentioned(self) -> Sequence[str]:
        """Return the task names in the demand."""
        return self.tasks or ()

    def restrict(self, limits: Limits) -> None:
        """Raise the floor of the tasks it protects, or lower the ceiling of losses."""
        tasks = sorted(limits.columns(limits.tasks if self.tasks is None else self.tasks))
        stricter = np.maximum if limits.quantity == "gain" else np.minimum
        limits.floor[tasks] = stricter(limits.floor[tasks], self.value)

    def violation(self, grouping: Grouping) -> str | None:
        """Look at the value of each task."""
        for task, value in grouping.values.items():
            if not self.may_serve(task, value, grouping.quantity):
                return f"task {task!r} is served at {value:g}"
        return None

    def may_serve(self, task: str, value: float, quantity: str) -> bool:
        """Compare one value with the floor."""
        if self.tasks is not None and task not in self.tasks:
            return True
        return value >= self.value if quantity == "gain" else value <= self.value

    def describe(self) -> str:
        """Return the demand in words."""
        who = "no task" if self.tasks is None else "none of " + ", ".join(self.tasks)
        return f"{who} worse than {self.value:g}"
