"""Gains made of pair effects, with groups drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import GainTensor


def names(count: int) -> tuple[str, ...]:
    return tuple(f"task{index:02d}" for index in range(count))


def random_membership(random: np.random.Generator, rows: int, count: int) -> NDArray[np.bool_]:
    """Draw distinct groups of two or more, every task in one of them."""
    found: dict[bytes, NDArray[np.bool_]] = {}
    while len(found) < rows:
        row = random.random(count) < random.uniform(0.2, 0.8)
        if row.sum() >= 2:
            found[row.tobytes()] = row
    membership = np.array(list(found.values()))
    assert membership.any(axis=0).all()
    return membership


def pair_sums(membership: NDArray[np.bool_], pairs: NDArray[np.float64], offsets: NDArray[np.float64]):
    """Return the gains that a constant and effects of pairs make, entry by entry."""
    gains = np.full(membership.shape, np.nan)
    for row, group in enumerate(membership):
        members = np.flatnonzero(group)
        for task in members:
            gains[row, task] = offsets[task] + sum(pairs[other, task] for other in members if other != task)
    return gains


def tensor(membership: NDArray[np.bool_], gains: NDArray[np.float64], **attributes) -> GainTensor:
    return GainTensor.from_dense(names(membership.shape[1]), membership, gains, **attributes)
