"""How far gains can be trusted: the agreement of independent seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

LEAST_ENTRIES = 6
"""As many as the pairs of three tasks have; fewer agree by chance too often to say anything."""
MOST_SPLITS = 50
"""Split halves that are averaged over; all of them where there are fewer."""


@dataclass(frozen=True)
class Reliability:
    """Reliability of a gain tensor.

    Attributes
    ----------
    value
        Of the mean over all seeds: the correlation to expect with a second collection of as many
        seeds; NaN with one seed, no variance, or fewer than 6 entries.
    one_seed
        The same of a single seed.
    seeds, entries
        How many seeds and (group, task) entries it was computed from.
    """

    value: float
    one_seed: float
    seeds: int
    entries: int

    def seeds_for(self, target: float) -> int | None:
        """Return how many seeds would reach a reliability, None where no number can be told."""
        if not 0 < self.one_seed < 1:
            return self.seeds if self.one_seed >= 1 else None
        return math.ceil(target * (1 - self.one_seed) / (self.one_seed * (1 - target)))


def reliability(gains: NDArray[np.float64]) -> Reliability:
    """Return the split-half reliability over seeds, stepped up by the Spearman-Brown formula.

    The seeds are divided into two halves in every way, or in 50 drawn ways; the correlation of the
    two mean tensors, averaged, is the reliability of half the seeds.

    Parameters
    ----------
    gains
        Shape (S, M, N): gains of every seed; entries that some seed lacks are left out, and so must
        be single-task groups, whose gain is 0 by definition.
    """
    seeds = len(gains)
    known = np.isfinite(gains).all(axis=0) if seeds else np.zeros(0, dtype=bool)
    entries = gains[:, known] if seeds else np.zeros((0, 0))
    half = seeds // 2
    found = [
        _correlation(entries[list(first)].mean(axis=0), entries[list(second)].mean(axis=0))
        for first, second in _halves(seeds)
    ]
    halves = float(np.mean(found)) if found else math.nan
    one = _stepped(halves, 1 / half) if half else math.nan
    return Reliability(_stepped(one, seeds), one, seeds, int(known.sum()))


def _stepped(value: float, factor: float) -> float:
    """Return the reliability of ``factor`` times as many seeds (Spearman 1910, Brown 1910)."""
    return factor * value / (1 + (factor - 1) * value) if value > 0 else value


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if len(first) < LEAST_ENTRIES or not np.ptp(first) or not np.ptp(second):
        return math.nan
    return float(np.corrcoef(first, second)[0, 1])


def _halves(seeds: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    half = seeds // 2
    if not half:
        return []
    if math.comb(seeds, half) * math.comb(seeds - half, half) <= 2 * MOST_SPLITS:
        return [
            (first, second)
            for first in combinations(range(seeds), half)
            for second in combinations([one for one in range(first[0], seeds) if one not in first], half)
        ]
    random = np.random.default_rng(0)
    drawn = [random.permutation(seeds).tolist() for _ in range(MOST_SPLITS)]
    return [(tuple(one[:half]), tuple(one[half : 2 * half])) for one in drawn]
