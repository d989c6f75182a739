"""A graph problem as arrays: tasks that must stay together are one node, decided groups are set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.separable import PairSumModel
from engine.problem.lattice import LatticeProblem
from engine.problem.limits import Limits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Floors:
    """Least values of tasks: ``constant + Σ effect[node] over the nodes of its group`` must reach ``least``.

    Attributes
    ----------
    node
        Shape (F,): the node that holds the task.
    effect
        Shape (F, n): what each node adds to the task's value; 0 for its own.
    constant
        Shape (F,): what the tasks of its own node add.
    least
        Shape (F,): the floor, in the unit of ``effect``.
    """

    node: Ints
    effect: Floats
    constant: Floats
    least: Floats

    @property
    def slack(self) -> Floats:
        """Shape (F,): how far rounding may move a value."""
        total: Floats = np.abs(self.effect).sum(axis=1) + np.abs(self.constant) + np.abs(self.least)
        return 1e-13 * total


@dataclass(frozen=True, eq=False)
class Graph:
    """Partition n nodes so that the weights of the pairs in one group add up to the most.

    Attributes
    ----------
    problem
        Where it comes from.
    nodes
        For each node, its tasks.
    decided
        Groups that are mandatory and therefore set aside, as lists of tasks.
    base
        Value of what is decided: the mandatory groups and the pairs inside nodes.
    weights
        Shape (n, n), symmetric, 0 on the diagonal.
    sizes
        Shape (n,): number of tasks of each node.
    apart
        Shape (n, n): pairs of nodes that may not share a group.
    min_size, max_size
        Bounds on the number of tasks of a group.
    min_groups, max_groups
        Bounds on the number of groups besides the decided ones, those that follow from sizes included.
    forbidden
        Shape (Q, n): groups that may not be chosen.
    floors
        Least values of tasks.
    contradiction
        Whether the demands exclude one another, whatever the partition.
    """

    problem: LatticeProblem
    nodes: tuple[tuple[int, ...], ...]
    decided: tuple[tuple[int, ...], ...]
    base: float
    weights: Floats
    sizes: Ints
    apart: Bools
    min_size: int
    max_size: int
    min_groups: int
    max_groups: int
    forbidden: Bools
    floors: Floors
    contradiction: bool

    @classmethod
    def of(cls, problem: LatticeProblem) -> Graph:
        """Read a graph problem.

        Raises
        ------
        UsageError
            If the problem is not the partition of a graph.
        """
        weights = problem.pair_weights
        if weights is None:
            raise UsageError(
                "This problem is not the partition of a pairwise graph; make one with engine.graph_problem()."
            )
        limits = problem.limits
        count = len(problem.tasks)
        block = blocks(limits, count)
        nodes = tuple(tuple(np.flatnonzero(block == label).tolist()) for label in np.unique(block))
        decided = {tuple(sorted(group)) for group, _ in limits.mandatory}
        clash = any(group not in nodes for group in decided)
        free = tuple(node for node in nodes if node not in decided)
        n = len(free)
        member = np.zeros((n, count))
        for row, node in enumerate(free):
            member[row, list(node)] = 1.0
        apart = np.zeros((n, n), dtype=bool)
        for tasks in limits.apart:
            held = member[:, sorted(tasks)].sum(axis=1)
            clash |= bool((held > 1).any()) or any(len(tasks.intersection(group)) > 1 for group in decided)
            apart |= (held[:, None] > 0) & (held[None, :] > 0)
        np.fill_diagonal(apart, False)
        sizes = member.sum(axis=1).astype(np.int64)
        contracted = member @ weights @ member.T
        inside = sum(float(weights[np.ix_(group, group)].sum()) / 2 for group in sorted(decided))
        base = inside + float(np.diag(contracted).sum()) / 2
        np.fill_diagonal(contracted, 0.0)
        most = count if limits.max_groups is None else min(limits.max_groups, count)
        clash |= any((frozenset(group), None) in limits.forbidden for group in decided)
        clash |= bool((sizes > limits.max_size).any())
        clash |= any(not limits.min_size <= len(group) <= limits.max_size for group in decided)
        clash |= most < max(limits.min_groups, len(decided), 1) or bool(limits.unreachable)
        total = int(sizes.sum())
        fewest = max(limits.min_groups - len(decided), -(-total // max(limits.max_size, 1)))
        most = min(most - len(decided), total // limits.min_size)
        model = cast("PairSumModel", problem.model)
        floors, broken = _floors(limits, model.pairs, free, decided, member)
        graph = cls(
            problem=problem,
            nodes=free,
            decided=tuple(sorted(decided)),
            base=base,
            weights=contracted,
            sizes=sizes,
            apart=apart,
            min_size=limits.min_size,
            max_size=limits.max_size,
            min_groups=fewest,
            max_groups=min(most, n),
            forbidden=_forbidden(limits, member),
            floors=floors,
            contradiction=clash or broken,
        )
        # As sizes bound numbers, some number of groups fits the sizes if any does.
        return replace(graph, contradiction=True) if graph.min_groups > graph.max_groups else graph

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    def value(self, labels: Ints) -> float:
        """Return the program value of a partition.

        Parameters
        ----------
        labels
            Shape (n,): the group of each node.
        """
        same = labels[:, None] == labels[None, :]
        return self.base + float(self.weights[same].sum()) / 2

    def feasible(self, labels: Ints) -> bool:
        """Return whether a partition meets every demand, values computed as the referee does."""
        if self.contradiction:
            return False
        chosen = np.unique(labels)
        member = labels[None, :] == chosen[:, None]
        sizes = member @ self.sizes
        allowed = self.min_groups <= len(chosen) <= self.max_groups
        allowed &= bool(((sizes >= self.min_size) & (sizes <= self.max_size)).all())
        allowed &= not bool((self.apart & (labels[:, None] == labels[None, :])).any())
        for group in self.forbidden:
            allowed &= bool((member != group).any(axis=1).all())
        if not allowed or not len(self.floors.node):
            return allowed
        values = self.problem.model.predict(self.membership(labels))
        floor = self.problem.limits.floor
        with np.errstate(invalid="ignore"):
            low = values < floor if self.problem.quantity == "gain" else values > floor
        return not bool(low.any())

    def membership(self, labels: Ints) -> Bools:
        """Return the groups of a partition and the decided ones, shape (k, N)."""
        count = len(self.problem.tasks)
        chosen = np.unique(labels)
        rows = np.zeros((len(chosen) + len(self.decided), count), dtype=bool)
        for row, label in enumerate(chosen):
            for node in np.flatnonzero(labels == label):
                rows[row, list(self.nodes[node])] = True
        for row, group in enumerate(self.decided, start=len(chosen)):
            rows[row, list(group)] = True
        return rows[np.argsort(rows.argmax(axis=1), kind="stable")]

    def labels(self, membership: NDArray[Any]) -> Ints:
        """Return the partition of the nodes nearest to some groups: the last one that holds each.

        Parameters
        ----------
        membership
            Shape (k, N), of groups that need not be disjoint.
        """
        labels = np.arange(self.n) + len(membership)
        for row, group in enumerate(np.asarray(membership, dtype=bool)):
            held = [node for node, tasks in enumerate(self.nodes) if group[list(tasks)].all()]
            labels[held] = row
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)

    def similar(self) -> Floats:
        """Return the weights, shape (n, n), pairs that must stand apart counting as the most harmful ones."""
        return np.where(self.apart, min(0.0, float(self.weights.min())), self.weights)

    def positive_sum(self) -> float:
        """Return the value if every allowed pair of positive weight stood in one group: an upper bound."""
        allowed = np.where(self.apart, 0.0, np.maximum(self.weights, 0.0))
        return self.base + float(allowed.sum()) / 2 + self.rounding()

    def rounding(self) -> float:
        """Return how far rounding may move a sum of all weights."""
        magnitude = abs(self.base) + float(np.abs(self.weights).sum())
        return 1e-15 * max(self.n, 8) * magnitude


def blocks(limits: Limits, count: int) -> Ints:
    """Merge tasks that must share a group; mandatory groups that overlap merge to what is none of them.

    Parameters
    ----------
    limits
        The demands.
    count
        Number of tasks, N.

    Returns
    -------
    ndarray
        Shape (N,): the least task of those that each task shares its groups with.
    """
    block = np.arange(count)
    for tasks in [*limits.together, *(group for group, _ in limits.mandatory)]:
        held = block[sorted(tasks)]
        block[np.isin(block, held)] = held.min()
    return block


def _forbidden(limits: Limits, member: Floats) -> Bools:
    rows = []
    sizes = member.sum(axis=1)
    for group, _ in dict.fromkeys(limits.forbidden):
        held = member[:, sorted(group)].sum(axis=1)
        if held.sum() == len(group) and ((held == 0) | (held == sizes)).all():
            rows.append(held > 0)
    return np.array(rows, dtype=bool).reshape(len(rows), len(member))


def _floors(
    limits: Limits,
    pairs: Floats,
    free: tuple[tuple[int, ...], ...],
    decided: set[tuple[int, ...]],
    member: Floats,
) -> tuple[Floors, bool]:
    """Return the floors of tasks in free nodes, and whether a decided group breaks one."""
    sign = 1.0 if limits.quantity == "gain" else -1.0
    effect = sign * pairs.copy()
    np.fill_diagonal(effect, 0.0)
    least = sign * limits.floor
    bound = np.flatnonzero(np.isfinite(least))
    broken = False
    for group in decided:
        inside = effect[np.ix_(group, group)].sum(axis=0)
        room = 1e-12 * np.abs(effect[np.ix_(group, group)]).sum(axis=0)
        broken |= bool((inside + room < least[list(group)]).any())
    place = {task: node for node, tasks in enumerate(free) for task in tasks}
    tasks = [int(task) for task in bound if int(task) in place]
    node = np.array([place[task] for task in tasks], dtype=np.int64)
    added = (member @ effect[:, tasks]).T.reshape(len(tasks), len(free))
    rows = np.arange(len(tasks))
    constant = added[rows, node] if len(tasks) else np.zeros(0)
    added[rows, node] = 0.0
    return Floors(node, added, constant, least[tasks]), broken
