"""The compiled kernels behind the interface of the presolve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.loading import loading
from solvers.tables.entries import groups_of
from solvers.tables.presolve.interface import Ascent, Fixing, Floats, Ints, Multipliers, uncovered_worth
from solvers.tables.presolve.prices import dual_of, multipliers_of, prices_of


class CompiledKernels:
    """Kernels in machine code, on the sparse program.

    Parameters
    ----------
    program
        What to work on.
    control
        Told of compiling, which its time limit does not count.
    """

    def __init__(self, program: Program, control: Control) -> None:
        self.program = program
        self._control = control
        self.state = program.mandatory.astype(np.int8)
        self.floor = uncovered_worth(program)
        self.groups = groups_of(program)
        self.dual = dual_of(program)
        with loading(control):
            from solvers.kernels import relaxation
        self._relaxation = relaxation

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound; see :func:`solvers.kernels.relaxation.ascend`."""
        prices = prices_of(at)
        values, frequency = np.empty(self.program.n_groups), np.empty(self.program.n_groups)
        bound = self._relaxation.ascend(
            self.groups, self.dual, self.state, prices, target, enough, iterations, values, frequency
        )
        return Ascent(bound, multipliers_of(prices), values, frequency)

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Fix groups and entries; see :func:`solvers.kernels.relaxation.fix`."""
        state = self.state.copy()
        entries = np.ones(len(self.program.members), dtype=np.bool_)
        fixed = self._relaxation.fix(
            self.groups, state, prices_of(ascent.at), ascent.bound, enough, ascent.values, entries
        )
        return None if fixed < 0 else Fixing(state >= 0, state > 0, entries)

    def improve(self, chosen: Ints, allowed: NDArray[np.bool_], floor: Floats, steps: int) -> Ints:
        """Search locally; see :func:`solvers.kernels.moves.improve`."""
        with loading(self._control):
            from solvers.kernels.moves import improve
        state = np.where(allowed | (self.state > 0), self.state, np.int8(-1))
        held = np.concatenate([np.flatnonzero(state > 0), chosen[state[chosen] <= 0]])
        state[held] = np.maximum(state[held], 0)
        buffer = np.empty(max(len(held), self.program.max_groups) + 1, dtype=np.int64)
        buffer[: len(held)] = held
        return buffer[: improve(self.groups, state, floor, buffer, len(held), steps)]

    def pack(self, order: Ints) -> Ints:
        """Pack disjoint groups; see :func:`solvers.kernels.packing.pack`."""
        with loading(self._control):
            from solvers.kernels.packing import pack
        buffer = np.empty(self.program.n_groups + 1, dtype=np.int64)
        return buffer[: pack(self.groups, self.state, order, self.program.n_tasks, buffer)]

    def settle(self, penalty: Floats) -> bool:
        """Drop what is excluded; see :func:`solvers.kernels.settling.settle`."""
        with loading(self._control):
            from solvers.kernels.settling import settle
        return bool(settle(self.groups, self.state, penalty))

    def worth(self, chosen: Ints, penalty: Floats) -> float:
        """Value a choice; see :func:`solvers.kernels.settling.worth`."""
        with loading(self._control):
            from solvers.kernels.settling import worth
        return worth(self.groups, penalty, chosen, len(chosen))
