"""The integer program over a lattice: what a group is worth, and which may be chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.gains.model import GainModel
from engine.gains.separable import SeparableModel
from engine.problem.lattice import LatticeProblem
from engine.problem.limits import Limits, Membership
from engine.problem.program import Program

Floats = NDArray[np.float64]
Members = NDArray[np.bool_]

UNLIMITED = 1 << 30

NEVER = -1e30
"""What a scan gives to a group that may not be chosen, and to serving where that is not possible."""

POSSIBLE = -1e29
"""Anything that is possible is worth more."""

MOST_SHIFTS = 40
"""Pairs of tasks up to so many places apart tell the magnitude of gains."""


@dataclass(frozen=True)
class Prices:
    """Lagrange multipliers.

    Attributes
    ----------
    serve
        Shape (N,): price of serving each task once.
    hold
        Shape (N,): price of holding each task, 0 or more; 0 where memberships are not limited.
    """

    serve: Floats
    hold: Floats


@dataclass(frozen=True, eq=False)
class LatticeForm:
    """A lattice problem in maximisation form.

    Attributes
    ----------
    model
        Says what each task gains in any group.
    weights
        Shape (N,): value of a unit of gain; negative for losses.
    floor
        Shape (N,): least gain at which a group may serve a task; of losses, the negative of the largest.
    limits
        Which groups may be chosen, and how many.
    forced
        Shape (F, N): the groups that must be chosen.
    """

    model: GainModel
    weights: Floats
    floor: Floats
    limits: Limits
    forced: Members = field(repr=False)

    @classmethod
    def of(cls, problem: LatticeProblem) -> LatticeForm:
        """Return the form of a problem whose objective has task weights and whose limits are known."""
        limits = problem.limits
        weights = problem.task_weights
        assert weights is not None, "problems in another form are listed"
        floor = limits.floor if limits.quantity == "gain" else -limits.floor
        forced = np.zeros((len(set(limits.mandatory)), len(weights)), dtype=bool)
        for row, (group, _) in enumerate(dict.fromkeys(limits.mandatory)):
            forced[row, sorted(group)] = True
        return cls(problem.model, weights, floor, limits, forced)

    @property
    def direction(self) -> float:
        """1 for gains, −1 for losses."""
        return 1.0 if self.limits.quantity == "gain" else -1.0

    @property
    def has_increasing_worth(self) -> bool:
        """Whether no task is worth less the more it gains."""
        return bool((self.weights * self.direction >= 0).all())

    @property
    def is_structured(self) -> bool:
        """Whether the model adds up effects of pairs, at no size with the opposite sign."""
        model = self.model
        return isinstance(model, SeparableModel) and bool((np.asarray(model.size_weights)[2:] >= 0).all())

    @property
    def n_tasks(self) -> int:
        """Number of tasks, N."""
        return len(self.weights)

    @property
    def is_partition(self) -> bool:
        """Whether the chosen groups must be disjoint."""
        return self.limits.max_memberships == 1

    @property
    def max_groups(self) -> int:
        """The most groups that may be chosen; more than there are tasks are never needed."""
        needed = max(self.n_tasks, self.limits.min_groups) + len(self.forced)
        most = UNLIMITED if self.limits.max_groups is None else self.limits.max_groups
        return min(most, needed)

    @property
    def min_groups(self) -> int:
        """The fewest groups that may be chosen."""
        return max(self.limits.min_groups, len(self.forced), 1)

    @cached_property
    def gain_magnitude(self) -> float:
        """How large gains are, judged by singles, some pairs and the full group; above 0."""
        count = self.n_tasks
        singles = np.eye(count, dtype=bool)
        pairs = [singles | np.roll(singles, shift, axis=1) for shift in range(1, min(count, MOST_SHIFTS))]
        groups = np.concatenate([singles, np.ones((1, count), dtype=bool), *pairs])
        return float(np.abs(self.model.predict(groups)[groups]).max()) or 1.0

    @property
    def magnitude(self) -> float:
        """How large values are, which tolerances refer to; above 0."""
        return self.gain_magnitude * (float(np.abs(self.weights).max()) or 1.0)

    @cached_property
    def contradicts_itself(self) -> bool:
        """Whether the forced groups may not be chosen."""
        crowded = False
        if self.limits.max_memberships is not None:
            crowded = bool((self.forced.sum(axis=0) > self.limits.max_memberships).any())
        return crowded or not self.admitted(self.forced, self.values(self.forced)).all()

    def holds(self, membership: Members) -> bool:
        """Whether there are neither too few nor too many groups, and the forced ones are among them."""
        counts = self.limits.min_groups <= len(membership) <= self.max_groups
        return counts and all((membership == group).all(axis=1).any() for group in self.forced)

    def values(self, membership: Members) -> Floats:
        """Return the value of serving each task in each group, −inf where the group may not serve it.

        Parameters
        ----------
        membership
            Shape (m, N).
        """
        if not len(membership):
            return np.zeros(membership.shape)
        gains = self.model.predict(membership)
        with np.errstate(invalid="ignore"):
            able = membership & (self.direction * gains >= self.floor)
        values: Floats = np.where(able, gains * self.weights, -np.inf)
        return values

    def admitted(self, membership: Members, values: Floats) -> Members:
        """Return which groups may be chosen: within the limits and, in partitions, serving all members."""
        allowed = self.limits.admitted(Membership(membership))
        if self.is_partition:
            allowed &= (np.isfinite(values) == membership).all(axis=1)
        return allowed

    def worth(self, membership: Members, values: Floats, prices: Prices) -> Floats:
        """Return what choosing each group is worth at some prices, shape (m,).

        Parameters
        ----------
        membership, values
            Groups and what they serve for, shape (m, N).
        prices
            The multipliers.
        """
        over = values - prices.serve
        worth: Floats = np.where(membership, over, 0.0) if self.is_partition else np.maximum(over, 0.0)
        worth = worth.sum(axis=1)
        return worth if self.is_partition else worth - membership @ prices.hold

    def program(self, membership: Members) -> Program:
        """Return the integer program of some admitted groups, one row each, in this order.

        Parameters
        ----------
        membership
            Shape (m, N), distinct; holds the forced groups.
        """
        values = self.values(membership)
        # Where memberships are limited, a member counts even where it may not be served.
        shared = self.limits.max_memberships is not None
        rows, members = np.nonzero(membership if shared else np.isfinite(values))
        serve = values[rows, members]
        finite = np.abs(serve[np.isfinite(serve)])
        best = np.full(self.n_tasks, -np.inf)
        np.maximum.at(best, members, serve)
        largest = float(finite.max(initial=0.0)) or 1.0
        scale = float(np.abs(best[np.isfinite(best)]).max(initial=0.0)) or largest
        mandatory = np.zeros(len(membership), dtype=bool)
        for group in self.forced:
            mandatory |= (membership == group).all(axis=1)
        return Program(
            n_tasks=self.n_tasks,
            rows=np.arange(len(membership)),
            indptr=np.searchsorted(rows, np.arange(len(membership) + 1)),
            members=members.astype(np.int32),
            serve=serve,
            open=np.zeros(len(membership)),
            cost=np.ones(len(membership)),
            mandatory=mandatory,
            min_groups=self.limits.min_groups,
            max_groups=min(self.max_groups, len(membership)),
            max_cost=np.inf,
            max_memberships=self.limits.max_memberships,
            aggregate="sum",
            sign=1.0,
            grid=0.0,
            scale=scale,
            largest=largest,
        )
