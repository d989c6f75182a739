"""Synthetic gains of any size: planted clusters, and random pairwise effects."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine import GainTensor, UsageError
from instances.random_groups import distinct_groups

Split = Literal["valid", "test"]

HELP = 0.2
"""Gain of a task whose whole cluster, and nobody else, is in the group."""
HARM = 0.2
"""Loss of a task that is in a group with every task but those of its cluster."""


def planted(
    n_tasks: int = 20,
    n_groups: int = 400,
    *,
    n_clusters: int | None = None,
    noise: float = 0.02,
    seed: int = 0,
    split: Split = "valid",
) -> GainTensor:
    """Return gains with a hidden partition of the tasks into clusters.

    A task gains 0.2 times the share of its cluster mates that are in the group, and loses 0.2 times
    the share of all other tasks that are; so without noise the clusters themselves are the optimal
    choice for a budget of ``n_clusters``, and each of their members gains 0.2.

    The groups are: every task alone, every cluster, all tasks, every pair where they all fit, and random
    groups, half of them around a cluster (a part of it with a few outsiders), half uniform in size and
    members. Vectorised: 100 000 groups of 100 tasks take seconds.

    Parameters
    ----------
    n_tasks, n_groups
        N and M; M at least N + clusters + 1.
    n_clusters
        Number of clusters, of sizes that differ by one at most; ⌈N/4⌉ by default.
    noise
        Standard deviation of the noise on every gain of a group of two or more.
    seed
        Of the clusters, the groups and the noise.
    split
        Both splits have the same groups and the same true gains; only the noise differs.

    Raises
    ------
    UsageError
        If the numbers contradict one another.
    """
    n_clusters = max(1, math.ceil(n_tasks / 4)) if n_clusters is None else n_clusters
    _check(n_tasks, n_groups, noise)
    if not 1 <= n_clusters <= n_tasks:
        raise UsageError(f"n_clusters must lie in 1…{n_tasks}, not {n_clusters}.")
    rng = np.random.default_rng([seed, 0])
    cluster = planted_clusters(n_tasks, n_clusters, seed=seed)
    of_cluster = cluster == np.arange(n_clusters)[:, None]
    base = _fixed_groups(n_tasks, n_groups, of_cluster)

    def draw(count: int) -> NDArray[np.bool_]:
        around = of_cluster[rng.integers(n_clusters, size=count)]
        near = np.where(around, rng.random((count, n_tasks)) < 0.8, rng.random((count, n_tasks)) < 0.1)
        uniform = rng.random((count, n_tasks)) < rng.uniform(0.05, 0.8, size=(count, 1))
        return np.where(rng.random((count, 1)) < 0.5, near, uniform)

    member = distinct_groups(base, n_groups, draw)
    size = member.sum(axis=1, keepdims=True)
    same = member.astype(np.float32) @ of_cluster.T.astype(np.float32)
    mates = np.where(member, same[:, cluster] - 1, 0)
    cluster_size = of_cluster.sum(axis=1)[cluster]
    gain = HELP * mates / np.maximum(cluster_size - 1, 1)
    gain -= HARM * (size - 1 - mates) / np.maximum(n_tasks - cluster_size, 1)
    return _noisy(member, gain, noise, seed, split, "planted")


def planted_clusters(n_tasks: int, n_clusters: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return the cluster of every task that :func:`planted` hides, shape (N,)."""
    return np.random.default_rng([seed, 1]).permutation(np.arange(n_tasks) % n_clusters)


def random(
    n_tasks: int = 20,
    n_groups: int = 400,
    *,
    noise: float = 0.02,
    seed: int = 0,
    split: Split = "valid",
) -> GainTensor:
    """Return gains without any clusters: the mean of random pairwise effects over the co-members, plus noise.

    The groups are: every task alone, all tasks, every pair where they all fit, and random groups uniform
    in size and members.

    Parameters
    ----------
    n_tasks, n_groups
        N and M; M at least N + 1.
    noise
        Standard deviation of the noise on every gain of a group of two or more.
    seed
        Of the effects, the groups and the noise.
    split
        As in :func:`planted`.

    Raises
    ------
    UsageError
        If the numbers contradict one another.
    """
    _check(n_tasks, n_groups, noise)
    rng = np.random.default_rng([seed, 2])
    effects = rng.normal(0.0, 0.1, size=(n_tasks, n_tasks))
    np.fill_diagonal(effects, 0.0)
    base = _fixed_groups(n_tasks, n_groups, np.empty((0, n_tasks), dtype=bool))

    def draw(count: int) -> NDArray[np.bool_]:
        return rng.random((count, n_tasks)) < rng.uniform(0.05, 0.8, size=(count, 1))

    member = distinct_groups(base, n_groups, draw)
    others = np.maximum(member.sum(axis=1, keepdims=True) - 1, 1)
    gain = (member.astype(np.float32) @ effects.astype(np.float32)) / others
    return _noisy(member, gain, noise, seed, split, "random")


def _fixed_groups(n_tasks: int, n_groups: int, clusters: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the singles, the clusters, the full group, and every pair where they all fit."""
    parts = [np.eye(n_tasks, dtype=bool), clusters, np.ones((1, n_tasks), dtype=bool)]
    one, other = np.triu_indices(n_tasks, k=1)
    if n_tasks + len(clusters) + 1 + len(one) <= n_groups:
        pairs = np.zeros((len(one), n_tasks), dtype=bool)
        pairs[np.arange(len(one)), one] = pairs[np.arange(len(one)), other] = True
        parts.append(pairs)
    return np.vstack(parts)


def _check(n_tasks: int, n_groups: int, noise: float) -> None:
    if n_tasks < 1 or n_groups < 1 or not (math.isfinite(noise) and noise >= 0):
        raise UsageError(
            f"n_tasks ({n_tasks}) and n_groups ({n_groups}) must be positive, noise ({noise}) finite and not "
            "negative."
        )


def _noisy(
    member: NDArray[np.bool_], gain: NDArray[np.floating], noise: float, seed: int, split: Split, kind: str
) -> GainTensor:
    """Add the noise of a split and round to six decimals, as published gains are."""
    rows, members = np.nonzero(member)
    sizes = member.sum(axis=1)
    together = sizes[rows] > 1
    drawn = np.random.default_rng([seed, 3, 0 if split == "valid" else 1]).normal(0.0, noise, size=len(rows))
    values = np.where(together, np.round(gain[rows, members] + drawn, 6), 0.0)
    return GainTensor(
        tuple(f"task{column:0{len(str(member.shape[1] - 1))}d}" for column in range(member.shape[1])),
        np.concatenate([[0], np.cumsum(sizes)]),
        members,
        values,
        std=np.where(together, noise, 0.0) if noise else None,
        split=split,
        provenance=f"{kind}, seed {seed}, noise {noise}",
    )
