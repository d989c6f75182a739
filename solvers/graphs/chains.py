"""Kernighan-Lin chains: in NumPy, with nothing to compile, for some dozen nodes; compiled for more."""

from __future__ import annotations

import numpy as np

from solvers.graphs.form import Bools, Floats, Ints
from solvers.graphs.moves import Penalties

SPARE_GROUPS = 3
"""How many groups one chain may open."""


def chain(penalties: Penalties, labels: Ints, patience: int) -> float:
    """Move one node after another, each once and the best first, and keep the best partition passed.

    After Kernighan and Lin (1970), for any number of groups.

    Parameters
    ----------
    penalties
        The demands.
    labels
        Shape (n,), groups numbered from 0; changed in place.
    patience
        Ends the chain after so many moves without a new best.

    Returns
    -------
    float
        By how much the score rose.
    """
    walk = _Walk(penalties, labels)
    total = best = 0.0
    since = 0
    for _ in range(len(labels)):
        gain = walk.gains()
        place = int(np.argmax(gain))
        node, group = divmod(place, gain.shape[1])
        if gain[node, group] == -np.inf:
            break
        total += float(gain[node, group])
        walk.move(node, group)
        since += 1
        if total > best + penalties.tolerance:
            best, since = total, 0
            labels[:] = walk.labels
        elif since >= patience:
            break
    if best > 0:
        labels[:] = np.unique(labels, return_inverse=True)[1]
    return best


def compiled_chain(penalties: Penalties, labels: Ints, patience: int) -> float:
    """Do the same in machine code, which must be loaded."""
    from solvers.kernels.chains import walk

    slots = min(int(labels.max()) + 1 + SPARE_GROUPS, len(labels))
    gain = walk(penalties.demands, labels, slots, patience)
    if gain > 0:
        labels[:] = np.unique(labels, return_inverse=True)[1]
    return gain


class _Walk:
    """The partition that a chain is at, with the sums that decide its next move."""

    def __init__(self, penalties: Penalties, labels: Ints) -> None:
        self.penalties = penalties
        self.labels = labels.copy()
        n = len(labels)
        self.slots = min(int(labels.max()) + 1 + SPARE_GROUPS, n)
        self.nodes = np.arange(n)
        self.member: Floats = (labels[:, None] == np.arange(self.slots)).astype(np.float64)
        self.pull: Floats = penalties.demands.weights @ self.member
        self.sizes: Ints = penalties.demands.sizes @ self.member.astype(np.int64)
        self.counts: Ints = self.member.sum(axis=0).astype(np.int64)
        self.free: Bools = np.ones(n, dtype=bool)

    def move(self, node: int, group: int) -> None:
        """Move a node, once and for all."""
        old = self.labels[node]
        self.pull[:, old] -= self.penalties.demands.weights[:, node]
        self.pull[:, group] += self.penalties.demands.weights[:, node]
        for sums, amount in ((self.sizes, self.penalties.demands.sizes[node]), (self.counts, 1)):
            sums[old] -= amount
            sums[group] += amount
        self.member[node, old], self.member[node, group] = 0.0, 1.0
        self.labels[node] = group
        self.free[node] = False

    def gains(self) -> Floats:
        """Return what each move gains, shape (n, slots); −inf for moves that are none."""
        penalties, labels, nodes = self.penalties, self.labels, self.nodes
        gain: Floats = self.pull - self.pull[nodes, labels][:, None]
        now = penalties.size_violation(self.sizes)
        joined = penalties.size_violation(self.sizes[None, :] + penalties.demands.sizes[:, None]) - now
        left = penalties.size_violation(self.sizes[labels] - penalties.demands.sizes) - now[labels]
        groups = np.array((self.counts > 0).sum())
        more = (self.counts == 0).astype(np.int64)[None, :] - (self.counts[labels] == 1)[:, None]
        wrong: Floats = (joined + left[:, None]).astype(np.float64)
        wrong += penalties.count_violation(groups + more) - penalties.count_violation(groups)
        if len(penalties.demands.floor_node):
            wrong += self._floors()
        if len(penalties.demands.forbidden):
            wrong += self._forbidden()
        gain -= penalties.demands.cost * wrong
        empty = np.flatnonzero(self.counts == 0)
        gain[:, empty[1:]] = -np.inf
        if len(empty):
            gain[self.counts[labels] == 1, empty[0]] = -np.inf
        gain[nodes, labels] = -np.inf
        gain[~self.free] = -np.inf
        return gain

    def _floors(self) -> Floats:
        """Return by how much each move raises the violation of the floors, shape (n, slots)."""
        penalties, labels = self.penalties, self.labels
        at, effect = penalties.demands.floor_node, penalties.demands.floor_effect
        values = effect @ self.member
        rows = np.arange(len(at))
        own = values[rows, labels[at]]
        now = penalties.floor_violation(own)
        joined = penalties.floor_violation(own[:, None] + effect) - now[:, None]
        left = penalties.floor_violation(own[:, None] - effect) - now[:, None]
        left[labels[at][:, None] != labels[None, :]] = 0.0
        left[rows, at] = 0.0
        joined[rows, at] = 0.0
        wrong: Floats = joined.T @ self.member[at] + left.sum(axis=0)[:, None]
        np.add.at(wrong, at, penalties.floor_violation(values) - now[:, None])
        return wrong

    def _forbidden(self) -> Floats:
        """Return by how many forbidden groups each move raises their number, shape (n, slots)."""
        penalties, labels = self.penalties, self.labels
        wrong = np.zeros((len(labels), self.slots))
        for group in penalties.demands.forbidden:
            held = group.astype(np.int64) @ self.member.astype(np.int64)
            outside = self.counts - held
            lacking = int(group.sum()) - held
            same = (outside == 0) & (lacking == 0)
            joined = (outside == 0) & (lacking == 1) & group[:, None]
            left = (outside == 1) & (lacking == 0)
            wrong += joined.astype(np.float64) - same.astype(np.float64)
            wrong += (left[labels] & ~group).astype(np.float64)[:, None] - same[labels][:, None]
        return wrong
