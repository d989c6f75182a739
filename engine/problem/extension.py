"""Extra terms and demands written in Pyomo, each with an evaluation in plain Python to check it by.

The engine itself loads no Pyomo: only a solver that takes such problems calls the builders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnsupportedError, UsageError
from engine.gains.tensor import GainTensor
from engine.problem.constraint import Constraint, Grouping
from engine.problem.limits import Limits
from engine.problem.objectives import Coefficients, Objective, SetFunction


@dataclass(frozen=True, eq=False)
class Decisions:
    """What the variables of a solver's Pyomo model mean.

    Attributes
    ----------
    gains
        The gain tensor: ``gains.group(row)`` are the tasks of a group, ``gains.cost[row]`` its cost.
    chosen
        A binary variable per tensor row: 1 where the group is chosen. Rows that the demands rule out
        are missing.
    link
        Makes :attr:`serves`; called by it once, and only if it is used.
    """

    gains: GainTensor
    chosen: Mapping[int, Any]
    link: Callable[[], Mapping[tuple[int, str], Any]] = field(repr=False)

    @cached_property
    def serves(self) -> Mapping[tuple[int, str], Any]:
        """A variable per (tensor row, task): 1 where the group serves the task, else 0.

        A task is served by the chosen group where the objective without the extra terms values it
        most, ties falling to the first row, as everywhere in the engine; extra terms do not change
        that.
        """
        return self.link()


@dataclass(frozen=True)
class ExtendedObjective(Objective):
    """An objective plus a term of the whole grouping, in Pyomo for a solver and in Python for the referee.

    The two forms must agree on every grouping. The term must have a value for every grouping: what
    rules groupings out is a :class:`PyomoConstraint`.

    Attributes
    ----------
    base
        The objective the term is added to; any but a set function.
    build
        Called as ``build(block, decisions)`` with an empty Pyomo block, where it may add variables
        and linear constraints, and with :class:`Decisions`. Returns a linear expression in the unit
        of the base objective. Variables of its own must end at the term's value where the whole is
        as good as can be: the solver sets them in favour of the objective.
    value
        Called with a :class:`~engine.Grouping`; returns the same term as a number.
    name
        How reports call the term.

    Raises
    ------
    UsageError
        If a part is not what it must be.
    """

    base: Objective
    build: Callable[[Any, Decisions], Any] = field(repr=False)
    value: Callable[[Grouping], float] = field(repr=False)
    name: str = "an extra term"

    def __post_init__(self) -> None:
        if not isinstance(self.base, Objective) or isinstance(self.base, SetFunction):
            raise UsageError(
                "ExtendedObjective adds to an objective that is no set function, for instance "
                f"engine.TotalGain(), not to {self.base!r}."
            )
        for part in ("build", "value"):
            if not callable(getattr(self, part)):
                raise UsageError(f"ExtendedObjective needs a function as {part}.")
        # An instance has the sense and the aggregate of its base.
        object.__setattr__(self, "sense", self.base.sense)
        object.__setattr__(self, "aggregate", self.base.aggregate)

    def coefficients(self, gains: GainTensor) -> Coefficients:
        """Return those of the base; they also decide who serves whom."""
        return self.base.coefficients(gains)

    def task_weights(self, tasks: Sequence[str]) -> NDArray[np.float64] | None:
        """Refuse: the term needs a list of groups.

        Raises
        ------
        UnsupportedError
            Always.
        """
        raise UnsupportedError(
            f"The extra term ({self.name}) needs a list of groups, and a gain model has none: list some in a "
            "tensor with engine.tabulate(model, membership), and solve engine.Problem over that."
        )

    def extra(self, grouping: Grouping) -> float:
        """Return the terms of a grouping in plain Python, those of the base included.

        Parameters
        ----------
        grouping
            A grouping that serves every task.

        Raises
        ------
        UsageError
            If a term is no finite number.
        """
        inner = self.base.extra(grouping) if isinstance(self.base, ExtendedObjective) else 0.0
        given: object = self.value(grouping)
        try:
            term = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            term = math.nan
        if not math.isfinite(term):
            groups = ", ".join("|".join(sorted(group)) for group in grouping.groups)
            raise UsageError(
                f"The extra term ({self.name}) must be a finite number, but value() gave {given!r} for "
                f"{groups}."
            )
        return inner + term

    def describe(self) -> str:
        """Return the objective in words."""
        return f"{self.base.describe()} plus {self.name}"


@dataclass(frozen=True)
class PyomoConstraint(Constraint):
    """A demand on the whole grouping, in Pyomo for a solver and in Python for the referee.

    The two forms must agree on every grouping.

    Attributes
    ----------
    build
        Called as ``build(block, decisions)`` with an empty Pyomo block and :class:`Decisions`. Adds
        linear constraints to the block, or returns one or several linear relations, or both.
    broken
        Called with a :class:`~engine.Grouping`; returns in words how it breaks the demand, or None.
        Compare with a tolerance: the solver's is about 1e-9.
    name
        How reports call the demand, for instance ``"at most 16 GB of memory"``.

    Raises
    ------
    UsageError
        If a part is not what it must be.
    """

    build: Callable[[Any, Decisions], Any] = field(repr=False)
    broken: Callable[[Grouping], str | None] = field(repr=False)
    name: str

    def __post_init__(self) -> None:
        for part in ("build", "broken"):
            if not callable(getattr(self, part)):
                raise UsageError(f"PyomoConstraint needs a function as {part}.")

    def restrict(self, limits: Limits) -> None:
        """Narrow nothing: only a solver that calls :attr:`build` can take this into account."""

    def violation(self, grouping: Grouping) -> str | None:
        """Ask :attr:`broken`."""
        return self.broken(grouping)

    def describe(self) -> str:
        """Return the demand in words."""
        return self.name


def extra_terms(objective: Objective) -> tuple[ExtendedObjective, ...]:
    """Return the objectives that each add one term, the innermost first."""
    if not isinstance(objective, ExtendedObjective):
        return ()
    return (*extra_terms(objective.base), objective)


def is_extended(objective: Objective, constraints: Iterable[Constraint]) -> bool:
    """Whether a problem holds extra terms or demands that the integer program does not tell."""
    return isinstance(objective, ExtendedObjective) or any(
        isinstance(one, PyomoConstraint) for one in constraints
    )
