"""Covariances of functions of a group: what its members have in common, weighted by how much each counts."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def shares_of(membership: NDArray[np.bool_], weights: Numbers) -> Numbers:
    """Return the share that each task has in each group: its weight over that of all members.

    Parameters
    ----------
    membership
        Shape (M, N).
    weights
        Shape (N,): the logarithm of each task's weight.

    Returns
    -------
    ndarray
        Shape (M, N): rows sum to 1, zero off the membership.
    """
    held = membership * np.exp(weights - weights.max())
    return np.asarray(held / held.sum(axis=1, keepdims=True))


def slope_by_weights(by_shares: Numbers, shares: Numbers) -> Numbers:
    """Return derivatives by the log weights, shape (N,), given those by the shares, shape (M, N)."""
    pull = by_shares * shares
    return np.asarray(pull.sum(axis=0) - pull.sum(axis=1) @ shares)


@dataclass(frozen=True, eq=False)
class GroupPairs:
    """What every kernel needs to know about two lists of groups.

    Attributes
    ----------
    left, right
        Shapes (m, N) and (M, N): the groups.
    left_shares, right_shares
        Of the same shapes: what share each task has in each group.
    weights
        Shape (N,): the weight of each task.
    overlap
        Shape (m, M): sum over the tasks of the product of their shares in both groups.
    distance
        Shape (m, M): weight of the tasks that only one of them has.
    """

    left: Numbers
    right: Numbers
    left_shares: Numbers
    right_shares: Numbers
    weights: Numbers
    overlap: Numbers
    distance: Numbers

    @classmethod
    def of(cls, left: NDArray[np.bool_], right: NDArray[np.bool_], weights: Numbers) -> GroupPairs:
        """Compare two lists of groups, of shapes (m, N) and (M, N), given log weights of shape (N,)."""
        one, other, weight = left.astype(np.float64), right.astype(np.float64), np.exp(weights)
        shares, other_shares = shares_of(left, weights), shares_of(right, weights)
        distance = -2.0 * ((one * weight) @ other.T)
        distance += (one @ weight)[:, None] + (other @ weight)[None, :]
        overlap = shares @ other_shares.T
        return cls(one, other, shares, other_shares, weight, overlap, np.maximum(distance, 0.0))

    @property
    def same(self) -> NDArray[np.bool_]:
        """Shape (m, M): which of them are the same group."""
        sizes, others = self.left.sum(axis=1), self.right.sum(axis=1)
        common = self.left @ self.right.T
        return np.asarray((common == sizes[:, None]) & (common == others[None, :]))


@dataclass(frozen=True)
class GroupKernel:
    """A sum of three covariances; each number is a logarithm.

    Attributes
    ----------
    constant
        Variance of a number that all groups have in common.
    additive
        Variance of the effect of a member, times its share in the group: effects are averaged, and a
        task of much weight leaves little room for those of others.
    interaction
        Variance of a function of the whole set with covariance exp(−decay × distance), which is a product
        over tasks and thus holds interactions of every order, the less the higher.
    decay
        By how much a task of weight 1 more or less reduces that correlation.
    """

    constant: float
    additive: float
    interaction: float
    decay: float

    @classmethod
    def from_array(cls, logarithms: Numbers) -> GroupKernel:
        """Return the kernel of four numbers, in the order of the fields."""
        return cls(*(float(one) for one in logarithms))

    def as_array(self) -> Numbers:
        """Return the four numbers, in the order of the fields."""
        return np.array([getattr(self, one.name) for one in fields(self)])

    def covariance(self, pairs: GroupPairs) -> Numbers:
        """Return the covariance of every pair of groups, shape (m, M)."""
        found: Numbers = np.exp(self.interaction - np.exp(self.decay) * pairs.distance)
        found += np.exp(self.constant)
        found += np.exp(self.additive) * pairs.overlap
        return found

    def variance(self, shares: Numbers) -> Numbers:
        """Return the variance in groups with these shares, of shape (m, N), as shape (m,)."""
        free = np.exp(self.constant) + np.exp(self.interaction)
        return np.asarray(free + np.exp(self.additive) * np.square(shares).sum(axis=1))

    def gradient(self, pairs: GroupPairs, outer: Numbers) -> tuple[Numbers, Numbers]:
        """Return the derivatives of Σ ``outer`` × covariance by the four numbers and by the log weights.

        Parameters
        ----------
        pairs
            Of a list of groups with itself.
        outer
            Shape (M, M), symmetric.
        """
        decay, additive = np.exp(self.decay), np.exp(self.additive)
        interaction = outer * np.exp(self.interaction - decay * pairs.distance)
        groups, shares = pairs.left, pairs.left_shares
        by_number = np.array(
            [
                np.exp(self.constant) * outer.sum(),
                additive * float((outer * pairs.overlap).sum()),
                interaction.sum(),
                -decay * float((interaction * pairs.distance).sum()),
            ]
        )
        by_weight = slope_by_weights(2.0 * additive * (outer @ shares), shares)
        once = interaction.sum(axis=1) @ groups
        both = np.sum(groups * (interaction @ groups), axis=0)
        return by_number, by_weight - 2.0 * decay * pairs.weights * (once - both)
