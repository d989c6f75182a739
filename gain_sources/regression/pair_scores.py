"""A score of a task in a group: the mean of what every other member does to it in a pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.gains.tensor import GainTensor
from gain_sources.regression.membership_regression import fit_membership

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairScores:
    """Mean over the other members of the value that a task has, or is thought to have, beside each.

    Attributes
    ----------
    pairs
        Shape (N, N): ``pairs[j, t]`` is the value of t in the pair of j and t; 0 on the diagonal.
    """

    pairs: Numbers

    @classmethod
    def of(cls, gains: GainTensor) -> PairScores:
        """Take measured pairs as they are, and the others from a mean of effects fitted on all groups.

        Parameters
        ----------
        gains
            Groups of two or more, each once; every task in one of them.
        """
        model = fit_membership(gains, intercept=True, per_size=True, by_std=False, source="two-step")
        pairs = model.pairs + model.offsets
        for row in np.flatnonzero(gains.sizes == 2):
            entries = gains.row(int(row))
            first, second = gains.members[entries]
            pairs[second, first], pairs[first, second] = gains.values[entries]
        np.fill_diagonal(pairs, 0.0)
        return cls(pairs)

    def scores(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the score of every task in each group of two or more; shape (m, N).

        Parameters
        ----------
        membership
            Shape (m, N).
        """
        scores: Numbers = membership @ self.pairs / (membership.sum(axis=1) - 1)[:, None]
        return scores
