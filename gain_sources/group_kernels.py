"""Covariances of functions of a group: what they share, how far apart they are, how large they are."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupPairs:
    """What every kernel needs to know about two lists of groups.

    Attributes
    ----------
    overlap
        Shape (m, M): members that both have, as a share of the number of tasks.
    distance
        Shape (m, M): tasks that only one of them has.
    size_gap
        Shape (m, M): squared difference of the logarithms of their sizes.
    shares
        Shape (m, M): sum of the logarithms of the shares of all tasks that they hold.
    """

    overlap: Numbers
    distance: Numbers
    size_gap: Numbers
    shares: Numbers

    @classmethod
    def of(cls, left: NDArray[np.bool_], right: NDArray[np.bool_]) -> GroupPairs:
        """Compare two lists of groups, of shapes (m, N) and (M, N)."""
        common = left.astype(np.float64) @ right.astype(np.float64).T
        sizes, others = left.sum(axis=1).astype(np.float64), right.sum(axis=1).astype(np.float64)
        distance = sizes[:, None] + others[None, :] - 2.0 * common
        gap = np.square(np.log(sizes)[:, None] - np.log(others)[None, :])
        shares = np.log(sizes / left.shape[1])[:, None] + np.log(others / left.shape[1])[None, :]
        return cls(common / left.shape[1], distance, gap, shares)


@dataclass(frozen=True)
class GroupKernel:
    """A sum of four covariances; each variance and length is given by its logarithm.

    Attributes
    ----------
    constant
        Of a number that all groups have in common.
    additive
        Of a sum of independent effects of the members, for the group of all tasks.
    interaction
        Of a function of the whole set: exp(−decay × distance), which is a product over tasks and thus
        holds interactions of every order, the less the higher.
    size
        Of a smooth function of the logarithm of the size.
    decay
        By how much one task more or less reduces the correlation.
    size_length
        Over which difference of log sizes the function of size changes.
    dilution
        The power of the size that effects of members are divided by: 0 if they add up, 1 if they are
        averaged. No logarithm.
    """

    constant: float
    additive: float
    interaction: float
    size: float
    decay: float
    size_length: float
    dilution: float

    @classmethod
    def from_array(cls, logarithms: Numbers) -> GroupKernel:
        """Return the kernel of seven numbers, in the order of the fields."""
        return cls(*(float(one) for one in logarithms))

    def as_array(self) -> Numbers:
        """Return the seven numbers, in the order of the fields."""
        return np.array([getattr(self, one.name) for one in fields(self)])

    def covariance(self, pairs: GroupPairs) -> Numbers:
        """Return the covariance of every pair of groups, shape (m, M)."""
        found: Numbers = np.exp(self.interaction - np.exp(self.decay) * pairs.distance)
        found += np.exp(self.constant)
        found += pairs.overlap * np.exp(self.additive - self.dilution * pairs.shares)
        found += np.exp(self.size - 0.5 * np.exp(-2.0 * self.size_length) * pairs.size_gap)
        return found

    def variance(self, sizes: NDArray[np.int64], n_tasks: int) -> Numbers:
        """Return the variance in groups of these sizes, shape (m,)."""
        free = np.exp(self.constant) + np.exp(self.interaction) + np.exp(self.size)
        found: Numbers = free + np.exp(self.additive) * (sizes / n_tasks) ** (1.0 - 2.0 * self.dilution)
        return found

    def gradient(self, pairs: GroupPairs, outer: Numbers) -> Numbers:
        """Return the derivatives of Σ ``outer`` × covariance by the seven numbers.

        Parameters
        ----------
        pairs
            As for :meth:`covariance`.
        outer
            Shape (m, M).
        """
        decay, inverse = np.exp(self.decay), np.exp(-2.0 * self.size_length)
        interaction = outer * np.exp(self.interaction - decay * pairs.distance)
        additive = outer * pairs.overlap * np.exp(self.additive - self.dilution * pairs.shares)
        size = outer * np.exp(self.size - 0.5 * inverse * pairs.size_gap)
        return np.array(
            [
                np.exp(self.constant) * outer.sum(),
                additive.sum(),
                interaction.sum(),
                size.sum(),
                -decay * float((interaction * pairs.distance).sum()),
                inverse * float((size * pairs.size_gap).sum()),
                -float((additive * pairs.shares).sum()),
            ]
        )
