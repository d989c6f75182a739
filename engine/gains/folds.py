"""Folds over groups: known groups are left out in turn, to judge a predictor on what it did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError


def group_folds(
    membership: NDArray[np.bool_], folds: int, seed: int = 0, least_size: int = 2
) -> NDArray[np.int64]:
    """Return the fold of each group; no fold takes away all groups of a task.

    Folds have like sizes and like mixtures of group sizes. They depend on the seed and on the set of
    groups, neither on the order of the rows nor, up to the names of the folds, on anything else.

    Parameters
    ----------
    membership
        Shape (M, N): distinct groups, columns in an order that does not depend on the data.
    folds
        How many, two or more.
    seed
        Of the draw.
    least_size
        Smaller groups are never left out; two or more.

    Returns
    -------
    ndarray
        Shape (M,): −1 for a group that is never left out: it is too small, or a task of it would be in
        no group of two or more else.

    Raises
    ------
    UsageError
        If there are fewer than two folds, or ``least_size`` is below two.
    DataError
        If fewer than two groups can be left out.
    """
    if folds < 2:
        raise UsageError(f"Cross-validation needs two folds or more, not {folds}.")
    if least_size < 2:
        raise UsageError(f"Groups of two tasks or more are left out, not of {least_size}.")
    member = np.asarray(membership, dtype=bool)
    sizes = member.sum(axis=1)
    order = np.lexsort((*member.T[::-1], sizes))
    several, order = order[sizes[order] > 1], order[sizes[order] >= least_size]
    random = np.random.default_rng(seed)
    drawn = np.concatenate([random.permutation(folds) for _ in range(-(-len(order) // folds))] or [order])
    found = np.full(len(member), -1, dtype=np.int64)
    found[order] = drawn[: len(order)]
    for task in range(member.shape[1]):
        holding = several[member[several, task]]
        if len(holding) and len(np.unique(found[holding])) == 1:
            found[holding[0]] = -1
    if (found >= 0).sum() < 2:
        raise DataError(
            f"Cross-validation needs two groups of {least_size} tasks or more without which each of their "
            "tasks is still in another group: collect more groups."
        )
    return found
