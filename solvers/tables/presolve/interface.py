"""What the presolve computes with: one interface, a NumPy and a compiled implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control

# Polyak steps, tuned on the measured and the HOA gains of mimic27: the first factor of the step, how
# much of the last direction is kept, and when and how far the factor falls.
FIRST_STEP = 1.3
MOMENTUM = 0.6
PATIENCE = 5
STEP_DECAY = 0.65
LEAST_STEP = 1e-3

LARGEST_PRICE = 1e4
"""The cost multiplier times the cost limit exceeds the multipliers of tasks at most so often."""

COMPILED_ENTRIES = 400_000
"""From so many member entries on, compiling pays for a single solve."""


@dataclass(frozen=True)
class Multipliers:
    """Lagrange multipliers: ``u`` per task, ``mu`` per task (membership limit), ``lam`` (cost limit)."""

    u: NDArray[np.float64]
    mu: NDArray[np.float64]
    lam: float = 0.0


@dataclass(frozen=True)
class Ascent:
    """The best bound found, its multipliers, the reduced values under them.

    ``frequency`` tells how often each group was chosen on the way, recent iterations weighing more.
    """

    bound: float
    at: Multipliers
    values: NDArray[np.float64]
    frequency: NDArray[np.float64]


@dataclass(frozen=True)
class Fixing:
    """Groups to keep, groups that every better solution holds, entries that may still serve."""

    keep: NDArray[np.bool_]
    forced: NDArray[np.bool_]
    entries: NDArray[np.bool_]


class Kernels(Protocol):
    """The computations of the presolve on one program."""

    program: Program

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound from given multipliers, until it is at most ``enough``."""
        ...

    def probe(self, at: Multipliers, group: int, target: float, enough: float, iterations: int) -> float:
        """Return a bound on the solutions that hold a group."""
        ...

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Fix what cannot differ in any solution above ``enough``; None if there is no such solution."""
        ...

    def improve(
        self,
        chosen: NDArray[np.int64],
        allowed: NDArray[np.bool_],
        floor: NDArray[np.float64],
        steps: int,
    ) -> NDArray[np.int64]:
        """Local search by add, drop and swap among the allowed groups; not for partitions."""
        ...

    def pack(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Choose disjoint groups greedily in a given order."""
        ...


def uncovered_worth(program: Program) -> NDArray[np.float64]:
    """Return a finite worth of leaving each task unserved, lower than anything serving can cost."""
    worst = 4.0 * (program.n_tasks * program.largest + float(np.abs(program.open).sum()))
    return np.full(program.n_tasks, -worst)


def compiling_pays(program: Program) -> bool:
    """Whether a program is so large that a single solve is worth a compilation."""
    return len(program.members) >= COMPILED_ENTRIES


def make_kernels(program: Program, compiled: bool, control: Control) -> Kernels:
    """Return the kernels for a program.

    Parameters
    ----------
    program
        What to work on.
    compiled
        Whether to use machine code, which is compiled on the first use on a machine.
    control
        Ends what takes long, and gives the threads.
    """
    if compiled:
        from solvers.tables.presolve.adapter import CompiledKernels
        from solvers.tables.presolve.pricing import PRICED_ENTRIES, PricedKernels

        if len(program.members) >= PRICED_ENTRIES:
            return PricedKernels(program, control)
        return CompiledKernels(program)
    from solvers.tables.presolve.dense import DenseKernels

    return DenseKernels(program, control)
