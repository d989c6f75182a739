"""What the presolve and the tree search compute with, in NumPy or in machine code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_PRICE = 1e4
"""The cost multiplier times the cost limit exceeds the multipliers of tasks at most so often."""


@dataclass(frozen=True)
class Multipliers:
    """Lagrange multipliers: ``u`` per task, ``mu`` per task (membership limit), ``lam`` (cost limit)."""

    u: Floats
    mu: Floats
    lam: float = 0.0


@dataclass(frozen=True)
class Ascent:
    """The best bound found, its multipliers, the reduced values under them.

    ``frequency`` tells how often each group was chosen on the way, recent iterations weighing more.
    """

    bound: float
    at: Multipliers
    values: Floats
    frequency: Floats


@dataclass(frozen=True)
class Fixing:
    """Groups to keep, groups that every better solution holds, entries that may still serve."""

    keep: NDArray[np.bool_]
    forced: NDArray[np.bool_]
    entries: NDArray[np.bool_]


class Kernels(Protocol):
    """The computations of the presolve on one program."""

    @property
    def program(self) -> Program:
        """The program."""
        ...

    @property
    def state(self) -> NDArray[np.int8]:
        """Shape (K,): 1 for forced groups, 0 for free ones, −1 for dropped ones; may be written to."""
        ...

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound from given multipliers, until it is at most ``enough``."""
        ...

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Fix what cannot differ in any solution above ``enough``; None if there is no such solution."""
        ...

    def improve(self, chosen: Ints, allowed: NDArray[np.bool_], floor: Floats, steps: int) -> Ints:
        """Local search by add, drop and swap among the allowed groups; not for partitions."""
        ...

    def pack(self, order: Ints) -> Ints:
        """Choose disjoint groups greedily in a given order."""
        ...


class NodeKernels(Kernels, Protocol):
    """What a tree search computes with besides, at nodes that differ in :attr:`state`."""

    def settle(self, penalty: Floats) -> bool:
        """Drop what the forced groups exclude, in ``state``; return False on a contradiction.

        Parameters
        ----------
        penalty
            Shape (N,): price of leaving a task unserved, infinite where it must be served.
        """
        ...

    def worth(self, chosen: Ints, penalty: Floats) -> float:
        """Return the value of a choice less the penalties, −inf where a task must be served and is not."""
        ...


def probe(
    kernels: Kernels, at: Multipliers, group: int, target: float, enough: float, iterations: int
) -> float:
    """Return a bound on the solutions that hold a group; the rest as for :meth:`Kernels.ascend`."""
    before = kernels.state[group]
    kernels.state[group] = 1
    bound = kernels.ascend(at, target, enough, iterations).bound
    kernels.state[group] = before
    return bound


def uncovered_worth(program: Program) -> Floats:
    """Return a finite worth of leaving each task unserved, lower than anything serving can cost."""
    worst = 4.0 * (program.n_tasks * program.largest + float(np.abs(program.open).sum()))
    return np.full(program.n_tasks, -worst)
