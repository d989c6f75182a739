"""What constraints leave of a problem: the one meaning of every demand, over a table and over a lattice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnsupportedError, UsageError, unknown_name
from engine.gains.bits import row_blocks
from engine.gains.groups import Groups
from engine.gains.tensor import GainTensor, Quantity

COST_TOLERANCE = 1e-9

CostedGroup = tuple[frozenset[int], float | None]
"""Task indices of a group, and its cost; None for any cost."""

GroupRule = Callable[[Groups], NDArray[np.bool_]]
"""Says which of M groups may be chosen, shape (M,); it reads member entries, see :meth:`Groups.counts`."""

ServingRule = Callable[[GainTensor], NDArray[np.bool_]]
"""Says which of E member entries may serve their task, shape (E,)."""


class GroupList(Protocol):
    """Groups that demands can be held against, however they are stored."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Shape (m,): number of members of each group."""

    def counts(self, tasks: Collection[int]) -> NDArray[np.int64]:
        """Return how many of some tasks each group holds, shape (m,)."""


@dataclass(frozen=True, eq=False)
class Membership:
    """Some groups of a lattice as a matrix of members, shape (m, N), each of cost 1."""

    matrix: NDArray[np.bool_]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Shape (m,): number of members of each group."""
        return np.asarray(self.matrix.sum(axis=1), dtype=np.int64)

    def counts(self, tasks: Collection[int]) -> NDArray[np.int64]:
        """Return how many of some tasks each group holds, shape (m,)."""
        return np.asarray(self.matrix[:, list(tasks)].sum(axis=1), dtype=np.int64)


@dataclass
class Limits:
    """What the constraints leave of a problem; each constraint narrows it.

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
        Groups that must or must not be chosen.
    min_groups, max_groups
        Bounds on the number of chosen groups.
    max_cost
        Bound on the total cost of the chosen groups.
    max_memberships
        Bound on the number of chosen groups that hold any one task.
    group_rules, serving_rules
        What a user's own constraint says of groups and of entries. A problem over all groups of a gain
        model then needs a list of them.
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
    mandatory: list[CostedGroup] = field(default_factory=list)
    forbidden: list[CostedGroup] = field(default_factory=list)
    min_groups: int = 0
    max_groups: int | None = None
    max_cost: float = math.inf
    max_memberships: int | None = None
    group_rules: list[GroupRule] = field(default_factory=list)
    serving_rules: list[ServingRule] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, tasks: tuple[str, ...], quantity: Quantity) -> Limits:
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
        columns = []
        for name in names:
            if name not in index:
                raise unknown_name("task", name, self.tasks)
            columns.append(index[name])
        return frozenset(columns)

    def at_most(self, groups: int) -> None:
        """Lower the largest number of groups."""
        self.max_groups = groups if self.max_groups is None else min(self.max_groups, groups)

    def share(self, memberships: int) -> None:
        """Lower the largest number of chosen groups per task."""
        self.max_memberships = (
            memberships if self.max_memberships is None else min(self.max_memberships, memberships)
        )

    @property
    def need_a_list(self) -> bool:
        """Whether they hold of listed groups only, since a user's own rule looks at each."""
        return bool(self.group_rules or self.serving_rules)

    def admitted(self, groups: GroupList) -> NDArray[np.bool_]:
        """Return which of some groups may be chosen, values apart, shape (m,).

        Takes memory proportional to their number, whatever the number of tasks.

        Parameters
        ----------
        groups
            Of a tensor, or some of a lattice.

        Raises
        ------
        UnsupportedError
            If a user's own rule needs a list of groups, and these are not one.
        """
        sizes = groups.sizes
        allowed: NDArray[np.bool_] = (sizes >= self.min_size) & (sizes <= self.max_size)
        for tasks in self.together:
            held = groups.counts(tasks)
            allowed &= (held == 0) | (held == len(tasks))
        for tasks in self.apart:
            allowed &= groups.counts(tasks) <= 1
        for group in self.forbidden:
            allowed[self._rows(groups, group)] = False
        if self.group_rules and not isinstance(groups, Groups):
            raise UnsupportedError("A rule of one's own for groups needs a list of them: a gain tensor.")
        for rule in self.group_rules:
            allowed &= rule(cast("Groups", groups))
        return allowed

    def serving(self, gains: GainTensor) -> NDArray[np.bool_] | None:
        """Return which member entries may serve their task, shape (E,), None where all may.

        Parameters
        ----------
        gains
            Over the same tasks.
        """
        if not (np.isfinite(self.floor).any() or self.serving_rules):
            return None
        able = np.empty(len(gains.values), dtype=bool)
        better = np.greater_equal if self.quantity == "gain" else np.less_equal
        for first, last in row_blocks(gains.indptr):
            at = slice(int(gains.indptr[first]), int(gains.indptr[last]))
            better(gains.values[at], self.floor[gains.members[at]], out=able[at])
        for rule in self.serving_rules:
            able &= rule(gains)
        return able

    def required(self, gains: GainTensor) -> tuple[NDArray[np.bool_], list[str]]:
        """Return which groups must be chosen, shape (M,), and which the tensor lacks, in words.

        Parameters
        ----------
        gains
            Over the same tasks.

        Raises
        ------
        UsageError
            If a group is there at several costs, and it is not said which is meant.
        """
        required = np.zeros(gains.n_groups, dtype=bool)
        lacking = []
        for group in self.mandatory:
            rows = self._rows(gains, group)
            if len(rows) > 1:
                costs = ", ".join(f"{gains.cost[row]:g}" for row in rows)
                raise UsageError(
                    f"Group {self.label(group)} exists at costs {costs}: say which is mandatory."
                )
            if len(rows):
                required[rows] = True
            else:
                lacking.append(f"the gains hold no group {self.label(group)}")
        return required, lacking

    def label(self, group: CostedGroup) -> str:
        """Return a name of a group: its tasks joined by ``|``, and its cost where that is meant."""
        tasks, cost = group
        names = "|".join(self.tasks[task] for task in sorted(tasks))
        return names if cost is None else f"{names} at cost {cost:g}"

    def at_unit_cost(self) -> Limits:
        """Return what they say of groups that all cost 1, so that a cost is a number of groups."""
        limits = replace(self, max_cost=math.inf, unreachable=list(self.unreachable))
        if math.isfinite(self.max_cost):
            limits.at_most(math.floor(self.max_cost * (1 + COST_TOLERANCE)))
        limits.mandatory = [(tasks, None) for tasks, cost in self.mandatory if cost in (None, 1.0)]
        limits.forbidden = [(tasks, None) for tasks, cost in self.forbidden if cost in (None, 1.0)]
        limits.unreachable += [
            f"a gain model holds no group {self.label(group)}: its groups cost 1"
            for group in self.mandatory
            if group[1] not in (None, 1.0)
        ]
        return limits

    def reasons(self) -> tuple[str, ...]:
        """Return why demands on groups of cost 1 contradict one another on their face, in words."""
        words = list(self.unreachable)
        mandatory = list(dict.fromkeys(self.mandatory))
        if self.max_groups is not None:
            most = "at most 1 group is" if self.max_groups == 1 else f"at most {self.max_groups} groups are"
            if self.max_groups < 1:
                words.append("not a single group is affordable")
            elif self.max_groups < len(mandatory):
                words.append(f"{len(mandatory)} groups are mandatory, but {most} affordable")
            elif self.max_groups < self.min_groups:
                words.append(f"{self.min_groups} groups are demanded, but {most} affordable")
        for group in mandatory:
            row = np.zeros((1, len(self.tasks)), dtype=bool)
            row[0, sorted(group[0])] = True
            if not self.admitted(Membership(row))[0]:
                words.append(f"group {self.label(group)} is mandatory but not allowed")
        held = Counter(task for tasks, _ in mandatory for task in tasks)
        for task in range(len(self.tasks)):
            if self.max_memberships is not None and held[task] > self.max_memberships:
                words.append(
                    f"{held[task]} mandatory groups hold task {self.tasks[task]!r}, and at most "
                    f"{self.max_memberships} may"
                )
                break
        if self.min_size > self.max_size:
            words.append(f"no group has at least {self.min_size} and at most {self.max_size} tasks")
        return tuple(dict.fromkeys(words))

    @staticmethod
    def _rows(groups: GroupList, group: CostedGroup) -> NDArray[np.int64]:
        """Return where a group stands among others, at the cost that is meant."""
        tasks, cost = group
        if isinstance(groups, GainTensor):
            rows = np.array(groups.index.rows_with(np.array(sorted(tasks))), dtype=np.int64)
        else:
            rows = np.flatnonzero((groups.sizes == len(tasks)) & (groups.counts(tasks) == len(tasks)))
        prices = getattr(groups, "cost", None)
        return rows if cost is None or prices is None else rows[prices[rows] == cost]
