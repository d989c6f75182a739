"""The best value of a small problem over a lattice, by listing sets of groups or set partitions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.model import all_groups
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint, Grouping
from engine.problem.constraints import (
    Apart,
    Budget,
    Floor,
    Forbidden,
    GroupCount,
    GroupSize,
    Mandatory,
    MembershipLimit,
    Partition,
    Together,
)
from engine.problem.lattice import LatticeProblem
from engine.problem.objectives import SetFunction
from engine.problem.table import Problem
from engine.solving.referee import referee
from engine.testing.random_lattices import NotOfSize

MOST_SETS = 1_500_000
MOST_PARTITION_TASKS = 10

_PER_GROUP = (GroupSize, Together, Apart, Forbidden, NotOfSize)
"""Demands that hold of a grouping if and only if they hold of each of its groups."""
_COUNTS = (Budget, GroupCount)
_KNOWN = (*_PER_GROUP, *_COUNTS, Mandatory, MembershipLimit, Partition, Floor)


def lattice_optimum(problem: LatticeProblem) -> float | None:
    """Return the best value of any grouping, or None for an infeasible problem.

    Partitions of at most 10 tasks are all tried; elsewhere every set of as many groups as can be
    needed is, while there are at most a million and a half. It reads the model, the objective's
    coefficients and the constraints' ``violation`` only, never the limits, weights or programs that
    solvers read, so that it checks these too; the referee confirms what it finds. What is beyond that
    is left to the solver that the engine prefers for a table of all groups.

    Parameters
    ----------
    problem
        A problem over few tasks.

    Raises
    ------
    UsageError
        If a table of all groups would be needed and cannot be made or solved.
    """
    groups = _Groups(problem)
    if isinstance(problem.objective, SetFunction) or not all(
        isinstance(one, _KNOWN) for one in problem.constraints
    ):
        return _solved(problem)
    if groups.memberships == 1 and groups.count <= MOST_PARTITION_TASKS:
        return groups.confirmed(groups.best_partition())
    if groups.number_of_sets <= MOST_SETS:
        return groups.confirmed(groups.best_set())
    return _solved(problem)


def _solved(problem: LatticeProblem) -> float | None:
    from engine.solving.certificate import Status
    from engine.solving.solve import solve

    solution = solve(problem.listed, threads=1)
    if solution.status is Status.INFEASIBLE:
        return None
    if solution.status is not Status.OPTIMAL:
        raise UsageError(f"The table of all {problem.n_groups} groups is not solved: {solution.status}.")
    return solution.value


@dataclass(frozen=True)
class _Groups:
    """The groups of a small lattice, with what the oracle needs to know of them."""

    problem: LatticeProblem

    @property
    def count(self) -> int:
        return len(self.problem.tasks)

    @property
    def upward(self) -> float:
        return 1.0 if self.problem.objective.sense == "maximize" else -1.0

    @cached_property
    def tensor(self) -> GainTensor:
        member = all_groups(self.count)
        model = self.problem.model
        return GainTensor.from_dense(
            model.tasks,
            member,
            model.predict(member),
            measured=np.zeros(len(member), dtype=bool),
            quantity=getattr(model, "quantity", "gain"),
            single_task_baseline=False,
        )

    @cached_property
    def coefficients(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Maximised value of serving, shape (M, N), −inf where that is not allowed; of choosing, (M,)."""
        serve, opening = Problem(self.tensor, self.problem.objective).coefficients
        worth = np.full((self.tensor.n_groups, self.count), -np.inf)
        for row in range(self.tensor.n_groups):
            entries = self.tensor.row(row)
            for task, value, given in zip(
                self.tensor.members[entries], serve[entries], self.tensor.values[entries], strict=True
            ):
                name = self.problem.tasks[task]
                if all(
                    one.may_serve(name, float(given), self.tensor.quantity)
                    for one in self.problem.constraints
                ):
                    worth[row, task] = self.upward * value
        return worth, self.upward * opening

    def some(self, *kinds: type[Constraint]) -> list[Constraint]:
        return [one for one in self.problem.constraints if isinstance(one, kinds)]

    def grouping(self, groups: Sequence[frozenset[str]]) -> Grouping:
        return Grouping(tuple(groups), (1.0,) * len(groups), {}, {}, self.tensor.quantity)

    @cached_property
    def allowed(self) -> NDArray[np.int64]:
        """Rows of the groups that no demand on single groups rules out."""
        demands = self.some(*_PER_GROUP)
        names = [frozenset(self.tensor.group(row)) for row in range(self.tensor.n_groups)]
        kept = [
            row
            for row, name in enumerate(names)
            if not any(one.violation(self.grouping([name])) for one in demands)
        ]
        return np.array(kept, dtype=np.int64)

    @cached_property
    def mandatory(self) -> NDArray[np.int64] | None:
        """Rows of the groups that must be chosen, None where one of them cannot be."""
        rows: set[int] = set()
        for one in self.some(Mandatory):
            found = [
                int(row)
                for row in self.allowed
                if not one.violation(self.grouping([frozenset(self.tensor.group(int(row)))]))
            ]
            if not found:
                return None
            rows.update(found)
        return np.array(sorted(rows), dtype=np.int64)

    @cached_property
    def numbers(self) -> NDArray[np.bool_]:
        """Shape (M + 1,): how many groups may be chosen."""
        demands = self.some(*_COUNTS)
        anyone = frozenset(self.problem.tasks[:1])
        return np.array(
            [
                count > 0 and not any(one.violation(self.grouping([anyone] * count)) for one in demands)
                for count in range(self.tensor.n_groups + 1)
            ]
        )

    @cached_property
    def memberships(self) -> int:
        """The most chosen groups that may hold a task."""
        anyone = frozenset(self.problem.tasks[:1])
        demands = self.some(Partition, MembershipLimit)
        for count in range(1, self.count + 1):
            if any(one.violation(self.grouping([anyone] * (count + 1))) for one in demands):
                return count
        return self.tensor.n_groups

    @cached_property
    def sizes(self) -> range:
        """How many groups beside the mandatory ones are worth trying.

        Where choosing a group has no value of its own, at most N groups serve and the others only
        make up the number demanded; a subset of a feasible grouping breaks no upper limit.
        """
        if self.mandatory is None or not self.numbers.any():
            return range(0)
        others = len(np.setdiff1d(self.allowed, self.mandatory))
        least = int(np.argmax(self.numbers))
        most = int(np.flatnonzero(self.numbers)[-1]) - len(self.mandatory)
        if not self.coefficients[1].any():
            most = min(most, max(self.count, least))
        return range(min(most, others) + 1)

    @property
    def number_of_sets(self) -> int:
        if self.mandatory is None:
            return 0
        others = len(np.setdiff1d(self.allowed, self.mandatory))
        return sum(math.comb(others, size) for size in self.sizes)

    def best_set(self) -> NDArray[np.int64] | None:
        """Try every set of groups."""
        if self.mandatory is None:
            return None
        worth, opening = self.coefficients
        member = self.tensor.membership.astype(np.int64)
        others = np.setdiff1d(self.allowed, self.mandatory)
        base = worth[self.mandatory].max(axis=0, initial=-np.inf)
        best, chosen = -np.inf, None
        for size in self.sizes:
            if not self.numbers[size + len(self.mandatory)]:
                continue
            picked = chain.from_iterable(combinations(others.tolist(), size))
            sets = np.fromiter(picked, dtype=np.int64).reshape(math.comb(len(others), size), size)
            served = np.broadcast_to(base, (len(sets), self.count)).copy()
            held = np.broadcast_to(member[self.mandatory].sum(axis=0), served.shape).copy()
            values = np.full(len(sets), opening[self.mandatory].sum())
            for column in sets.T:
                np.maximum(served, worth[column], out=served)
                held += member[column]
                values += opening[column]
            worst = self.problem.objective.aggregate == "min"
            values += served.min(axis=1) if worst else served.sum(axis=1)
            values[(held > self.memberships).any(axis=1)] = -np.inf
            at = int(np.argmax(values))
            if values[at] > best:
                best, chosen = float(values[at]), np.concatenate([self.mandatory, sets[at]])
        return chosen

    def best_partition(self) -> NDArray[np.int64] | None:
        """Try every partition of the tasks."""
        if self.mandatory is None:
            return None
        worth, opening = self.coefficients
        rows = {int(self.tensor.packed[row, 0]): int(row) for row in self.allowed}
        demanded = {int(self.tensor.packed[row, 0]) for row in self.mandatory}
        worst = self.problem.objective.aggregate == "min"
        total = np.min if worst else np.sum
        value = {
            code: float(total(worth[row, self.tensor.membership[row]])) + float(opening[row])
            for code, row in rows.items()
        }
        best, chosen = -np.inf, None
        for blocks in _partitions(self.count):
            if not self.numbers[len(blocks)] or not demanded <= set(blocks):
                continue
            values = [value.get(block, -np.inf) for block in blocks]
            here = min(values) if worst else math.fsum(values) if min(values) > -np.inf else -np.inf
            if here > best:
                best, chosen = here, blocks
        return None if chosen is None else np.array([rows[block] for block in chosen])

    def confirmed(self, rows: NDArray[np.int64] | None) -> float | None:
        """Return the referee's value of a choice, which must be feasible."""
        if rows is None:
            return None
        table, choice = self.problem.table_of(self.tensor.membership[rows])
        verdict = referee(table, choice)
        assert not verdict.problems, f"the referee refuses what the oracle found: {verdict.problems}"
        return verdict.value


def _partitions(count: int) -> Iterator[list[int]]:
    """Give every partition of some tasks, each a list of codes with task t in bit t."""
    blocks: list[int] = []

    def place(task: int) -> Iterator[list[int]]:
        if task == count:
            yield list(blocks)
            return
        for index in range(len(blocks)):
            blocks[index] |= 1 << task
            yield from place(task + 1)
            blocks[index] ^= 1 << task
        blocks.append(1 << task)
        yield from place(task + 1)
        blocks.pop()

    yield from place(0)
