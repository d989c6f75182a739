"""The pair-mean rule: a task's gain in a group is the mean of its gains in pairs with the other members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.affinity import Affinity, pair_values
from engine.gains.bits import as_membership
from engine.gains.separable import predict_separable
from engine.gains.singles import check_alone, values_alone
from engine.gains.tensor import GainTensor, Quantity


@dataclass(frozen=True, eq=False)
class PairMeanModel:
    """Predict the gain of t in a group as the mean over the other members j of its gain in {t, j}.

    This is the higher-order approximation (HOA) of Standley et al.: from N(N − 1)/2 trained pairs
    to all 2^N − 1 groups. It is a :class:`~engine.gains.model.GainModel` and a
    :class:`~engine.gains.separable.SeparableModel`.

    Attributes
    ----------
    tasks
        N names.
    pairs
        Shape (N, N): ``pairs[j, t]`` is the gain of t when trained with j; the diagonal is not used.
    singles
        Shape (N,): the value of each task alone, NaN where it is not known.
    source
        Name of the gain source.
    quantity
        ``"gain"`` or ``"loss"``: the unit of the values, and of the predictions.
    """

    tasks: tuple[str, ...]
    pairs: NDArray[np.float64]
    singles: NDArray[np.float64]
    source: str = "pair-mean"
    quantity: Quantity = "gain"

    @classmethod
    def from_gains(cls, gains: GainTensor, *, source: str = "pair-mean") -> PairMeanModel:
        """Read the pairs and the singles off a tensor.

        Where a pair or a single has several rows, the one that stands for it counts. Singles that are
        not in a tensor of gains are 0, by the definition of a gain.

        Parameters
        ----------
        gains
            A tensor that holds every pair.
        source
            Name of the resulting source.

        Raises
        ------
        DataError
            If a pair is missing.
        """
        count = gains.n_tasks
        pairs = pair_values(gains)
        missing = np.argwhere(np.triu(np.isnan(pairs), k=1))
        if len(missing):
            pair = "|".join(gains.tasks[task] for task in missing[0])
            raise DataError(
                f"The source {source!r} needs the {gains.quantity} of every pair, but the pair {pair} "
                f"is missing ({len(missing)} of {count * (count - 1) // 2} pairs are). Collect the missing "
                "pairs, or choose another source."
            )
        return cls(gains.tasks, pairs, values_alone(gains), source=source, quantity=gains.quantity)

    @classmethod
    def from_affinity(cls, affinity: Affinity, *, source: str = "") -> PairMeanModel:
        """Take pairwise affinities for the gains of the pairs; a task alone gains 0.

        Parameters
        ----------
        affinity
            Directed pairwise effects.
        source
            Name of the resulting source; by default the affinity's own.
        """
        return cls(
            affinity.tasks, affinity.matrix, np.zeros(len(affinity.tasks)), source=source or affinity.source
        )

    @property
    def offsets(self) -> NDArray[np.float64]:
        """Shape (N,): 0."""
        return np.zeros(len(self.tasks))

    @property
    def size_weights(self) -> NDArray[np.float64]:
        """Shape (N + 1,): the mean over the other members, 1 / (size − 1)."""
        others: NDArray[np.float64] = np.maximum(np.arange(len(self.tasks) + 1) - 1.0, 1.0)
        return np.reciprocal(others)

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member.

        Parameters
        ----------
        membership
            Shape (m, N).

        Raises
        ------
        DataError
            If the shape is wrong, or a task alone is asked for whose loss is not known.
        """
        member = as_membership(membership, len(self.tasks))
        check_alone(self.tasks, self.singles, member, self.quantity)
        return predict_separable(self, member)
