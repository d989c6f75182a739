"""Distinct random groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine import UsageError, all_groups

_ENUMERABLE = 16


def distinct_groups(
    base: NDArray[np.bool_], count: int, draw: Callable[[int], NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """Return ``count`` different non-empty groups: the distinct rows of ``base``, then random ones.

    Parameters
    ----------
    base
        Shape (m, N): groups that must be there, in this order.
    count
        How many in all.
    draw
        Draws this many random groups, which may repeat or be empty. Where it runs dry, because hardly
        any groups are left, the rest comes from the list of all groups.

    Raises
    ------
    UsageError
        If there are not that many groups, or too few are asked for to hold ``base``.
    """
    n_tasks = base.shape[1]
    groups = _first_of_each(base)
    if count < len(groups):
        raise UsageError(f"{count} groups are too few: the fixed groups alone are {len(groups)}.")
    if n_tasks < 60 and count > 2**n_tasks - 1:
        raise UsageError(f"{count} groups are too many: {n_tasks} tasks have {2**n_tasks - 1} groups.")
    for _ in range(30):
        missing = count - len(groups)
        if not missing:
            return groups
        drawn = draw(missing + missing // 4 + 16)
        groups = _first_of_each(np.vstack([groups, drawn[drawn.any(axis=1)]]))[:count]
    if len(groups) < count and n_tasks <= _ENUMERABLE:
        groups = _first_of_each(np.vstack([groups, all_groups(n_tasks)]))[:count]
    if len(groups) < count:
        raise UsageError(f"Could draw only {len(groups)} of {count} different groups of {n_tasks} tasks.")
    return groups


def _first_of_each(groups: NDArray[np.bool_]) -> NDArray[np.bool_]:
    packed = np.packbits(groups, axis=1)
    keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    return groups[np.sort(np.unique(keys, return_index=True)[1])]
