"""The parts of a problem, checked together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from engine.errors import UsageError
from engine.problem.constraint import Constraint
from engine.problem.objectives import Aggregate, Objective, Sense


def check_parts(objective: object, constraints: object) -> tuple[Constraint, ...]:
    """Return the constraints of a problem, checked together with its objective.

    Raises
    ------
    UsageError
        If either is not what it must be.
    """
    if not isinstance(objective, Objective):
        raise UsageError(
            f"objective must be an instance of Objective, not {objective!r}; a class needs parentheses."
        )
    if objective.sense not in get_args(Sense) or objective.aggregate not in get_args(Aggregate):
        raise UsageError(
            f"{type(objective).__name__} has sense {objective.sense!r} and aggregate "
            f"{objective.aggregate!r}; they must be 'maximize' or 'minimize', and 'sum' or 'min'."
        )
    if isinstance(constraints, Constraint) or not isinstance(constraints, Iterable):
        raise UsageError(f"constraints must be a list: write constraints=[…], not {constraints!r}.")
    given = tuple(constraints)
    for constraint in given:
        if not isinstance(constraint, Constraint):
            raise UsageError(
                f"constraints must hold Constraint objects, not {constraint!r}; a class needs parentheses."
            )
    return given
