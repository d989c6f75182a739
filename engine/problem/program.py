"""The integer program of a problem: arrays that every solver reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.bits import BLOCK_ENTRIES
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint
from engine.problem.extension import is_extended
from engine.problem.limits import COST_TOLERANCE, Limits
from engine.problem.objectives import Aggregate, Objective, SetFunction

GRID_DECIMALS = 7

_KERNEL_TYPES = {
    "indptr": np.int64,
    "members": np.int32,
    "serve": np.float64,
    "open": np.float64,
    "cost": np.float64,
}


@dataclass(frozen=True, eq=False)
class Program:
    """Choose groups and serve every task, in maximisation form.

    maximise    Σ open[g]·x[g] + Σ serve[e]·y[e]     (or the least served value, if aggregate is "min")
    subject to  Σ y[e] over the entries of a task = 1,   y[e] ≤ x[group of e],
    min_groups ≤ Σ x ≤ max_groups,   Σ cost·x ≤ max_cost,
    Σ x over the groups that hold a task ≤ max_memberships,   x = 1 where mandatory,   x, y ∈ {0, 1}.

    With ``max_memberships == 1`` the groups are disjoint, so each serves all its members. The arrays of
    entries, ``open`` and ``cost`` are read-only; what is given is not copied.

    Attributes
    ----------
    n_tasks
        N.
    rows
        Shape (K,): the tensor row of each candidate group.
    indptr, members
        Member entries of the candidates, as in the gain tensor; where no constraint takes any away, its
        very arrays.
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
    members: NDArray[np.int32]
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

    def __post_init__(self) -> None:
        # A compiled kernel is compiled anew for every type it meets, and read-only is a type of its own.
        for name, dtype in _KERNEL_TYPES.items():
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if array.flags.writeable:
                array = array.view()
                array.setflags(write=False)
            object.__setattr__(self, name, array)

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
            Indices of the candidates to keep, in the order they shall have.
        entries
            Shape (E,): entries that may still serve; all by default.
        """
        sizes = np.diff(self.indptr)[groups]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        index = np.repeat(self.indptr[groups] - indptr[:-1], sizes)
        index += np.arange(indptr[-1])
        serve = self.serve[index]
        if entries is not None:
            able = entries[index]
            if self.max_memberships is None:
                index, serve = index[able], serve[able]
                indptr = np.concatenate([[0], np.cumsum(able)])[indptr]
            else:
                serve[~able] = -np.inf
        return replace(
            self,
            rows=self.rows[groups],
            indptr=indptr,
            members=self.members[index],
            serve=serve,
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
        if mandatory > 1 and self.max_memberships is not None:
            held = np.bincount(self.members[self.mandatory[self.entry_groups]])
            if held.max(initial=0) > self.max_memberships:
                found.append(
                    f"{held.max()} mandatory groups hold one task, and at most {self.max_memberships} may"
                )
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
    limits = Limits.of(gains.tasks, gains.quantity)
    for constraint in constraints:
        constraint.restrict(limits)

    allowed = limits.admitted(gains)
    able = limits.serving(gains)
    required, missing = limits.required(gains)
    count = gains.n_groups
    shares = limits.max_memberships
    if shares is not None and shares > 1 and shares >= (limits.max_groups or count):
        shares = None
    if shares == 1 and able is not None:
        allowed &= np.logical_and.reduceat(able, gains.indptr[:-1])
    unreachable = [*limits.unreachable, *missing]
    unreachable.extend(
        f"group {gains.label(int(row))} is mandatory but not allowed"
        for row in np.flatnonzero(required & ~allowed)
    )
    usable = np.repeat(allowed, gains.sizes)
    if able is not None:
        usable &= able
    members = np.asarray(gains.members, dtype=np.int32)
    entries = sign * serve if sign < 0 else serve
    everything = bool(usable.all())
    if everything:
        lacking = list(gains.uncovered)
    else:
        covered = np.zeros(gains.n_tasks, dtype=bool)
        covered[members[usable]] = True
        lacking = [gains.tasks[task] for task in np.flatnonzero(~covered)]
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        unreachable.append(f"no allowed group serves {', '.join(map(repr, lacking[:3]))}{more}")

    rows = np.flatnonzero(allowed)
    indptr = gains.indptr
    if not everything:
        held = usable if shares is None else np.repeat(allowed, gains.sizes)
        sizes = np.add.reduceat(held, indptr[:-1], dtype=np.int64)[rows]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        entries = entries[held]
        if able is not None:
            entries = np.where(able[held], entries, -np.inf)
        members = members[held]
    opening = sign * opening[rows]
    max_groups = len(rows) if limits.max_groups is None else min(limits.max_groups, len(rows))
    rewarding = isinstance(objective, SetFunction) or is_extended(objective, constraints)
    rewarding |= opening.max(initial=0.0) > 0.0
    if shares == 1 or not rewarding:
        # A group that serves nobody is never worth choosing, so N groups are always enough.
        needed = max(gains.n_tasks, limits.min_groups) + int(required.sum())
        max_groups = min(max_groups, needed)
    best = _best_values(gains.n_tasks, members, entries)
    magnitude = _magnitude(entries, opening)
    program = Program(
        n_tasks=gains.n_tasks,
        rows=rows,
        indptr=indptr,
        members=members,
        serve=entries,
        open=opening,
        cost=gains.cost[rows],
        mandatory=required[rows],
        min_groups=limits.min_groups,
        max_groups=max_groups,
        max_cost=math.inf,
        max_memberships=shares,
        aggregate=objective.aggregate,
        sign=sign,
        grid=_grid(magnitude, entries, opening),
        scale=_scale(best, opening) or magnitude or 1.0,
        largest=magnitude or 1.0,
        unreachable=tuple(unreachable),
    )
    program.__dict__["best_values"] = best
    return program.with_max_cost(limits.max_cost) if math.isfinite(limits.max_cost) else program


def _grid(magnitude: float, *coefficients: NDArray[np.float64]) -> float:
    """Return the coarsest decimal step that every finite coefficient is a multiple of, 0 if none.

    Parameters
    ----------
    magnitude
        The largest of a finite coefficient.
    *coefficients
        Arrays of them.
    """
    if not 0.0 < magnitude <= 1e6:
        return 0.0
    for decimals in range(GRID_DECIMALS + 1):
        step = 10.0**-decimals
        if magnitude >= step and all(
            _on_grid(block, 10.0**decimals, 1e-12 * magnitude)
            for values in coefficients
            for block in _blocks(values)
        ):
            return step
    return 0.0


def _on_grid(values: NDArray[np.float64], per_unit: float, slack: float) -> bool:
    finite = values[np.isfinite(values)]
    return bool(np.abs(finite - np.round(finite * per_unit) / per_unit).max(initial=0.0) <= slack)


def _blocks(values: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield an array in parts, so that what is computed of each stays small."""
    for begin in range(0, len(values), BLOCK_ENTRIES):
        yield values[begin : begin + BLOCK_ENTRIES]


def _best_values(n_tasks: int, members: NDArray[np.int32], serve: NDArray[np.float64]) -> NDArray[np.float64]:
    best = np.full(n_tasks, -np.inf)
    for begin in range(0, len(members), BLOCK_ENTRIES):
        at = slice(begin, begin + BLOCK_ENTRIES)
        np.maximum.at(best, members[at], serve[at])
    return best


def _magnitude(*coefficients: NDArray[np.float64]) -> float:
    """Return the largest magnitude of a finite coefficient, 0 without any."""
    largest = 0.0
    for values in coefficients:
        for block in _blocks(values):
            largest = max(largest, float(np.abs(block[np.isfinite(block)]).max(initial=0.0)))
    return largest


def _scale(best: NDArray[np.float64], opening: NDArray[np.float64]) -> float:
    best = np.abs(best[np.isfinite(best)])
    return float(max(best.max(initial=0.0), opening.max(initial=0.0)))
