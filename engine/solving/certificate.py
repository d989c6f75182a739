"""What is claimed of a grouping, and what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What we hold."""

    OPTIMAL = "OPTIMAL"
    """A checked grouping, proven optimal."""
    FEASIBLE = "FEASIBLE"
    """A checked grouping, not proven optimal."""
    INFEASIBLE = "INFEASIBLE"
    """A proof that no grouping meets the demands."""
    NONE = "NONE"
    """Neither a grouping nor a proof."""
    ERROR = "ERROR"
    """A solver's claim that the independent check refuted."""


class Termination(StrEnum):
    """Why the solver stopped."""

    COMPLETED = "COMPLETED"
    """It did all that its method does; an exact one has proven what it returns."""
    TIME_LIMIT = "TIME_LIMIT"
    """The time was up, or too little was left for the next step."""
    NODE_LIMIT = "NODE_LIMIT"
    """A limit on the solver's own work was reached, the nodes of its search for instance."""
    STOP_RULE = "STOP_RULE"
    """A stop rule fired."""
    INTERRUPTED = "INTERRUPTED"
    """The user interrupted."""
    TOLERANCE = "TOLERANCE"
    """An exact solver came to its end, but its arithmetic cannot tell value and bound apart any further."""
    NO_BOUND = "NO_BOUND"
    """An exact solver came to its end where it knows no way to bound the groups it did not look at."""
    UNKNOWN = "UNKNOWN"
    """An exact solver ended without a proof and does not say why."""


@dataclass(frozen=True)
class Certificate:
    """What is claimed and what was checked.

    Attributes
    ----------
    value
        The objective, recomputed by the referee; None without a grouping.
    bound
        A proven limit on the objective of any grouping; None if nothing is proven.
    status, termination
        What we hold and why the solver stopped.
    verified
        Whether the independent check passed.
    problems
        What the check found wrong.
    solver, seed, threads, presolve, options
        How it was solved.
    seconds
        Wall time by stage, ``total`` included.
    versions
        Versions of the engine and the libraries involved.
    digest, digest_covers
        SHA-256 of the problem, and which parts of it that covers: two problems that differ in another part
        only have the same.
    """

    value: float | None
    bound: float | None
    status: Status
    termination: Termination
    verified: bool
    solver: str
    problems: tuple[str, ...] = ()
    seed: int = 0
    threads: int = 1
    presolve: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    digest_covers: str = ""

    @property
    def absolute_gap(self) -> float | None:
        """Distance of value and bound, never negative; None where either is unknown."""
        if self.value is None or self.bound is None:
            return None
        return abs(self.bound - self.value)

    @property
    def gap(self) -> float | None:
        """The absolute gap relative to the larger magnitude of value and bound (fraction)."""
        if self.value is None or self.bound is None:
            return None
        distance = abs(self.bound - self.value)
        return 0.0 if distance == 0 else distance / max(abs(self.value), abs(self.bound))
