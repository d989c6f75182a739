"""A problem: gains, an objective and constraints. Declarative; nothing is solved here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError
from engine.gains.tensor import GainTensor, Quantity
from engine.problem.constraint import Constraint
from engine.problem.constraints import Budget
from engine.problem.extension import ExtendedObjective, is_extended
from engine.problem.kinds import PROGRAM_FEATURES, Feature, Kind
from engine.problem.objectives import (
    Coefficients,
    Objective,
    SetFunction,
    default_objective,
)
from engine.problem.parts import check_parts
from engine.problem.program import Program, compile_program

NamedGroup = tuple[tuple[str, ...], float | None]
"""A group by the names of its members, with its cost where that is known."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What to solve.

    Attributes
    ----------
    gains
        The gains the solver sees.
    objective
        By default the total gain, or the total loss for a tensor of losses.
    constraints
        Any number of demands.

    Raises
    ------
    DataError
        If no group of the tensor covers some task.
    UsageError
        If the parts do not fit together.
    """

    gains: GainTensor
    objective: Objective = cast("Objective", None)  # noqa: RUF009
    constraints: Sequence[Constraint] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.gains, GainTensor):
            raise UsageError(f"gains must be a GainTensor, not {type(self.gains).__name__}.")
        if self.objective is None:
            object.__setattr__(self, "objective", default_objective(self.gains))
        object.__setattr__(self, "constraints", check_parts(self.objective, self.constraints))
        for constraint in self.constraints:
            for name in constraint.mentioned():
                self.gains.task_index(name)
        if self.gains.uncovered:
            raise DataError(
                f"No group covers task {self.gains.uncovered[0]!r}: add a group that holds it, "
                "its single-task group for instance."
            )

    @cached_property
    def coefficients(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The objective's ``serve`` per entry, shape (E,), and ``open``, shape (M,), in its own sense."""
        given: object = self.objective.coefficients(self.gains)
        if isinstance(given, np.ndarray):
            given = Coefficients(given)
        if not isinstance(given, Coefficients):
            raise UsageError(
                f"coefficients() of {type(self.objective).__name__} returned {type(given).__name__}; "
                "return engine.Coefficients(serve, open)."
            )
        return given.entries(self.gains)

    @cached_property
    def _without_budget(self) -> Program:
        others = [one for one in self.constraints if not isinstance(one, Budget)]
        return compile_program(self.gains, self.objective, self.coefficients, others)

    @cached_property
    def program(self) -> Program:
        """The integer program."""
        program = self._without_budget
        return program if self.budget is None else program.with_max_cost(self.budget)

    @cached_property
    def features(self) -> frozenset[Feature]:
        """What a solver must support to solve this problem."""
        if isinstance(self.objective, SetFunction):
            found = {Feature.SET_FUNCTION}
        else:
            found = {Feature.WORST if self.program.aggregate == "min" else Feature.SUM}
        if is_extended(self.objective, self.constraints):
            found.add(Feature.EXTENSION)
        program = self.program
        if program.open.any():
            found.add(Feature.OPENING)
        if np.isfinite(program.max_cost):
            found.add(Feature.COST)
        if program.min_groups > 0:
            found.add(Feature.MIN_GROUPS)
        if program.mandatory.any():
            found.add(Feature.MANDATORY)
        if program.max_memberships is not None:
            found.add(Feature.PARTITION if program.is_partition else Feature.MEMBERSHIPS)
        return frozenset(found)

    @property
    def is_evaluated(self) -> bool:
        """Whether groupings are valued or judged as a whole, by more than the program tells."""
        return not self.features <= PROGRAM_FEATURES

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the N tasks."""
        return self.gains.tasks

    @property
    def kind(self) -> Kind:
        """A table of groups."""
        return Kind.TABLE

    @property
    def source(self) -> str:
        """Where the gains come from."""
        return self.gains.source

    @property
    def quantity(self) -> Quantity:
        """What the gains are: ``"gain"`` or ``"loss"``."""
        return self.gains.quantity

    @property
    def sign(self) -> float:
        """1 where the objective maximises, −1 where it minimises."""
        return self.program.sign

    @property
    def scale(self) -> float:
        """The magnitude of what a good solution holds, which tolerances refer to; above 0."""
        return self.program.scale

    def reasons(self) -> tuple[str, ...]:
        """Return why the demands are contradictory on their face, in words; empty if they are not."""
        return self.program.reasons()

    def trivial_bound(self) -> float:
        """Return an upper bound in program form at no cost."""
        if isinstance(self.objective, (SetFunction, ExtendedObjective)):
            return np.inf
        return self.program.trivial_bound()

    def table_of(self, choice: NDArray[np.int64]) -> tuple[Problem, NDArray[np.int64]]:
        """Return the problem that a choice of rows refers to, this one, and these rows."""
        return self, choice

    def locate(self, groups: Iterable[NamedGroup]) -> NDArray[np.int64]:
        """Return the tensor rows of some groups; those that the tensor lacks are left out.

        Parameters
        ----------
        groups
            Members, and the cost where it is known: of several rows the one at this cost, else the one that
            stands for the group.
        """
        rows: list[int] = []
        for names, cost in groups:
            held = self.gains.find(names)
            same = [row for row in held if cost is None or self.gains.cost[row] == cost]
            rows.extend((same or list(held))[:1])
        return np.array(rows, dtype=np.int64)

    def gains_record(self) -> dict[str, Any]:
        """Return what a solution tells about the gains it was solved on."""
        gains = self.gains
        return {
            "source": gains.source,
            "split": gains.split,
            "provenance": gains.provenance.to_dict(),
            "groups": gains.n_groups,
            "measured_groups": int(gains.measured.sum()),
            "sha256": gains.digest,
            "sha256_covers": "gains",
        }

    @property
    def budget(self) -> float | None:
        """The limit of the tightest :class:`~engine.Budget`, None where there is none."""
        limits = [constraint.limit for constraint in self.constraints if isinstance(constraint, Budget)]
        return min(limits) if limits else None

    def with_budget(self, limit: float) -> Problem:
        """Return this problem with its budget replaced; what is compiled already is shared."""
        others = tuple(one for one in self.constraints if not isinstance(one, Budget))
        problem = replace(self, constraints=(*others, Budget(limit)))
        for name in ("coefficients", "_objective_digest", "_without_budget"):
            problem.__dict__[name] = getattr(self, name)
        return problem

    def describe(self) -> str:
        """Return the problem in words."""
        demands = "; ".join(constraint.describe() for constraint in self.constraints)
        return f"{self.objective.sense} {self.objective.describe()}" + (
            f" subject to {demands}" if demands else ""
        )

    @property
    def digest_covers(self) -> str:
        """Which parts of the problem :attr:`digest` covers."""
        parts = "gains, coefficients of the objective and demands"
        by_name = isinstance(self.objective, SetFunction) or is_extended(self.objective, self.constraints)
        return f"{parts}; functions by name only" if by_name else parts

    @cached_property
    def digest(self) -> str:
        """SHA-256 over gains, objective and constraints."""
        words = (self.gains.digest, self._objective_digest, self.objective.describe())
        demands = map(repr, self.constraints)
        return hashlib.sha256("\x1f".join((*words, *demands)).encode()).hexdigest()

    @cached_property
    def _objective_digest(self) -> str:
        serve, opening = self.coefficients
        hashed = hashlib.sha256(f"{self.objective.sense} {self.objective.aggregate}".encode())
        for array in (serve, opening):
            hashed.update(np.ascontiguousarray(array).view(np.uint8).data)
        return hashed.hexdigest()
