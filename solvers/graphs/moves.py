"""Scores of partitions under demands, and the moves of whole groups: swaps, merges and splits.

A demand that is not met costs more than all weights together, so that a search may pass through
partitions that are not allowed and yet ends at one that is, where it finds any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.graphs.form import Floats, Graph, Ints
from solvers.kernels.arrays import fitted
from solvers.kernels.demands import TOLERANCE, Demands


@dataclass(frozen=True, eq=False)
class Penalties:
    """The demands of a graph as arrays that kernels read.

    Attributes
    ----------
    demands
        Them, as kernels take them.
    """

    demands: Demands

    @classmethod
    def of(cls, graph: Graph) -> Penalties:
        """Read the demands of a graph."""
        cost = 2.0 * float(np.abs(graph.weights).sum()) or 1.0
        floors = graph.floors
        scale = np.maximum(np.abs(floors.effect).sum(axis=1) + np.abs(floors.least - floors.constant), 1e-300)
        demands = fitted(
            Demands,
            weights=graph.weights - cost * graph.apart,
            sizes=graph.sizes,
            min_size=graph.min_size,
            max_size=graph.max_size,
            min_groups=graph.min_groups,
            max_groups=graph.max_groups,
            cost=cost,
            floor_node=floors.node,
            floor_effect=floors.effect / scale[:, None],
            floor_need=(floors.least - floors.constant) / scale,
            forbidden=graph.forbidden,
        )
        return cls(demands)

    def size_violation(self, sizes: Ints) -> Ints:
        """Return by how many tasks groups of some sizes are too large or too small; 0 for none."""
        low, high = self.demands.min_size, self.demands.max_size
        wrong: Ints = np.maximum(sizes - high, 0) + np.maximum(low - sizes, 0)
        return np.where(sizes > 0, wrong, 0)

    def count_violation(self, groups: Ints) -> Ints:
        """Return by how many groups a number of groups is wrong."""
        fewest, most = self.demands.min_groups, self.demands.max_groups
        wrong: Ints = np.maximum(groups - most, 0) + np.maximum(fewest - groups, 0)
        return wrong

    def floor_violation(self, values: Floats) -> Floats:
        """Return the violation at some values of the floors, the first axis counting them."""
        deficit = self.demands.floor_need.reshape(-1, *[1] * (values.ndim - 1)) - values
        return np.where(deficit > TOLERANCE, 1.0 + deficit, 0.0)

    def score(self, labels: Ints) -> float:
        """Return the value of a partition, less the cost of its violations and without ``graph.base``.

        Parameters
        ----------
        labels
            Shape (n,).
        """
        same = labels[:, None] == labels[None, :]
        total = float(self.demands.weights[same].sum()) / 2
        groups, of = np.unique(labels, return_inverse=True)
        sizes = np.bincount(of, weights=self.demands.sizes, minlength=len(groups)).astype(np.int64)
        wrong = float(self.size_violation(sizes).sum() + self.count_violation(np.array(len(groups))))
        if len(self.demands.floor_node):
            values = (self.demands.floor_effect * same[self.demands.floor_node]).sum(axis=1)
            wrong += float(self.floor_violation(values).sum())
        if len(self.demands.forbidden):
            member = labels[None, :] == groups[:, None]
            wrong += float((member[:, None, :] == self.demands.forbidden).all(axis=2).sum())
        return total - self.demands.cost * wrong

    @property
    def tolerance(self) -> float:
        """The least improvement that counts."""
        return TOLERANCE * self.demands.cost


def best_swap(penalties: Penalties, labels: Ints) -> Ints | None:
    """Exchange the two nodes of different groups where that promises most; None where nothing does.

    Floors and forbidden groups are left to the caller, who scores the result.

    Parameters
    ----------
    penalties, labels
        The demands, and the partition, shape (n,), with groups numbered from 0.
    """
    member = np.eye(int(labels.max()) + 1)[labels]
    pull = penalties.demands.weights @ member
    own = pull[np.arange(len(labels)), labels]
    gain = pull[:, labels] - own[:, None]
    gain = gain + gain.T - 2 * penalties.demands.weights
    sizes = penalties.demands.sizes @ member.astype(np.int64)
    after = sizes[labels][:, None] - penalties.demands.sizes[:, None] + penalties.demands.sizes[None, :]
    change = penalties.size_violation(after) - penalties.size_violation(sizes)[labels][:, None]
    gain -= penalties.demands.cost * (change + change.T)
    gain[labels[:, None] == labels[None, :]] = -np.inf
    one, other = np.unravel_index(int(np.argmax(gain)), gain.shape)
    if gain[one, other] <= penalties.tolerance:
        return None
    swapped = labels.copy()
    swapped[one], swapped[other] = labels[other], labels[one]
    return swapped


def best_merge(penalties: Penalties, labels: Ints) -> Ints | None:
    """Merge the two groups that together promise most; None where no merger does.

    Parameters
    ----------
    penalties, labels
        As for :func:`best_swap`.
    """
    gain = merger_gains(penalties, labels)
    if not gain.size:
        return None
    one, other = np.unravel_index(int(np.argmax(gain)), gain.shape)
    if gain[one, other] <= penalties.tolerance:
        return None
    return np.unique(np.where(labels == other, one, labels), return_inverse=True)[1].astype(np.int64)


def merger_gains(penalties: Penalties, labels: Ints) -> Floats:
    """Return what the merger of each two groups gains, shape (k, k), −inf on the diagonal.

    Parameters
    ----------
    penalties, labels
        As for :func:`best_swap`.
    """
    member = np.eye(int(labels.max()) + 1)[labels]
    gain: Floats = member.T @ penalties.demands.weights @ member
    sizes = penalties.demands.sizes @ member.astype(np.int64)
    before = penalties.size_violation(sizes)
    gain -= penalties.demands.cost * (
        penalties.size_violation(sizes[:, None] + sizes[None, :]) - before[:, None] - before[None, :]
    )
    count = np.array(len(sizes))
    fewer = penalties.count_violation(count - 1) - penalties.count_violation(count)
    gain -= penalties.demands.cost * float(fewer)
    np.fill_diagonal(gain, -np.inf)
    return gain


def splits(penalties: Penalties, labels: Ints) -> list[Ints]:
    """Return, for each group of two or more, the partition that cuts it around its worst pair.

    Parameters
    ----------
    penalties, labels
        As for :func:`best_swap`.
    """
    found = []
    for group in range(int(labels.max()) + 1):
        held = np.flatnonzero(labels == group)
        if len(held) < 2:
            continue
        inside = penalties.demands.weights[np.ix_(held, held)].copy()
        np.fill_diagonal(inside, np.inf)
        one, other = np.unravel_index(int(np.argmin(inside)), inside.shape)
        np.fill_diagonal(inside, 0.0)
        leaves = inside[:, other] > inside[:, one]
        leaves[one], leaves[other] = False, True
        cut = labels.copy()
        cut[held[leaves]] = labels.max() + 1
        found.append(cut)
    return found
