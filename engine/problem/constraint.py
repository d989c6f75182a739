"""What a constraint is: how it narrows a problem for solvers, and how the referee checks it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.problem.limits import Limits


@dataclass(frozen=True)
class Grouping:
    """A grouping as the referee sees it: names and numbers only.

    Attributes
    ----------
    groups
        Members of each chosen group.
    costs
        Cost of each chosen group.
    serving
        The serving group of each task, as an index into ``groups``.
    values
        The value of each task in the group that serves it.
    quantity
        ``"gain"`` or ``"loss"``.
    """

    groups: tuple[frozenset[str], ...]
    costs: tuple[float, ...]
    serving: Mapping[str, int]
    values: Mapping[str, float]
    quantity: str


class Constraint(ABC):
    """Base of all constraints.

    :meth:`restrict` serves the solvers, :meth:`violation` the referee; the two share no code on
    purpose, so that one checks the other.
    """

    @abstractmethod
    def restrict(self, limits: Limits) -> None:
        """Narrow the limits of a problem, over a table of groups or a lattice alike, to this constraint.

        What none of the limits expresses is a rule on each group, for example
        ``limits.group_rules.append(lambda groups: groups.counts(pair) < 2)``; the groups of a gain model
        must then be few enough to be listed.
        """

    @abstractmethod
    def violation(self, grouping: Grouping) -> str | None:
        """Return in words how a grouping breaks the constraint, or None."""

    @abstractmethod
    def describe(self) -> str:
        """Return the demand in words."""

    def mentioned(self) -> Sequence[str]:
        """Return the task names in the demand; a problem over other tasks is refused."""
        return ()

    def may_serve(self, task: str, value: float, quantity: str) -> bool:
        """Whether a group may serve a task at this value; True unless the constraint is about that."""
        return True
