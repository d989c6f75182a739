"""Gain models made of pairs: structure that solvers over the whole lattice can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.gains.affinity import Affinity
from engine.gains.bits import as_membership
from engine.gains.tensor import Quantity


@runtime_checkable
class SeparableModel(Protocol):
    """A gain model that adds up effects of pairs.

    The gain of t in a group S of two tasks or more is
    ``offsets[t] + size_weights[|S|] · Σ pairs[j, t] over j in S, j ≠ t``; alone it is ``singles[t]``.
    HOA is one, with ``size_weights[m] = 1 / (m − 1)``; so is an additive model, with weights of 1.
    """

    @property
    def pairs(self) -> NDArray[np.float64]:
        """Shape (N, N): effect of j on t; the diagonal is not used."""
        ...

    @property
    def singles(self) -> NDArray[np.float64]:
        """Shape (N,): the value of each task alone, NaN where it is not known."""
        ...

    @property
    def offsets(self) -> NDArray[np.float64]:
        """Shape (N,): what each task gains in any group of two or more, whatever the others."""
        ...

    @property
    def size_weights(self) -> NDArray[np.float64]:
        """Shape (N + 1,): the weight of the pairs in a group of each size; the first two are not used."""
        ...


def predict_separable(model: SeparableModel, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the gains of some groups, shape (m, N), NaN where the task is not a member.

    Parameters
    ----------
    model
        The structure.
    membership
        Shape (m, N).

    Raises
    ------
    DataError
        If the shape is wrong.
    """
    count = len(model.singles)
    member = as_membership(membership, count)
    pairs = model.pairs.copy()
    np.fill_diagonal(pairs, 0.0)
    sizes = member.sum(axis=1)
    weights = np.asarray(model.size_weights, dtype=np.float64)[sizes]
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is refused by the tensor
        # Added up in task order: a matrix product may round the same group differently among others.
        predicted: NDArray[np.float64] = np.zeros(member.shape)
        for task in range(count):
            np.add(predicted, pairs[task], out=predicted, where=member[:, task, None])
        predicted *= weights[:, None]
        predicted += model.offsets
    predicted[sizes == 1] = model.singles
    predicted[~member] = np.nan
    return predicted


def best_values(model: SeparableModel, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the best that each task can reach in any group, shape (N,), infinite where not known.

    Parameters
    ----------
    model
        The structure.
    weights
        Shape (N,): what a unit of gain is worth; negative for losses.
    """
    count = len(weights)
    effects = np.where(np.eye(count, dtype=bool), -np.inf, model.pairs * weights)
    helped = np.cumsum(np.sort(effects, axis=0)[::-1][: count - 1], axis=0)
    best = np.where(np.isnan(model.singles), -np.inf, model.singles * weights)
    for size in range(2, count + 1):
        factor = model.size_weights[size]
        if factor < 0:
            return np.full(count, np.inf)
        best = np.maximum(best, model.offsets * weights + factor * helped[size - 2])
    return best


@dataclass(frozen=True, eq=False)
class PairSumModel:
    """Predict the gain of t in a group as the sum over the other members j of their effect on it.

    The total gain of a partition is then the sum of the weights of all pairs that stand in one group:
    with ``pairs`` half an affinity, the objective of clique partitioning, also known as correlation
    clustering. It is a :class:`~engine.gains.model.GainModel` and a :class:`SeparableModel`.

    Attributes
    ----------
    tasks
        N names.
    pairs
        Shape (N, N): ``pairs[j, t]`` is the effect of j on t; the diagonal is not used.
    singles, offsets
        Shape (N,): the value of each task alone and what it gains in any larger group; 0 by default.
    source
        Name of the gain source.
    quantity
        ``"gain"`` or ``"loss"``.
    """

    tasks: tuple[str, ...]
    pairs: NDArray[np.float64]
    singles: NDArray[np.float64]
    offsets: NDArray[np.float64]
    source: str = "pair-sum"
    quantity: Quantity = "gain"

    @classmethod
    def from_affinity(cls, affinity: Affinity) -> PairSumModel:
        """Halve an affinity, so that two tasks in one group add ``(A[i, j] + A[j, i]) / 2`` to the total.

        Parameters
        ----------
        affinity
            Directed pairwise effects; this halving is how they are symmetrised.
        """
        pairs = affinity.matrix / 2
        np.fill_diagonal(pairs, 0.0)
        nothing = np.zeros(len(affinity.tasks))
        return cls(affinity.tasks, pairs, nothing, nothing, source=affinity.source)

    @property
    def size_weights(self) -> NDArray[np.float64]:
        """Shape (N + 1,): 1 for every size."""
        return np.ones(len(self.tasks) + 1)

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of these groups, shape (m, N), NaN where the task is not a member.

        Parameters
        ----------
        membership
            Shape (m, N).
        """
        return predict_separable(self, membership)
