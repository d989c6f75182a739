"""Which runs are still to be trained, in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.gains.bits import places

Membership = NDArray[np.bool_]


def with_singles(groups: Membership) -> Membership:
    """Return all single-task groups and then the others, by size, equal sizes in the order given."""
    count = groups.shape[1]
    larger = groups[groups.sum(axis=1) > 1]
    larger = larger[np.argsort(larger.sum(axis=1), kind="stable")]
    return np.concatenate([np.eye(count, dtype=bool), larger])


def missing(groups: Membership, done: Membership) -> Membership:
    """Return the groups that are not among those done, in order."""
    return np.asarray(groups[places(groups, done) < 0])


def chunks(
    groups: Membership, seeds: Sequence[int], done: Mapping[int, Membership], size: int
) -> Iterator[tuple[int, Membership]]:
    """Yield what is missing as (seed, membership), ``size`` groups at most, seed after seed.

    Single-task groups come first within a seed, since no gain can be told without them.
    """
    none = np.zeros((0, groups.shape[1]), dtype=bool)
    for seed in seeds:
        left = missing(groups, done.get(seed, none))
        for first in range(0, len(left), size):
            yield seed, left[first : first + size]
