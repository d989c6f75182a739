"""The compiled kernels behind the interface of the presolve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from solvers.kernels import moves, relaxation
from solvers.tables.presolve.interface import Ascent, Fixing, Multipliers, uncovered_worth


class CompiledKernels:
    """Kernels in machine code, on the sparse program.

    Parameters
    ----------
    program
        What to work on.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.state = program.mandatory.astype(np.int8)
        self.limits = np.array([program.max_groups, program.min_groups, program.max_memberships or 0])
        self.floor = uncovered_worth(program)

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound; see :func:`solvers.kernels.relaxation.ascend`."""
        program = self.program
        u, mu, lam = at.u.copy(), at.mu.copy(), np.array([at.lam])
        values, frequency = np.empty(program.n_groups), np.empty(program.n_groups)
        bound, _ = relaxation.ascend(
            program.indptr,
            program.members,
            program.serve,
            program.open,
            program.cost,
            self.state,
            self.floor,
            self.limits,
            program.max_cost,
            program.is_partition,
            u,
            mu,
            lam,
            target,
            enough,
            iterations,
            values,
            frequency,
        )
        return Ascent(bound, Multipliers(u, mu, float(lam[0])), values, frequency)

    def probe(self, at: Multipliers, group: int, target: float, enough: float, iterations: int) -> float:
        """Bound the solutions that hold a group."""
        before = self.state[group]
        self.state[group] = 1
        bound = self.ascend(at, target, enough, iterations).bound
        self.state[group] = before
        return bound

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Fix groups and entries; see :func:`solvers.kernels.relaxation.fix`."""
        program = self.program
        state = self.state.copy()
        entries = np.ones(len(program.members), dtype=np.bool_)
        fixed = relaxation.fix(
            program.indptr,
            program.members,
            program.serve,
            state,
            self.limits,
            program.is_partition,
            ascent.at.u,
            ascent.bound,
            enough,
            ascent.values,
            entries,
        )
        return None if fixed < 0 else Fixing(state >= 0, state > 0, entries)

    def improve(
        self,
        chosen: NDArray[np.int64],
        allowed: NDArray[np.bool_],
        floor: NDArray[np.float64],
        steps: int,
    ) -> NDArray[np.int64]:
        """Search locally; see :func:`solvers.kernels.moves.improve`."""
        program = self.program
        state = np.where(program.mandatory, 1, np.where(allowed, 0, -1)).astype(np.int8)
        held = np.concatenate([np.flatnonzero(program.mandatory), chosen[~program.mandatory[chosen]]])
        state[held] = np.maximum(state[held], 0)
        buffer = np.empty(max(len(held), program.max_groups) + 1, dtype=np.int64)
        buffer[: len(held)] = held
        count = moves.improve(
            program.indptr,
            program.members,
            program.serve,
            program.open,
            program.cost,
            state,
            floor,
            self.limits,
            program.max_cost,
            buffer,
            len(held),
            steps,
        )
        return buffer[:count]

    def pack(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pack disjoint groups; see :func:`solvers.kernels.moves.pack`."""
        program = self.program
        buffer = np.empty(program.n_groups + 1, dtype=np.int64)
        count = moves.pack(
            program.indptr,
            program.members,
            program.cost,
            self.state,
            order,
            self.limits,
            program.max_cost,
            program.n_tasks,
            buffer,
        )
        return buffer[:count]
