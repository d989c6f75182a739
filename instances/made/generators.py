"""Synthetic gains of any size: planted clusters, and random pairwise effects."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine import Affinity, GainTensor, Provenance, UsageError
from instances.made.random_groups import distinct_groups

Split = Literal["valid", "test"]
SPLITS = get_args(Split)

HELP = 0.2
"""Gain of a task whose whole cluster, and nobody else, is in the group."""
HARM = 0.2
"""Loss of a task that is in a group with every task but those of its cluster."""


def task_names(count: int) -> tuple[str, ...]:
    """Return the names of generated tasks: task00, task01, and so on."""
    digits = len(str(count - 1))
    return tuple(f"task{number:0{digits}d}" for number in range(count))


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
    first, second = np.triu_indices(n_tasks, k=1)
    if n_tasks + len(clusters) + 1 + len(first) <= n_groups:
        pairs = np.zeros((len(first), n_tasks), dtype=bool)
        pairs[np.arange(len(first)), first] = pairs[np.arange(len(first)), second] = True
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
    drawn = np.random.default_rng([seed, 3, SPLITS.index(split)]).normal(0.0, noise, size=len(rows))
    values = np.where(together, np.round(gain[rows, members] + drawn, 6), 0.0)
    return GainTensor(
        task_names(member.shape[1]),
        np.concatenate([[0], np.cumsum(sizes)]),
        members,
        values,
        std=np.where(together, noise, 0.0) if noise else None,
        split=split,
        provenance=Provenance(f"{kind}, seed {seed}, noise {noise}"),
    )


def noisy_pair_means(
    n_tasks: int = 100,
    n_groups: int = 10_000,
    *,
    sizes: tuple[int, int] = (3, 40),
    rank: int = 8,
    noise: float = 0.02,
    seed: int = 0,
) -> GainTensor:
    """Return a large pool of random groups whose gains follow the pair-mean rule, with noise.

    The pairwise effects have standard deviation 0.05: a random matrix of low rank and as much that has
    no structure. A task gains the mean of the effects of the other members, plus noise. Beside every
    task alone, the groups are uniform in size within ``sizes``, as far as there are that many, and in
    members. Time and memory grow with the number of member entries; no matrix of groups × tasks is made.

    Parameters
    ----------
    n_tasks, n_groups
        N and M; M at least N.
    sizes
        The least (2 or more) and the largest number of members.
    rank
        Of the structured part of the effects.
    noise
        Standard deviation of the noise on every gain of a group of two or more.
    seed
        Of the effects, the groups and the noise.

    Raises
    ------
    UsageError
        If the numbers contradict one another.
    """
    _check(n_tasks, n_groups, noise)
    low, high = sizes[0], min(sizes[1], n_tasks)
    if not 2 <= low <= high or rank < 1:
        raise UsageError(f"sizes {sizes} must rise from 2 or more, and rank ({rank}) be 1 or more.")
    rng = np.random.default_rng([seed, 4])
    structured = rng.normal(size=(n_tasks, rank)) @ rng.normal(size=(rank, n_tasks)) / math.sqrt(rank)
    effects = 0.05 * math.sqrt(0.5) * (structured + rng.normal(size=(n_tasks, n_tasks)))
    np.fill_diagonal(effects, 0.0)
    counts = _groups_per_size(n_tasks, n_groups - n_tasks, low, high)
    lengths = np.repeat([1, *range(low, high + 1)], [n_tasks, *counts])
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    members = np.empty(indptr[-1], dtype=np.int32)
    values = np.empty(indptr[-1])
    members[:n_tasks], values[:n_tasks] = np.arange(n_tasks), 0.0
    end = n_tasks
    for size, count in zip(range(low, high + 1), counts, strict=True):
        drawn = _distinct_subsets(rng, n_tasks, size, count)
        for first in range(0, count, max(1, _CELLS // size**2)):
            groups = drawn[first : first + max(1, _CELLS // size**2)]
            mean = effects[groups[:, :, None], groups[:, None, :]].sum(axis=1) / (size - 1)
            begin, end = end, end + groups.size
            members[begin:end] = groups.ravel()
            values[begin:end] = np.round(mean + rng.normal(0.0, noise, size=mean.shape), 6).ravel()
    for array in (indptr, members, values):
        array.setflags(write=False)
    return GainTensor(
        task_names(n_tasks),
        indptr,
        members,
        values,
        split="valid",
        provenance=Provenance(
            f"noisy pair means, sizes {low} to {high}, rank {rank}, seed {seed}, noise {noise}"
        ),
    )


_CELLS = 2_000_000
"""So many numbers are worked on at a time."""


def _groups_per_size(n_tasks: int, n_groups: int, low: int, high: int) -> list[int]:
    """Return how many groups of each size to draw: as equal as can be, at most half of all there are."""
    counts: list[int] = []
    for size in range(low, high + 1):
        share = -(-(n_groups - sum(counts)) // (high + 1 - size))
        counts.append(max(0, min(share, math.comb(n_tasks, size) // 2)))
    if sum(counts) < n_groups or n_groups < 0:
        raise UsageError(f"{n_groups + n_tasks} groups of {n_tasks} tasks in these sizes cannot be drawn.")
    return counts


def _distinct_subsets(rng: np.random.Generator, n_tasks: int, size: int, count: int) -> NDArray[np.int32]:
    """Draw different random groups of one size, shape (count, size), members ascending."""
    keys = rng.integers(0, 2**64, size=n_tasks, dtype=np.uint64)
    groups = np.empty((0, size), dtype=np.int32)
    while len(groups) < count:
        batch = max(1, min(count - len(groups) + 64, _CELLS // n_tasks))
        if size * size <= n_tasks:
            drawn = np.sort(rng.integers(0, n_tasks, size=(batch, size), dtype=np.int32), axis=1)
            drawn = drawn[(np.diff(drawn, axis=1) > 0).all(axis=1)]
        else:
            order = np.argpartition(rng.random((batch, n_tasks), dtype=np.float32), size - 1, axis=1)
            drawn = np.sort(order[:, :size].astype(np.int32), axis=1)
        groups = np.concatenate([groups, drawn])
        # Two groups with the same sum of random keys count as the same: no loss in a random pool.
        groups = groups[np.sort(np.unique(keys[groups].sum(axis=1), return_index=True)[1])]
    return groups[:count]


def low_rank_affinity(n_tasks: int = 50, *, rank: int = 5, noise: float = 0.5, seed: int = 0) -> Affinity:
    """Return signed, directed pairwise effects: a matrix of low rank, plus noise.

    Every task has ``rank`` hidden traits from a normal distribution. Two tasks help each other as far
    as their traits agree and harm each other as far as they differ, symmetrically; independent noise on
    each direction comes on top. The effects have standard deviation 0.05. The fewer the traits and the
    smaller the noise, the clearer are the groups.

    Parameters
    ----------
    n_tasks
        N.
    rank
        Number of hidden traits.
    noise
        Standard deviation of the noise, relative to that of the structured part.
    seed
        Of the traits and the noise.

    Raises
    ------
    UsageError
        If a number is out of range.
    """
    if n_tasks < 1 or rank < 1 or not (math.isfinite(noise) and noise >= 0):
        raise UsageError(
            f"n_tasks ({n_tasks}) and rank ({rank}) must be positive, noise ({noise}) finite and not "
            "negative."
        )
    rng = np.random.default_rng([seed, 5])
    traits = rng.normal(size=(n_tasks, rank))
    effects = traits @ traits.T / math.sqrt(rank) + noise * rng.normal(size=(n_tasks, n_tasks))
    effects *= 0.05 / math.sqrt(1.0 + noise**2)
    np.fill_diagonal(effects, 0.0)
    source = f"low-rank affinity, rank {rank}, noise {noise}, seed {seed}"
    return Affinity(task_names(n_tasks), effects, source=source)
