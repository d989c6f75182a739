"""What constraints leave of a lattice: the demands on a group, without listing the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import unknown_name
from engine.gains.tensor import Quantity


@dataclass
class LatticeLimits:
    """What the constraints leave of all 2^N − 1 groups; each constraint narrows it.

    Attributes
    ----------
    tasks
        N names.
    quantity
        ``"gain"`` or ``"loss"``: what floors are about.
    floor
        Shape (N,): a group may serve a task at this value or better only; −inf for gains and inf for
        losses where anything goes.
    min_size, max_size
        Bounds on the number of members of a chosen group.
    together
        Sets of task indices; a chosen group holds all of a set or none.
    apart
        Sets of task indices; a chosen group holds at most one of a set.
    mandatory, forbidden
        Groups, as sets of task indices, that must or must not be chosen.
    min_groups, max_groups
        Bounds on the number of chosen groups, each of cost 1.
    max_memberships
        Bound on the number of chosen groups that hold any one task.
    unreachable
        Why no grouping can meet the demands, in words, where that shows at once.
    """

    tasks: tuple[str, ...]
    quantity: Quantity
    floor: NDArray[np.float64]
    min_size: int
    max_size: int
    together: list[frozenset[int]] = field(default_factory=list)
    apart: list[frozenset[int]] = field(default_factory=list)
    mandatory: list[frozenset[int]] = field(default_factory=list)
    forbidden: list[frozenset[int]] = field(default_factory=list)
    min_groups: int = 0
    max_groups: int | None = None
    max_memberships: int | None = None
    unreachable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, tasks: tuple[str, ...], quantity: Quantity) -> LatticeLimits:
        """Return the limits of a problem without constraints."""
        anything = -np.inf if quantity == "gain" else np.inf
        return cls(tasks, quantity, np.full(len(tasks), anything), 1, len(tasks))

    def columns(self, names: Iterable[str]) -> frozenset[int]:
        """Return the indices of tasks.

        Raises
        ------
        UsageError
            If there is no such task.
        """
        index = {name: column for column, name in enumerate(self.tasks)}
        found = []
        for name in names:
            if name not in index:
                raise unknown_name("task", name, self.tasks)
            found.append(index[name])
        return frozenset(found)

    def at_most(self, groups: int) -> None:
        """Lower the largest number of groups."""
        self.max_groups = groups if self.max_groups is None else min(self.max_groups, groups)

    def share(self, memberships: int) -> None:
        """Lower the largest number of chosen groups per task."""
        self.max_memberships = (
            memberships if self.max_memberships is None else min(self.max_memberships, memberships)
        )

    def admitted(self, membership: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of some groups may be chosen, values apart.

        Parameters
        ----------
        membership
            Shape (m, N).
        """
        sizes = membership.sum(axis=1)
        allowed: NDArray[np.bool_] = (sizes >= self.min_size) & (sizes <= self.max_size)
        for tasks in self.together:
            held = membership[:, sorted(tasks)]
            allowed &= held.all(axis=1) | ~held.any(axis=1)
        for tasks in self.apart:
            allowed &= membership[:, sorted(tasks)].sum(axis=1) <= 1
        for group in self.forbidden:
            row = np.zeros(membership.shape[1], dtype=bool)
            row[sorted(group)] = True
            allowed &= (membership != row).any(axis=1)
        return allowed

    def reasons(self) -> tuple[str, ...]:
        """Return why the demands are contradictory on their face, in words; empty if they are not."""
        found = list(self.unreachable)
        if self.max_groups is not None:
            most = "at most 1 group is" if self.max_groups == 1 else f"at most {self.max_groups} groups are"
            if self.max_groups < 1:
                found.append("not a single group is affordable")
            elif self.max_groups < len(set(self.mandatory)):
                found.append(f"{len(set(self.mandatory))} groups are mandatory, but {most} affordable")
            elif self.max_groups < self.min_groups:
                found.append(f"{self.min_groups} groups are demanded, but {most} affordable")
        for group in dict.fromkeys(self.mandatory):
            row = np.zeros((1, len(self.tasks)), dtype=bool)
            row[0, sorted(group)] = True
            if not self.admitted(row)[0]:
                label = "|".join(self.tasks[task] for task in sorted(group))
                found.append(f"group {label} is mandatory but not allowed")
        held = Counter(task for group in set(self.mandatory) for task in group)
        for task in range(len(self.tasks)):
            if self.max_memberships is not None and held[task] > self.max_memberships:
                found.append(
                    f"{held[task]} mandatory groups hold task {self.tasks[task]!r}, and at most "
                    f"{self.max_memberships} may"
                )
                break
        if self.min_size > self.max_size:
            found.append(f"no group has at least {self.min_size} and at most {self.max_size} tasks")
        return tuple(dict.fromkeys(found))
