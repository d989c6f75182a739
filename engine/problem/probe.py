"""A look at a gain model: what it says of the groups of one task, of two and of all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.gains.model import GainModel


@dataclass(frozen=True, eq=False)
class Probe:
    """What a gain model says of singles, pairs and the full group.

    Attributes
    ----------
    digest
        SHA-256 over the tasks, the model's name and these predictions.
    least, most
        Shape (N,): the smallest and the largest gain of each task among these groups.
    groups
        Which groups were looked at, in words.
    """

    digest: str
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    groups: str

    @classmethod
    def of(cls, model: GainModel) -> Probe:
        """Ask a model.

        Parameters
        ----------
        model
            Over N tasks; N (N + 1) / 2 + 1 groups are predicted.
        """
        count = len(model.tasks)
        rows = [np.eye(count, dtype=bool), np.ones((1, count), dtype=bool)]
        for task in range(count - 1):
            pairs = np.eye(count, dtype=bool)[task + 1 :]
            pairs[:, task] = True
            rows.append(pairs)
        membership = np.unique(np.concatenate(rows), axis=0)
        gains = np.ascontiguousarray(model.predict(membership))
        hashed = hashlib.sha256("\x1f".join((*model.tasks, model.source)).encode())
        hashed.update(gains.tobytes())
        return cls(
            hashed.hexdigest(),
            np.where(membership, gains, np.inf).min(axis=0),
            np.where(membership, gains, -np.inf).max(axis=0),
            "all groups" if count <= 3 else f"the groups of one, two and all {count} tasks",
        )

    def magnitude(self, weights: NDArray[np.float64]) -> float:
        """Return how large the tasks' best values are, or, where those are 0, any value; above 0.

        Parameters
        ----------
        weights
            Shape (N,): value of a unit of gain, to be maximised.
        """
        values = weights * np.stack([self.least, self.most])
        best = float(np.abs(values.max(axis=0)).max())
        return best or float(np.abs(values).max()) or 1.0
