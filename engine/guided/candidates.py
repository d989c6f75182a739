"""Groups that may be measured next, where there are too many to list them all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.gains.bits import distinct
from engine.gains.model import all_groups

Membership = NDArray[np.bool_]

MOST_LISTED = 12
"""Up to so many tasks all groups are candidates."""
POOL = 3000
"""Random candidates of more tasks than that; neighbours of promising groups come on top."""


def candidate_groups(n_tasks: int, near: Membership, random: np.random.Generator) -> Membership:
    """Return groups of two or more tasks to choose measurements from.

    Parameters
    ----------
    n_tasks
        N; up to 12 all groups are listed.
    near
        Shape (m, N): promising groups, whose neighbours are candidates: one task more, one less, or one
        exchanged for another.
    random
        Of the groups drawn from all sizes alike.

    Returns
    -------
    ndarray
        Shape (M, N), each group once.
    """
    if n_tasks <= MOST_LISTED:
        listed = all_groups(n_tasks)
        return np.asarray(listed[listed.sum(axis=1) > 1])
    sizes = random.integers(2, n_tasks + 1, POOL)
    ranks = random.random((POOL, n_tasks)).argsort(axis=1).argsort(axis=1)
    full = np.ones((1, n_tasks), dtype=bool)
    groups = np.concatenate([full, near, *(_neighbours(row) for row in near), ranks < sizes[:, None]])
    return distinct(groups[groups.sum(axis=1) > 1])


def _neighbours(group: NDArray[np.bool_]) -> Membership:
    """Return all groups that differ by one task, or by one exchanged for another."""
    single = np.eye(len(group), dtype=bool)
    exchanged = (single[group][:, None] | single[~group][None, :]).reshape(-1, len(group))
    return np.concatenate([group ^ single, group ^ exchanged])


def initial_order(candidates: Membership, random: np.random.Generator) -> Membership:
    """Return the candidates in the order in which a study without any knowledge tries them.

    The full group comes first: it serves every task at once. Groups of all sizes follow, drawn so that
    the logarithms of the sizes are spread evenly: small ones tell who harms whom, which large ones mix up.

    Parameters
    ----------
    candidates
        Shape (M, N), each group once.
    random
        Of the draw.
    """
    sizes = candidates.sum(axis=1)
    full = sizes == candidates.shape[1]
    drawn = random.permutation(np.flatnonzero(~full))
    by_size = {size: list(drawn[sizes[drawn] == size]) for size in np.unique(sizes[drawn])}
    order = list(np.flatnonzero(full))
    low, high = np.log(sizes.min()) - 0.1, np.log(sizes.max()) + 0.1
    while left := [size for size, rows in by_size.items() if rows]:
        wanted = random.uniform(low, high)
        nearest = min(left, key=lambda size: (abs(np.log(size) - wanted), size))
        order.append(by_size[nearest].pop())
    return np.asarray(candidates[order])
