"""What a constraint is: how it narrows a problem for solvers, and how the referee checks it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnsupportedError
from engine.gains.tensor import GainTensor
from engine.problem.lattice_limits import LatticeLimits

COST_TOLERANCE = 1e-9


@dataclass
class Limits:
    """What the constraints leave of a problem; each constraint narrows it.

    Attributes
    ----------
    gains
        The gain tensor of the problem.
    allowed
        Shape (M,): groups that may be chosen.
    may_serve
        Shape (E,): member entries that may serve their task.
    mandatory
        Shape (M,): groups that must be chosen.
    min_groups, max_groups
        Bounds on the number of chosen groups.
    max_cost
        Bound on the total cost of the chosen groups.
    max_memberships
        Bound on the number of chosen groups that hold any one task.
    unreachable
        Why no grouping of this tensor can meet the demands, in words, where that shows at once.
    """

    gains: GainTensor
    allowed: NDArray[np.bool_]
    may_serve: NDArray[np.bool_]
    mandatory: NDArray[np.bool_]
    min_groups: int = 0
    max_groups: int | None = None
    max_cost: float = math.inf
    max_memberships: int | None = None
    unreachable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, gains: GainTensor) -> Limits:
        """Return the limits of a problem without constraints."""
        return cls(
            gains,
            np.ones(gains.n_groups, dtype=bool),
            np.ones(len(gains.values), dtype=bool),
            np.zeros(gains.n_groups, dtype=bool),
        )

    def at_most(self, groups: int) -> None:
        """Lower the largest number of groups."""
        self.max_groups = groups if self.max_groups is None else min(self.max_groups, groups)

    def share(self, memberships: int) -> None:
        """Lower the largest number of chosen groups per task."""
        self.max_memberships = (
            memberships if self.max_memberships is None else min(self.max_memberships, memberships)
        )


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
        """Narrow the limits of a problem to this constraint."""

    def restrict_lattice(self, limits: LatticeLimits) -> None:
        """Narrow the limits of a problem over all groups of a gain model, where that can be said.

        Raises
        ------
        UnsupportedError
            By default: the constraint needs a list of groups.
        """
        raise UnsupportedError(
            f"{type(self).__name__} ({self.describe()}) cannot be demanded of all groups of a gain model: "
            "define restrict_lattice(), or list the groups in a gain tensor."
        )

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
