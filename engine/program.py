"""The integer program of a problem: arrays that every solver reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.constraint import COST_TOLERANCE, Constraint, Limits
from engine.errors import UsageError
from engine.gains import GainTensor
from engine.objectives import Aggregate, Objective, SetFunction

GRID_DECIMALS = 7


@dataclass(frozen=True, eq=False)
class Program:
    """Choose groups and serve every task, in maximisation form.

    maximise    Σ open[g]·x[g] + Σ serve[e]·y[e]     (or the least served value, if aggregate is "min")
    subject to  Σ y[e] over the entries of a task = 1,   y[e] ≤ x[group of e],
    min_groups ≤ Σ x ≤ max_groups,   Σ cost·x ≤ max_cost,
    Σ x over the groups that hold a task ≤ max_memberships,   x = 1 where mandatory,   x, y ∈ {0, 1}.

    With ``max_memberships == 1`` the groups are disjoint, so each serves all its members.

    Attributes
    ----------
    n_tasks
        N.
    rows
        Shape (K,): the tensor row of each candidate group.
    indptr, members
        Member entries of the candidates, as in the gain tensor.
    serve
        Shape (E,): value of each entry, −inf where the group may not serve the task.
    open, cost, mandatory
        Shape (K,).
    max_memberships
        None where unlimited.
    sign
        1 where the objective maximises, −1 where it minimises: user value = sign · program value.
    grid
        Positive where every coefficient is a whole multiple of it, so that values are too; else 0.
    scale
        The magnitude of what a good solution holds, which tolerances refer to: the largest of the
        tasks' best values and of the opening values that help. Above 0.
    largest
        The largest absolute coefficient, a diverged run's included. Above 0.
    unreachable
        Demands that alone make the program infeasible, in words.
    """

    n_tasks: int
    rows: NDArray[np.int64]
    indptr: NDArray[np.int64]
    members: NDArray[np.int64]
    serve: NDArray[np.float64]
    open: NDArray[np.float64]
    cost: NDArray[np.float64]
    mandatory: NDArray[np.bool_]
    min_groups: int
    max_groups: int
    max_cost: float
    max_memberships: int | None
    aggregate: Aggregate
    sign: float
    grid: float
    scale: float
    largest: float
    unreachable: tuple[str, ...] = ()

    @property
    def n_groups(self) -> int:
        """Number of candidate groups, K."""
        return len(self.rows)

    @property
    def is_partition(self) -> bool:
        """Whether the chosen groups must be disjoint."""
        return self.max_memberships == 1

    @cached_property
    def entry_groups(self) -> NDArray[np.int64]:
        """Shape (E,): the candidate of each entry."""
        return np.repeat(np.arange(self.n_groups), np.diff(self.indptr))

    @cached_property
    def best_values(self) -> NDArray[np.float64]:
        """Shape (N,): the best value of each task in any candidate, −inf where none may serve it."""
        return _best_values(self.n_tasks, self.members, self.serve)

    @property
    def tolerance(self) -> float:
        """How far below a proven bound a value still counts as optimal."""
        return 1e-9 * self.scale

    def strictly_better(self, value: float) -> float:
        """Return the least bound that still leaves room for a solution better than ``value``."""
        return value + (self.grid * (1 - 1e-3) if self.grid else self.tolerance)

    def select(self, groups: NDArray[np.int64], entries: NDArray[np.bool_] | None = None) -> Program:
        """Return the program of some candidates.

        Parameters
        ----------
        groups
            Indices of the candidates to keep, ascending.
        entries
            Shape (E,): entries that may still serve; all by default.
        """
        keep = np.zeros(self.n_groups, dtype=bool)
        keep[groups] = True
        held = keep[self.entry_groups]
        serve = self.serve
        if entries is not None:
            if self.max_memberships is None:
                held &= entries
            else:
                serve = np.where(entries, serve, -np.inf)
        sizes = np.bincount(self.entry_groups[held], minlength=self.n_groups)[groups]
        return replace(
            self,
            rows=self.rows[groups],
            indptr=np.concatenate([[0], np.cumsum(sizes)]),
            members=self.members[held],
            serve=serve[held],
            open=self.open[groups],
            cost=self.cost[groups],
            mandatory=self.mandatory[groups],
        )

    def with_max_cost(self, limit: float) -> Program:
        """Return the program with its cost bounded; with equal costs this bounds the group count."""
        if self.n_groups and self.cost[0] > 0 and np.all(self.cost == self.cost[0]):
            affordable = math.floor(limit * (1 + COST_TOLERANCE) / self.cost[0])
            limited = replace(self, max_groups=min(self.max_groups, affordable))
        else:
            limited = replace(self, max_cost=min(self.max_cost, limit * (1 + COST_TOLERANCE)))
        limited.__dict__["best_values"] = self.best_values  # the same for every budget
        return limited

    def reasons(self) -> tuple[str, ...]:
        """Return why no choice can meet the demands, in words, where that shows without search."""
        found = list(self.unreachable)
        mandatory = int(self.mandatory.sum())
        most = "at most 1 group is" if self.max_groups == 1 else f"at most {self.max_groups} groups are"
        if self.n_groups and self.max_groups < 1:
            found.append("not a single group is affordable")
        elif self.max_groups < mandatory:
            found.append(f"{mandatory} groups are mandatory, but {most} affordable and allowed")
        if max(1, self.max_groups) < self.min_groups:
            found.append(f"{self.min_groups} groups are demanded, but {most} affordable and allowed")
        return tuple(dict.fromkeys(found))

    def affords(self, groups: NDArray[np.int64]) -> bool:
        """Whether these candidates keep within the cost limit."""
        return bool(np.isinf(self.max_cost) or self.cost[groups].sum() <= self.max_cost)

    def trivial_bound(self) -> float:
        """Return an upper bound at no cost: every task at its best, every opening value that helps."""
        best = self.best_values
        served = float(best.min()) if self.aggregate == "min" else math.fsum(best)
        return served + math.fsum(np.maximum(self.open, 0.0))

    def best_served(self, groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the best value of each task among some candidates, shape (N,), −inf where none."""
        best = np.full(self.n_tasks, -np.inf)
        for group in groups:
            at = slice(self.indptr[group], self.indptr[group + 1])
            tasks = self.members[at]
            best[tasks] = np.maximum(best[tasks], self.serve[at])
        return best

    def value(self, groups: NDArray[np.int64]) -> float:
        """Return the program value of choosing these candidates, −inf where a task is unserved."""
        best = self.best_served(groups)
        served = float(best.min()) if self.aggregate == "min" else math.fsum(best)
        return served + math.fsum(self.open[groups])


def compile_program(
    gains: GainTensor,
    objective: Objective,
    coefficients: tuple[NDArray[np.float64], NDArray[np.float64]],
    constraints: Sequence[Constraint],
) -> Program:
    """Turn a problem into its integer program.

    Parameters
    ----------
    gains, objective, constraints
        The parts of the problem.
    coefficients
        The objective's, per entry, shape (E,), and per group, shape (M,).

    Raises
    ------
    UsageError
        If the objective or a constraint does not fit the tensor.
    """
    serve, opening = coefficients
    if objective.aggregate == "min" and opening.any():
        raise UsageError(
            f"{objective.describe()}: an objective aggregated by 'min' cannot have opening values."
        )
    sign = 1.0 if objective.sense == "maximize" else -1.0
    limits = Limits.of(gains)
    for constraint in constraints:
        constraint.restrict(limits)

    allowed = limits.allowed.copy()
    count = gains.n_groups
    shares = limits.max_memberships
    if shares is not None and shares > 1 and shares >= (limits.max_groups or count):
        shares = None
    if shares == 1:
        allowed &= np.logical_and.reduceat(limits.may_serve, gains.indptr[:-1])
    unreachable = list(limits.unreachable)
    unreachable.extend(
        f"group {gains.label(int(row))} is mandatory but not allowed"
        for row in np.flatnonzero(limits.mandatory & ~allowed)
    )
    covered = np.zeros(gains.n_tasks, dtype=bool)
    covered[gains.members[limits.may_serve & allowed[gains.entry_rows]]] = True
    if not covered.all():
        lacking = [repr(gains.tasks[task]) for task in np.flatnonzero(~covered)]
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        unreachable.append(f"no allowed group serves {', '.join(lacking[:3])}{more}")

    rows = np.flatnonzero(allowed)
    held = allowed[gains.entry_rows]
    if shares is None:
        held &= limits.may_serve
    sizes = np.bincount(gains.entry_rows[held], minlength=count)[rows]
    opening = sign * opening[rows]
    max_groups = len(rows) if limits.max_groups is None else min(limits.max_groups, len(rows))
    rewarding = isinstance(objective, SetFunction) or opening.max(initial=0.0) > 0.0
    if shares == 1 or not rewarding:
        # A group that serves nobody is never worth choosing, so N groups are always enough.
        needed = max(gains.n_tasks, limits.min_groups) + int(limits.mandatory.sum())
        max_groups = min(max_groups, needed)
    program_serve = np.where(limits.may_serve, sign * serve, -np.inf)[held]
    program = Program(
        n_tasks=gains.n_tasks,
        rows=rows,
        indptr=np.concatenate([[0], np.cumsum(sizes)]),
        members=gains.members[held],
        serve=program_serve,
        open=opening,
        cost=gains.cost[rows],
        mandatory=limits.mandatory[rows],
        min_groups=limits.min_groups,
        max_groups=max_groups,
        max_cost=math.inf,
        max_memberships=shares,
        aggregate=objective.aggregate,
        sign=sign,
        grid=_grid(program_serve, opening),
        scale=_scale(gains.n_tasks, gains.members[held], program_serve, opening),
        largest=_largest(program_serve, opening),
        unreachable=tuple(unreachable),
    )
    return program.with_max_cost(limits.max_cost) if math.isfinite(limits.max_cost) else program


def _grid(serve: NDArray[np.float64], opening: NDArray[np.float64]) -> float:
    """Return the coarsest decimal step that every coefficient is a multiple of, 0 if none."""
    values = np.concatenate([serve[np.isfinite(serve)], opening])
    largest = np.abs(values).max(initial=0.0)
    if not 0.0 < largest <= 1e6:
        return 0.0
    for decimals in range(GRID_DECIMALS + 1):
        step = 10.0**-decimals
        nearest = np.round(values * 10.0**decimals)
        if largest >= step and np.abs(values - nearest / 10.0**decimals).max() <= 1e-12 * largest:
            return step
    return 0.0


def _best_values(n_tasks: int, members: NDArray[np.int64], serve: NDArray[np.float64]) -> NDArray[np.float64]:
    best = np.full(n_tasks, -np.inf)
    np.maximum.at(best, members, serve)
    return best


def _largest(serve: NDArray[np.float64], opening: NDArray[np.float64]) -> float:
    largest = max(np.abs(serve[np.isfinite(serve)]).max(initial=0.0), np.abs(opening).max(initial=0.0))
    return float(largest) or 1.0


def _scale(
    n_tasks: int,
    members: NDArray[np.int64],
    serve: NDArray[np.float64],
    opening: NDArray[np.float64],
) -> float:
    best = _best_values(n_tasks, members, serve)
    best = np.abs(best[np.isfinite(best)])
    scale = max(best.max(initial=0.0), opening.max(initial=0.0))
    return float(scale) or _largest(serve, opening)
