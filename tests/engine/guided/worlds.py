"""Made-up tasks for the tests of guided collections, and a predictor whose posterior is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import GainSourceInfo, GainTensor, Predictor

Groups = NDArray[np.bool_]
Numbers = NDArray[np.float64]


def names(count: int) -> tuple[str, ...]:
    """Return names of tasks, in alphabetical order."""
    return tuple(f"t{index:02}" for index in range(count))


def features(membership: Groups) -> Numbers:
    """Return for each task who else is in the group, shape (N, m, N)."""
    count = membership.shape[1]
    return np.stack([np.delete(membership, task, 1) * 1.0 for task in range(count)])


@dataclass(frozen=True, eq=False)
class World:
    """Gains are sums of effects of the other members, drawn from a normal prior, measured with noise."""

    effects: Numbers
    noise: float = 0.0
    seed: int = 0
    spread: ClassVar[float] = 0.1

    @classmethod
    def drawn(cls, count: int, seed: int, noise: float = 0.0) -> World:
        """Draw the effects, shape (N, N − 1)."""
        random = np.random.default_rng([seed, 7])
        return cls(random.normal(0, cls.spread, (count, count - 1)), noise, seed)

    def truth(self, membership: Groups) -> Numbers:
        """Return the true gains."""
        found = np.einsum("nmk,nk->mn", features(membership), self.effects)
        return np.where(membership, found, np.nan)

    def measure(self, membership: Groups) -> GainTensor:
        """Measure groups; the noise of a group is the same whenever it is measured."""
        found = self.truth(membership)
        for row, group in enumerate(membership):
            random = np.random.default_rng([self.seed, *np.flatnonzero(group).tolist()])
            found[row] += self.noise * random.standard_normal(len(group)) * (group.sum() > 1)
        return GainTensor.from_dense(names(membership.shape[1]), membership, found)


@dataclass(frozen=True, eq=False)
class LinearPosterior:
    """What measurements say of a world, exactly."""

    tasks: tuple[str, ...]
    mean: Numbers
    covariance: Numbers
    own_noise: float
    source: str = "linear"

    def predict(self, membership: Groups) -> Numbers:
        """Return posterior means."""
        found = np.einsum("nmk,nk->mn", features(membership), self.mean)
        return np.where(membership, found, np.nan)

    def std(self, membership: Groups) -> Numbers:
        """Return errors against a new measurement."""
        rows = features(membership)
        variance = np.einsum("nmk,nkl,nml->mn", rows, self.covariance, rows)
        return np.where(membership, np.sqrt(variance + self.own_noise**2), np.nan)

    def noise(self, membership: Groups) -> Numbers:
        """Return the noise."""
        return np.where(membership, self.own_noise, np.nan)

    def sample(self, membership: Groups, count: int, random: np.random.Generator) -> Numbers:
        """Draw effects, and return the gains they make."""
        rows, found = features(membership), np.full((count, *membership.shape), np.nan)
        for task in range(len(self.tasks)):
            root = np.linalg.cholesky(self.covariance[task] + 1e-12 * np.eye(rows.shape[2]))
            drawn = self.mean[task] + random.standard_normal((count, rows.shape[2])) @ root.T
            found[:, :, task] = drawn @ rows[task].T
        return np.where(membership, found, np.nan)


@dataclass(frozen=True)
class Linear(Predictor):
    """Bayesian linear regression with the prior of :class:`World`."""

    noise: float = 0.0
    info: ClassVar[GainSourceInfo] = GainSourceInfo(summary="exact")

    def fit(self, gains: GainTensor) -> LinearPosterior:
        """Condition the prior."""
        known = gains.select(gains.sizes > 1)
        rows = features(known.membership)
        count = gains.n_tasks
        variance = max(self.noise, 1e-6) ** 2
        means, covariances = [], []
        for task in range(count):
            held = known.membership[:, task]
            design, values = rows[task][held], known.gains[held, task]
            precision = np.eye(count - 1) / World.spread**2 + design.T @ design / variance
            covariances.append(np.linalg.inv(precision))
            means.append(covariances[-1] @ design.T @ values / variance)
        return LinearPosterior(gains.tasks, np.array(means), np.array(covariances), self.noise)


def listed(groups: Groups, tasks: tuple[str, ...]) -> list[frozenset[str]]:
    """Return groups as sets of names."""
    return [frozenset(np.array(tasks)[row].tolist()) for row in groups]


Measure = Callable[[Groups], GainTensor]
