"""The shared presolve: a good solution, a bound, and the core that can still hold a better one.

Lagrangian relaxation of "each task is served once" with Polyak steps towards the best known value,
greedy and swap local search, and reduced-cost fixing of groups and of (group, task) pairs, in turn
until the gap is closed or the bound stands still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.annealing_rounds import anneal_in_rounds
from solvers.tables.presolve.choice import compiling_pays
from solvers.tables.presolve.dominance import undominated
from solvers.tables.presolve.interface import Multipliers
from solvers.tables.presolve.probing import probe_groups
from solvers.tables.presolve.searching import search_around, search_widely, shake
from solvers.tables.presolve.state import MEMORY, MOST_ITERATIONS, Ints, PresolveState

ROUNDS = 12
FIRST_ITERATIONS = 8


@dataclass(frozen=True)
class Presolved:
    """What the presolve found.

    Attributes
    ----------
    core
        The program that remains: it holds the best known grouping and every better one.
    forced
        Shape (groups of the core,): groups that every better grouping holds.
    chosen
        Core indices of the best known grouping, None where none was found.
    value, bound
        Its value, −inf without one, and the proven upper bound on the whole program.
    multipliers
        Those of the bound.
    closed
        Whether the bound proves that nothing is better than ``value``.
    """

    core: Program
    forced: NDArray[np.bool_]
    chosen: Ints | None
    value: float
    bound: float
    multipliers: Multipliers
    closed: bool

    @property
    def rows(self) -> Ints | None:
        """Tensor rows of the best known grouping, None where none was found."""
        return None if self.chosen is None else self.core.rows[self.chosen]


def presolve(
    program: Program,
    control: Control,
    *,
    compiled: bool | None = None,
    start: Sequence[int] | Ints | None = None,
    thorough: bool = True,
    polishing: bool = False,
) -> Presolved:
    """Reduce a sum program to its core.

    Parameters
    ----------
    program
        With aggregate ``"sum"``.
    control
        Gives the time, the warm start and what earlier budgets left; told about value and bound.
    compiled
        Use machine code; by default for large programs only, so that small ones need no compiler.
    start
        Candidate indices of a feasible grouping, where one is known.
    thorough
        Whether to go on where the gap stays: random restarts of the local search, a test of each of
        the last few hundred groups, dominance. A tree search does the same as it goes.
    polishing
        Whether a better grouping is all that is wanted, for little work: no test of each group, and few
        rounds of annealing.
    """
    if compiled is None:
        compiled = compiling_pays(program)
    return _reduced(PresolveState(program, control, compiled, start), thorough, polishing)


def _reduced(state: PresolveState, thorough: bool, polishing: bool) -> Presolved:
    """Go on until the gap is closed or the bound stands still."""
    control, steps = state.control, FIRST_ITERATIONS
    warm = control.memory.get(MEMORY) is not None
    if not warm or state.whole.is_partition:
        search_widely(state)
    closed, shaken, gap = state.is_closed(), False, np.inf
    for _ in range(ROUNDS):
        if closed or control.should_stop():
            break
        known = np.isfinite(state.value)
        target = state.value if known else _guess(state)
        enough = state.enough if known else -np.inf
        ascent = state.ascend(target, enough, steps if known else 1)
        if known and control.should_stop():
            closed = state.is_closed()
            break
        search_around(state, ascent)
        if not np.isfinite(state.value):
            if not known and warm:
                warm = False
                search_widely(state)
                continue
            break
        closed = state.is_closed() or not state.shrink(ascent)
        gap, before = ascent.bound - state.value, gap
        if closed or not known or gap < 0.98 * before:
            steps = min(2 * steps, MOST_ITERATIONS)
        elif steps < MOST_ITERATIONS:
            steps = MOST_ITERATIONS
        elif thorough and not shaken and not state.program.is_partition:
            shaken = True
            shake(state)
        else:
            break
    if not closed and state.compiled:
        closed = anneal_in_rounds(state, polishing)
    if not closed and np.isfinite(state.value) and thorough and not polishing:
        closed = probe_groups(state)
    control.memory[MEMORY] = (state.at, state.rows)
    return _result(state, closed, thorough)


def _guess(state: PresolveState) -> float:
    return state.bound - 0.1 * (abs(state.bound) + state.whole.scale) if np.isfinite(state.bound) else 0.0


def _result(state: PresolveState, closed: bool, thorough: bool) -> Presolved:
    whole, known = state.whole, state.rows
    if known is None:
        return Presolved(
            whole,
            whole.mandatory,
            None,
            -np.inf,
            state.control.bound,
            state.at,
            closed=False,
        )
    core, forced = _closed_core(state, known) if closed else _open_core(state, known, thorough)
    bound = max(state.certified(state.bound), state.value)
    if closed:
        bound = state.value if whole.grid else state.enough
        state.control.tighten(bound)
    chosen = np.searchsorted(core.rows, known)
    return Presolved(core, forced, chosen, state.value, bound, state.at, closed)


def _closed_core(state: PresolveState, known: Ints) -> tuple[Program, NDArray[np.bool_]]:
    """Return the program of the best known grouping alone."""
    core = state.whole.select(np.searchsorted(state.whole.rows, known))
    return core, core.mandatory


def _open_core(state: PresolveState, known: Ints, thorough: bool) -> tuple[Program, NDArray[np.bool_]]:
    """Return the surviving groups and entries, those of the best known grouping included."""
    whole, left = state.whole, state.program
    core = whole
    if left is not whole:
        at = np.searchsorted(whole.rows, np.union1d(known, left.rows))
        core = whole.select(at)
        alive = left.rows[left.entry_groups] * whole.n_tasks + left.members
        cells = core.rows[core.entry_groups] * whole.n_tasks + core.members
        held = np.isin(core.rows, known)[core.entry_groups]
        core = core.select(np.arange(core.n_groups), held | np.isin(cells, alive))
    if thorough:
        stay = undominated(core) | np.isin(core.rows, known)
        core = core.select(np.flatnonzero(stay))
    return core, np.isin(core.rows, left.rows[left.mandatory])
