"""An extra term and an extra demand that solvers are tested with; their builders need no Pyomo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.problem.constraint import Grouping
from engine.problem.extension import Decisions, ExtendedObjective, PyomoConstraint
from engine.problem.objectives import Objective


@dataclass(frozen=True)
class LargeGroups:
    """A price per chosen group of three tasks or more, as an extra term.

    Attributes
    ----------
    price
        Subtracted per group where the objective maximises; a negative one is a reward.
    """

    price: float

    def build(self, block: Any, decisions: Decisions) -> Any:
        """Return the term over the variables."""
        sizes = decisions.gains.sizes
        return -self.price * sum(one for row, one in decisions.chosen.items() if sizes[row] > 2)

    def value(self, grouping: Grouping) -> float:
        """Return the term of a grouping."""
        return -self.price * sum(len(group) > 2 for group in grouping.groups)

    def added_to(self, base: Objective) -> ExtendedObjective:
        """Return an objective with this term."""
        return ExtendedObjective(base, self.build, self.value, f"{self.price:g} per large group")


@dataclass(frozen=True)
class MostMembers:
    """At most so many memberships over all chosen groups, as an extra demand."""

    limit: int

    def build(self, block: Any, decisions: Decisions) -> Any:
        """Return the relation over the variables."""
        sizes = decisions.gains.sizes
        return sum(int(sizes[row]) * one for row, one in decisions.chosen.items()) <= self.limit

    def broken(self, grouping: Grouping) -> str | None:
        """Count the memberships."""
        count = sum(map(len, grouping.groups))
        return f"{count} memberships, more than {self.limit}" if count > self.limit else None

    @property
    def constraint(self) -> PyomoConstraint:
        """The demand as a constraint."""
        return PyomoConstraint(self.build, self.broken, f"at most {self.limit} memberships")
