"""Which implementation the presolve and the tree search compute with."""

from __future__ import annotations

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.dense import DenseKernels
from solvers.tables.presolve.interface import Kernels

COMPILED_ENTRIES = 400_000
"""From so many member entries on, compiling pays for a single solve."""

PRICED_ENTRIES = 1_000_000
"""From so many member entries on, dual steps are taken on candidates."""


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
    if not compiled:
        return DenseKernels(program, control)
    from solvers.tables.presolve.adapter import CompiledKernels
    from solvers.tables.presolve.pricing import PricedKernels

    if len(program.members) >= PRICED_ENTRIES:
        return PricedKernels(program, control)
    return CompiledKernels(program, control)
