"""Where a solver may start: an earlier solution, or groups by the names of their tasks."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import UsageError
from engine.problem.table import NamedGroup
from engine.solving.solution import Solution


def named_groups(start: Solution | Iterable[Iterable[str]]) -> list[NamedGroup]:
    """Return the groups of a warm start by name, with their cost where it is known.

    Parameters
    ----------
    start
        An earlier solution, or groups as task names.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if isinstance(start, Solution):
        return [(group.tasks, group.cost) for group in start.groups]
    if isinstance(start, str) or not isinstance(start, Iterable):
        raise UsageError(f"A warm start is a Solution or a list of groups, not {start!r:.80}.")
    return [(_warm_group(group), None) for group in start]


def _warm_group(group: Iterable[str]) -> tuple[str, ...]:
    advice = f": write {group.split('|')!r}" if isinstance(group, str) else ""
    names = () if isinstance(group, str) or not isinstance(group, Iterable) else tuple(group)
    if not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"Each group of a warm start is a list of task names, not {group!r:.80}{advice}.")
    return names
