"""Objectives: what a grouping is worth, as coefficients of its groups and serving decisions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import is_number
from engine.errors import UsageError, unknown_name
from engine.gains.tensor import GainTensor

Sense = Literal["maximize", "minimize"]
Aggregate = Literal["sum", "min"]


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The linear form of an objective over M groups, N tasks and E member entries.

    The value of a grouping is the aggregate over tasks of ``serve[g, t]``, g being the group that
    serves t, plus the sum of ``open[g]`` over the chosen groups.

    Attributes
    ----------
    serve
        Shape (M, N), read at the members only, or shape (E,), one number per member entry.
    open
        Shape (M,), or None for zero.
    """

    serve: ArrayLike
    open: ArrayLike | None = None

    def entries(self, gains: GainTensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``serve`` per entry, shape (E,), and ``open``, shape (M,), both checked.

        Raises
        ------
        UsageError
            If a shape is wrong or a coefficient is not finite.
        """
        serve = _array(self.serve, "serve")
        if serve.shape == (gains.n_groups, gains.n_tasks):
            serve = serve[gains.entry_rows, gains.members]
        if serve.shape != gains.values.shape:
            raise UsageError(
                f"The objective's serve coefficients have shape {serve.shape}; give "
                f"({gains.n_groups}, {gains.n_tasks}), or ({len(gains.values)},) for one per member entry."
            )
        opening = np.zeros(gains.n_groups) if self.open is None else _array(self.open, "open")
        if opening.shape != (gains.n_groups,):
            raise UsageError(
                f"The objective's open coefficients have shape {opening.shape}; give ({gains.n_groups},)."
            )
        if not np.isfinite(serve).all() or not np.isfinite(opening).all():
            raise UsageError("The objective's coefficients must be finite for every member of every group.")
        return serve, opening


def _array(given: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"The objective's {name} coefficients are not an array of numbers.") from None


class Objective(ABC):
    """Base of all objectives; a user's own defines :meth:`coefficients` and, if needed, the flags.

    Attributes
    ----------
    sense
        ``"maximize"`` or ``"minimize"``.
    aggregate
        How tasks add up: ``"sum"``, or ``"min"`` for the value of the task that fares worst, which
        is the largest one when minimising. With ``"min"`` groups have no opening values.
    """

    sense: ClassVar[Sense] = "maximize"
    aggregate: ClassVar[Aggregate] = "sum"

    @abstractmethod
    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Turn gains into coefficients, in the objective's own unit and sense."""

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64] | None:
        """Return a weight per task, shape (N,), where the value of serving is weight × gain.

        Solvers over the whole lattice of groups need this form, since they cannot list coefficients.
        None, the default, where the objective has another form or opening values.

        Parameters
        ----------
        tasks
            N names.
        """
        return None

    def describe(self) -> str:
        """Return the objective in words, for reports."""
        return type(self).__name__


@dataclass(frozen=True)
class TotalGain(Objective):
    """The sum over tasks of the gain in the group that serves them."""

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Use each gain as it is."""
        _require(gains, "gain", self)
        return Coefficients(gains.values)

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64]:
        """Weigh every task alike."""
        return np.ones(len(tasks))

    def describe(self) -> str:
        """Return the objective in words."""
        return "total gain"


@dataclass(frozen=True)
class TotalLoss(Objective):
    """The sum over tasks of the loss in the group that serves them; lower is better.

    The objective of Standley et al., ICML 2020.
    """

    sense: ClassVar[Sense] = "minimize"

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Use each loss as it is."""
        _require(gains, "loss", self)
        return Coefficients(gains.values)

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64]:
        """Weigh every task alike."""
        return np.ones(len(tasks))

    def describe(self) -> str:
        """Return the objective in words."""
        return "total loss"


@dataclass(frozen=True)
class WeightedGain(Objective):
    """The weighted sum over tasks of their gains.

    Attributes
    ----------
    weights
        One number per task name; tasks left out weigh 1.
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Mapping):
            raise UsageError(f"WeightedGain takes a mapping {{task: weight}}, not {self.weights!r}.")
        for name, weight in self.weights.items():
            if not is_number(weight):
                raise UsageError(f"The weight of task {name!r} must be a finite number, not {weight!r}.")

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Multiply each gain by the weight of its task."""
        _require(gains, "gain", self)
        for name in self.weights:
            if name not in gains.tasks:
                raise unknown_name("task", name, gains.tasks)
        weight = np.array([float(self.weights.get(name, 1.0)) for name in gains.tasks])
        return Coefficients(gains.values * weight[gains.members])

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64]:
        """Return the weight of each task."""
        return np.array([float(self.weights.get(name, 1.0)) for name in tasks])

    def describe(self) -> str:
        """Return the objective in words."""
        return "weighted gain"


@dataclass(frozen=True)
class WorstGain(Objective):
    """The gain of the task that fares worst: max-min fairness."""

    aggregate: ClassVar[Aggregate] = "min"

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Use each gain as it is."""
        _require(gains, "gain", self)
        return Coefficients(gains.values)

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64]:
        """Weigh every task alike."""
        return np.ones(len(tasks))

    def describe(self) -> str:
        """Return the objective in words."""
        return "worst gain"


@dataclass(frozen=True)
class LowerConfidenceGain(Objective):
    """The total of gain − κ·std, so that measured beats predicted.

    A measured value without a standard error counts as exact. A predicted one without a standard
    error gets that of a guess: the standard deviation of its task's values over the tensor.

    Attributes
    ----------
    kappa
        How many standard errors to subtract, 0 or more.
    """

    kappa: float = 1.0

    def __post_init__(self) -> None:
        if not (is_number(self.kappa) and self.kappa >= 0):
            raise UsageError(f"kappa must be 0 or more, and finite, not {self.kappa!r}.")

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Subtract κ standard errors from each gain."""
        _require(gains, "gain", self)
        std = np.full(len(gains.values), np.nan) if gains.std is None else gains.std.copy()
        unknown = np.isnan(std)
        measured = gains.measured[gains.entry_rows]
        std[unknown & measured] = 0.0
        if (unknown & ~measured).any():
            count = np.bincount(gains.members, minlength=gains.n_tasks)
            mean = np.bincount(gains.members, gains.values, gains.n_tasks) / np.maximum(count, 1)
            square = np.bincount(gains.members, (gains.values - mean[gains.members]) ** 2, gains.n_tasks)
            spread = np.sqrt(square / np.maximum(count, 1))
            std[unknown & ~measured] = spread[gains.members][unknown & ~measured]
        return Coefficients(gains.values - self.kappa * std)

    def describe(self) -> str:
        """Return the objective in words."""
        return f"lower-confidence gain (κ = {self.kappa:g})"


@dataclass(frozen=True)
class MembershipAverage(Objective):
    """The sum over chosen groups of the mean gain of their members: every membership counts.

    The objective of Wang, Pan and Yu (arXiv 2402.15328); use it with a fixed number of groups.
    """

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Give each group the mean gain of its members for being chosen, and nothing for serving."""
        _require(gains, "gain", self)
        mean = np.add.reduceat(gains.values, gains.indptr[:-1]) / gains.sizes
        return Coefficients(np.zeros(len(gains.values)), mean)

    def describe(self) -> str:
        """Return the objective in words."""
        return "membership average"


@dataclass(frozen=True)
class SetFunction(Objective):
    """A black-box value of a set of groups, for solvers that only evaluate.

    Attributes
    ----------
    function
        Called with the chosen groups, each a tuple of task names, in row order; returns a number,
        larger is better.
    name
        How reports call it.
    """

    function: Callable[[Sequence[tuple[str, ...]]], float]
    name: str = "set function"

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise UsageError(f"SetFunction takes a function of the chosen groups, not {self.function!r}.")

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Return the gains, which only decide who serves whom; the value comes from the function."""
        sign = 1.0 if gains.quantity == "gain" else -1.0
        return Coefficients(sign * gains.values)

    def describe(self) -> str:
        """Return the objective in words."""
        return self.name


def _require(gains: GainTensor, quantity: str, objective: Objective) -> None:
    if gains.quantity != quantity:
        other = "TotalLoss" if gains.quantity == "loss" else "TotalGain"
        held = {"gain": "gains", "loss": "losses"}[gains.quantity]
        raise UsageError(
            f"{type(objective).__name__} works on a {quantity} tensor, and this one holds "
            f"{held}. Use {other} or another objective for {held}."
        )


def default_objective(gains: GainTensor) -> Objective:
    """Return the total gain, or the total loss for a tensor of losses."""
    return TotalGain() if gains.quantity == "gain" else TotalLoss()
