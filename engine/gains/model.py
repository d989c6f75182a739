"""A gain model: gains as a function of the group, defined for every group."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.gains.tensor import GainTensor, Quantity


@runtime_checkable
class GainModel(Protocol):
    """Predicts the gain of every member of any group, on the whole lattice of 2^N − 1 groups."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the N tasks, in column order."""
        ...

    @property
    def source(self) -> str:
        """Name of the gain source that made this model, for instance ``"hoa"``."""
        ...

    def predict(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the gains of these groups.

        Parameters
        ----------
        membership
            Shape (m, N).

        Returns
        -------
        ndarray
            Shape (m, N), NaN where the task is not a member.
        """
        ...


@runtime_checkable
class UncertainModel(GainModel, Protocol):
    """A gain model that knows how far its predictions may be off."""

    def std(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the standard error of each prediction.

        Parameters
        ----------
        membership
            Shape (m, N).

        Returns
        -------
        ndarray
            Shape (m, N), NaN where the task is not a member, or nothing is known about the error.
        """
        ...


@runtime_checkable
class EmbeddedModel(GainModel, Protocol):
    """A gain model that sees tasks as points: near ones act alike in a group."""

    def embeddings(self) -> NDArray[np.float64]:
        """Return one point per task, shape (N, D), in the order of ``tasks``."""
        ...


@runtime_checkable
class PosteriorModel(UncertainModel, Protocol):
    """An uncertain model that tells the true gain of a group from one noisy measurement of it.

    Its predictions hold for measured groups as well: there they lie between the measurement and what
    the other groups say. ``std`` is the error of a prediction against a new measurement, as for every
    uncertain model; the error against the true gain is smaller by the noise.
    """

    def noise(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the standard deviation of one measurement about the true gain.

        Parameters
        ----------
        membership
            Shape (m, N).

        Returns
        -------
        ndarray
            Shape (m, N), NaN where the task is not a member; nowhere above ``std``.
        """
        ...

    def sample(
        self, membership: NDArray[np.bool_], count: int, random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw true gains from the posterior, jointly over all groups and tasks.

        Parameters
        ----------
        membership
            Shape (m, N).
        count
            Number of draws, S.
        random
            Source of randomness.

        Returns
        -------
        ndarray
            Shape (S, m, N), NaN where the task is not a member.
        """
        ...


def tabulate(
    model: GainModel,
    membership: NDArray[np.bool_],
    *,
    split: str = "",
    cost: ArrayLike | None = None,
    quantity: Quantity = "gain",
    single_task_baseline: bool = True,
) -> GainTensor:
    """Evaluate a model on some groups.

    Parameters
    ----------
    model
        The predictor.
    membership
        Shape (M, N): the groups to predict.
    split
        The data split whose gains the model was fitted on.
    cost
        Shape (M,): cost of each group, 1 by default.
    quantity, single_task_baseline
        What the model predicts, as in :class:`~engine.gains.tensor.GainTensor`.

    Returns
    -------
    GainTensor
        All rows marked as predicted, with standard errors where the model has them.
    """
    member = np.asarray(membership, dtype=bool)
    return GainTensor.from_dense(
        model.tasks,
        membership,
        model.predict(member),
        std=model.std(member) if isinstance(model, UncertainModel) else None,
        measured=np.zeros(len(membership), dtype=bool),
        cost=np.ones(len(membership)) if cost is None else np.asarray(cost, dtype=np.float64),
        quantity=quantity,
        single_task_baseline=single_task_baseline,
        source=model.source,
        split=split,
    )


def all_groups(n_tasks: int) -> NDArray[np.bool_]:
    """Return the membership of all 2^N − 1 groups, by size and then lexicographically.

    Parameters
    ----------
    n_tasks
        N, at most 20: the result has shape (2^N − 1, N).

    Raises
    ------
    ValueError
        If N is above 20.
    """
    if n_tasks > 20:
        raise ValueError(f"2^{n_tasks} − 1 groups are too many to list; the limit is 20 tasks.")
    codes = np.arange(1, 2**n_tasks)
    membership = (codes[:, None] >> np.arange(n_tasks - 1, -1, -1) & 1).astype(bool)
    order = np.lexsort((-codes, membership.sum(axis=1)))
    return membership[order]
