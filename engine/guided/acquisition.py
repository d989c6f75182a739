"""Acquisitions: which groups are worth measuring next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.arrays import is_number
from engine.errors import UsageError
from engine.gains.tensor import GainTensor
from engine.guided.belief import Belief
from engine.guided.normal import expected_excess
from engine.guided.question import Question
from engine.plugins import Registry

Order = NDArray[np.int64]


class Acquisition(ABC):
    """Base of all acquisitions; a user's own defines :meth:`choose`.

    Attributes
    ----------
    name
        How it is asked for.
    """

    name: ClassVar[str]

    @abstractmethod
    def choose(
        self, belief: Belief, question: Question, count: int, round: int, random: np.random.Generator
    ) -> Order:
        """Return rows of the belief to measure, the most wanted first, at most ``count``.

        Rows that are measured already, or named twice, are passed over; fewer than ``count`` are
        filled up with the groups of the largest expected improvement.

        Parameters
        ----------
        belief
            What is known and believed.
        question
            What is to be decided in the end.
        count
            How many groups are measured at once.
        round
            How many groups were asked for before.
        random
            Source of randomness.
        """


@dataclass(frozen=True)
class Optimistic(Acquisition):
    """Solve the problem as if every prediction were κ errors better, and measure what that chooses.

    Attributes
    ----------
    kappa
        How many errors, 0 or more.
    """

    kappa: float = 1.0
    name: ClassVar[str] = "optimistic"

    def __post_init__(self) -> None:
        if not (is_number(self.kappa) and self.kappa >= 0):
            raise UsageError(f"kappa must be 0 or more, and finite, not {self.kappa!r}.")

    def choose(
        self, belief: Belief, question: Question, count: int, round: int, random: np.random.Generator
    ) -> Order:
        """Return the groups of the optimistic solutions, those that serve most over all budgets first."""
        return _wanted(belief, question, belief.optimistic(self.kappa))


@dataclass(frozen=True)
class Thompson(Acquisition):
    """Draw gains from the belief, solve the problem on them, and measure what that chooses.

    Thompson, Biometrika 1933; one draw per group that is measured at once.
    """

    name: ClassVar[str] = "thompson"

    def choose(
        self, belief: Belief, question: Question, count: int, round: int, random: np.random.Generator
    ) -> Order:
        """Return the most valuable unmeasured group of each of ``count`` draws."""
        chosen: list[int] = []
        for _ in range(count):
            for row in _wanted(belief, question, belief.drawn(random)):
                if row not in chosen:
                    chosen.append(int(row))
                    break
        return np.array(chosen, dtype=np.int64)


@dataclass(frozen=True)
class ExpectedImprovement(Acquisition):
    """Measure what is expected to add most to the best solutions among the measured groups.

    For every budget of interest the best solution with one group less is completed by each candidate
    in turn; its expected excess is a sum over tasks of closed forms (Jones, Schonlau and Welch,
    Journal of Global Optimization 1998). In a batch, groups chosen before count as measured at their
    predicted values.
    """

    name: ClassVar[str] = "expected-improvement"

    def choose(
        self, belief: Belief, question: Question, count: int, round: int, random: np.random.Generator
    ) -> Order:
        """Return the groups of the largest expected improvement, summed over budgets."""
        return expected_improvements(belief, question, count)


@dataclass(frozen=True)
class LargestPrediction(Acquisition):
    """Measure the group whose predicted gain is largest in absolute value, for each task in turn.

    The active selection of MTG-Net (Song et al., NeurIPS 2022).
    """

    name: ClassVar[str] = "largest-prediction"

    def choose(
        self, belief: Belief, question: Question, count: int, round: int, random: np.random.Generator
    ) -> Order:
        """Return the group of the largest prediction of each task, beginning with that of the round."""
        sizes = np.where(belief.gains.measured[:, None], 0.0, np.abs(np.nan_to_num(belief.gains.gains)))
        chosen: list[int] = []
        for step in range(count):
            column = sizes[:, (round + step) % belief.gains.n_tasks]
            if column.max() > 0:
                chosen.append(int(column.argmax()))
                sizes[chosen[-1]] = 0.0
        return np.array(chosen, dtype=np.int64)


@dataclass(frozen=True)
class RandomGroups(Acquisition):
    """Measure random groups: what every other acquisition has to beat."""

    name: ClassVar[str] = "random"

    def choose(
        self, belief: Belief, question: Question, count: int, round: int, random: np.random.Generator
    ) -> Order:
        """Return unmeasured groups, all equally likely."""
        left = np.flatnonzero(~belief.gains.measured)
        return np.asarray(random.permutation(left)[:count])


ACQUISITIONS = Registry("acquisition", "taskgrouping.acquisitions")
for _acquisition in (Optimistic, Thompson, ExpectedImprovement, LargestPrediction, RandomGroups):
    ACQUISITIONS.register(_acquisition.name, _acquisition)


def acquisition_class(name: str) -> type[Acquisition]:
    """Return an acquisition by name, or as ``"module:Class"``.

    Raises
    ------
    UsageError
        If there is none of this name, or it is no subclass of :class:`Acquisition`.
    """
    acquisition = ACQUISITIONS.load(name)
    if not (isinstance(acquisition, type) and issubclass(acquisition, Acquisition)):
        raise UsageError(f"The acquisition {name!r} is not a subclass of engine.Acquisition.")
    return acquisition


def expected_improvements(belief: Belief, question: Question, count: int) -> Order:
    """Return the unmeasured rows of the largest expected improvement, at most ``count``.

    Parameters
    ----------
    belief, question, count
        As in :meth:`Acquisition.choose`.
    """
    left = np.flatnonzero(~belief.gains.measured)
    if not len(left):
        return left
    served = question.served(belief)
    gains = belief.gains.gains[left]
    error = belief.gains.dense(belief.error)[left]
    upward = 1.0 if belief.gains.quantity == "gain" else -1.0
    chosen: list[int] = []
    for _ in range(min(count, len(left))):
        total, unclipped = np.zeros(len(left)), np.zeros(len(left))
        for completion in served:
            excess = expected_excess(upward * gains - completion.without_last, error)
            added = np.nansum(excess * question.weights, axis=1) - completion.worth_of_last
            total += np.maximum(added, 0.0)
            unclipped += added
        total[chosen], unclipped[chosen] = -1.0, -np.inf
        if total.max() <= 0:  # no group is expected to improve anything: what comes closest
            total = unclipped
        best = int(total.argmax())
        chosen.append(best)
        for completion in served:
            completion.measure(gains[best], question.weights, upward)
    return left[chosen]


def _wanted(belief: Belief, question: Question, gains: GainTensor) -> Order:
    """Return the unmeasured groups of the solutions on these gains, ordered by how much they serve."""
    worth, wanted = np.zeros(gains.n_groups), np.zeros(gains.n_groups, dtype=bool)
    for chosen, serving in question.solved(gains):
        wanted[chosen] = True
        for row, value in serving:
            worth[row] += value
    order = np.argsort(-worth, kind="stable")
    return np.asarray(order[(wanted & ~belief.gains.measured)[order]])
