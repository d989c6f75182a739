"""Pairwise affinity between tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor


@dataclass(frozen=True, eq=False)
class Affinity:
    """Directed pairwise effects: ``matrix[i, j]`` is the effect of training with task i on task j.

    Attributes
    ----------
    tasks
        N distinct names.
    matrix
        Shape (N, N), finite off the diagonal; the diagonal has no meaning for grouping and may
        hold anything, NaN included.
    source
        The gain source it comes from.

    Raises
    ------
    DataError
        If the shape is wrong or an off-diagonal entry is not finite.
    """

    tasks: tuple[str, ...]
    matrix: NDArray[np.float64]
    source: str = "affinity"

    def __post_init__(self) -> None:
        tasks: Sequence[str] = tuple(self.tasks)
        matrix = np.array(self.matrix, dtype=np.float64)
        count = len(tasks)
        if matrix.shape != (count, count):
            raise DataError(
                f"Affinity of {count} tasks must have shape ({count}, {count}), not {matrix.shape}."
            )
        if len(set(tasks)) != count or not count:
            raise DataError("Affinity needs at least one task, and distinct task names.")
        bad = np.argwhere(~np.isfinite(matrix) & ~np.eye(count, dtype=bool))
        if len(bad):
            source, recipient = bad[0]
            raise DataError(
                f"Affinity of {tasks[source]!r} on {tasks[recipient]!r} is {matrix[source, recipient]}; "
                "every pair needs a finite number."
            )
        matrix.setflags(write=False)
        object.__setattr__(self, "tasks", tasks)
        object.__setattr__(self, "matrix", matrix)

    def symmetrised(self) -> NDArray[np.float64]:
        """Return ``(A + Aᵀ) / 2`` with a zero diagonal, shape (N, N)."""
        symmetric = (self.matrix + self.matrix.T) / 2
        np.fill_diagonal(symmetric, 0.0)
        return symmetric


def pair_values(gains: GainTensor) -> NDArray[np.float64]:
    """Return the values of the pairs, shape (N, N): ``[i, j]`` is that of j beside i, NaN where unknown.

    Of several rows of one pair the one that stands for it counts.
    """
    values = np.full((gains.n_tasks, gains.n_tasks), np.nan)
    rows = gains.standing_rows
    entries = gains.indptr[rows[gains.sizes[rows] == 2]]
    first, second = gains.members[entries], gains.members[entries + 1]
    values[second, first], values[first, second] = gains.values[entries], gains.values[entries + 1]
    return values


def pair_affinity(gains: GainTensor) -> Affinity | None:
    """Return the gains of the pairs as an affinity, or None where a pair is missing.

    ``affinity[i, j]`` is the gain of j in the group {i, j}. Losses are negated, so that larger is
    better.
    """
    sign = 1.0 if gains.quantity == "gain" else -1.0
    matrix = sign * pair_values(gains)
    np.fill_diagonal(matrix, 0.0)
    if np.isnan(matrix).any():
        return None
    return Affinity(gains.tasks, matrix, source=f"pairs of {gains.source}")


def projected_affinity(gains: GainTensor, *, ridge: float = 1e-3) -> Affinity:
    """Project a gain tensor on pairwise effects by least squares, for tensors without all pairs.

    For each recipient j the model is: gain of j in g = mean over its co-members i of
    ``affinity[i, j]``; the coefficients are fitted over all groups of two or more that hold j.

    Parameters
    ----------
    gains
        Any tensor; pairs that no group determines fall back to 0.
    ridge
        Penalty added to the normal equations, relative to the mean of their diagonal, which makes
        an under-determined fit unique.
    """
    count = gains.n_tasks
    matrix = np.zeros((count, count))
    sign = 1.0 if gains.quantity == "gain" else -1.0
    member = gains.membership
    for recipient in range(count):
        rows = np.flatnonzero(member[:, recipient] & (gains.sizes > 1))
        if not len(rows):
            continue
        design = member[rows].astype(float)
        design[:, recipient] = 0.0
        design /= (gains.sizes[rows] - 1)[:, None]
        normal = design.T @ design
        normal[np.diag_indices(count)] += ridge * max(float(np.trace(normal)) / count, 1e-12)
        target = sign * gains.gains[rows, recipient]
        matrix[:, recipient] = np.linalg.solve(normal, design.T @ target)
        matrix[recipient, recipient] = 0.0
    return Affinity(gains.tasks, matrix, source=f"least-squares projection of {gains.source}")


def task_affinity(gains: GainTensor) -> Affinity:
    """Return :func:`pair_affinity` where every pair is known, else :func:`projected_affinity`."""
    pairs = pair_affinity(gains)
    return projected_affinity(gains) if pairs is None else pairs
