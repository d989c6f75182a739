"""A forest over entries of groups, each tree grown on groups drawn with replacement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gain_sources.regression.error_scales import PRIOR_ENTRIES, task_means

Numbers = NDArray[np.float64]
Features = NDArray[np.float32]

BLOCK_ENTRIES = 100_000
"""Entries that are predicted at a time."""


@dataclass(frozen=True, eq=False)
class TreeForest:
    """Mean of trees, with an error that grows with how much they differ.

    Attributes
    ----------
    trees
        Fitted scikit-learn trees; each predicts the difference from the task's mean.
    means
        Shape (N,): the mean gain of each task, drawn towards that of all.
    floor
        What is added to the variance between trees, so that agreement alone is no certainty.
    scales
        Shape (N,): error variance of each task over that sum; NaN where no error is known.
    """

    trees: tuple[Any, ...]
    means: Numbers
    floor: float
    scales: Numbers

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the gains, shape (m, N), NaN where the task is not a member."""
        return self._both(membership)[0]

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return their standard errors, shape (m, N), NaN where the task is not a member."""
        found: Numbers = np.sqrt((self._both(membership)[1] + self.floor) * self.scales)
        return found

    def _both(self, membership: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
        """Return mean and variance over the trees, shape (m, N), NaN off the membership."""
        rows, tasks = np.nonzero(membership)
        mean, variance = np.full(membership.shape, np.nan), np.full(membership.shape, np.nan)
        for first in range(0, len(rows), BLOCK_ENTRIES):
            at = rows[first : first + BLOCK_ENTRIES], tasks[first : first + BLOCK_ENTRIES]
            features = entry_features(membership, *at, self.means)
            sums, squares = np.zeros(len(features)), np.zeros(len(features))
            for tree in self.trees:
                values = tree.tree_.predict(features)[:, 0]
                sums += values
                squares += values**2
            sums /= len(self.trees)
            mean[at] = sums + self.means[at[1]]
            variance[at] = np.maximum(squares / len(self.trees) - sums**2, 0.0)
        return mean, variance


def grow_forest(
    membership: NDArray[np.bool_], gains: Numbers, trees: int, least_leaf: int, share: float, seed: int
) -> TreeForest:
    """Grow a forest, and learn its errors from the groups that each tree has not seen.

    Parameters
    ----------
    membership, gains
        Shape (M, N): groups of two or more and their gains, every task in one of them.
    trees, least_leaf, share, seed
        As in :class:`~gain_sources.extra_trees.ExtraTrees`.
    """
    rows, tasks = np.nonzero(membership)
    values = gains[rows, tasks]
    counts = membership.sum(axis=0)
    means = (np.bincount(tasks, values) + PRIOR_ENTRIES * values.mean()) / (counts + PRIOR_ENTRIES)
    features = entry_features(membership, rows, tasks, means)
    target = values - means[tasks]
    grown = []
    seen, sums, squares = (np.zeros(len(rows)) for _ in range(3))
    for times, tree in _trees(len(membership), trees, least_leaf, share, seed):
        weights = times[rows].astype(np.float64)
        tree.fit(features, target, sample_weight=weights, check_input=False)
        grown.append(tree)
        unseen = np.flatnonzero(weights == 0)
        if len(unseen):
            found = tree.tree_.predict(features[unseen])[:, 0]
            seen[unseen] += 1
            sums[unseen] += found
            squares[unseen] += found**2
    several = seen > 1
    floor, scales = 0.0, np.full(membership.shape[1], np.nan)
    if several.any():
        mean = sums[several] / seen[several]
        variance = np.maximum(squares[several] / seen[several] - mean**2, 0.0)
        floor = float(variance.mean())
        ratios = np.full(membership.shape, np.nan)
        error = np.square(target[several] - mean)
        ratios[rows[several], tasks[several]] = error / (variance + floor) if floor > 0 else error
        scales = task_means(ratios)
        floor = floor if floor > 0 else 1.0
    return TreeForest(tuple(grown), means, floor, scales)


def _trees(
    groups: int, trees: int, least_leaf: int, share: float, seed: int
) -> Iterator[tuple[NDArray[np.int64], Any]]:
    """Yield how often each group was drawn for a tree, and the tree to grow."""
    from sklearn.tree import ExtraTreeRegressor

    random = np.random.default_rng(seed)
    for _ in range(trees):
        # A group is drawn as a whole: its entries share one training, and would tell of one another.
        times = np.bincount(random.integers(0, groups, groups), minlength=groups)
        yield (
            times,
            ExtraTreeRegressor(
                min_samples_leaf=least_leaf,
                max_features=share,
                random_state=int(random.integers(0, 2**31 - 1)),
            ),
        )


def entry_features(
    membership: NDArray[np.bool_], rows: NDArray[np.int64], tasks: NDArray[np.int64], means: Numbers
) -> Features:
    """Return what a tree may split on, shape (E, 2 N + 2).

    The other members, the task, the size of the group, and the mean gain of the task.
    """
    count = membership.shape[1]
    features = np.zeros((len(rows), 2 * count + 2), dtype=np.float32)
    entries = np.arange(len(rows))
    features[:, :count] = membership[rows]
    features[entries, tasks] = 0.0
    features[entries, count + tasks] = 1.0
    features[:, 2 * count] = membership.sum(axis=1)[rows]
    features[:, 2 * count + 1] = means[tasks]
    return features
