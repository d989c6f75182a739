"""What a task is worth alone: 0 for gains by their definition, and for losses only what is recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor, Quantity


def values_alone(gains: GainTensor) -> NDArray[np.float64]:
    """Return the value of each task alone, shape (N,): 0 for gains unless recorded, NaN if unknown.

    Of several rows of one task the one that stands for it counts.
    """
    singles = np.full(gains.n_tasks, 0.0 if gains.quantity == "gain" else np.nan)
    rows = gains.standing_rows
    entries = gains.indptr[rows[gains.sizes[rows] == 1]]
    singles[gains.members[entries]] = gains.values[entries]
    return singles


def check_alone(
    tasks: tuple[str, ...], singles: NDArray[np.float64], membership: NDArray[np.bool_], quantity: Quantity
) -> None:
    """Refuse to tell the value of a task alone where it is not known.

    Parameters
    ----------
    tasks, singles
        N names and values alone, NaN where unknown.
    membership
        Shape (m, N): the groups that are asked for.
    quantity
        ``"gain"`` or ``"loss"``, for the message.

    Raises
    ------
    DataError
        If such a task is asked for alone; the first is named.
    """
    alone = membership[membership.sum(axis=1) == 1].any(axis=0)
    unknown = np.flatnonzero(alone & np.isnan(singles))
    if len(unknown):
        raise DataError(f"The {quantity} of task {tasks[unknown[0]]!r} alone is not known: measure it first.")
