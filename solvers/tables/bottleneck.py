"""Max-min objectives for exact solvers: bisection on the level with a proof of cover at each step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.certificate import Termination
from engine.solving.claim import Claim
from engine.solving.control import Control
from solvers.tables.cover import Cover, CoverProver
from solvers.tables.presolve import presolve

Ints = NDArray[np.int64]


def at_level(program: Program, level: float) -> Program:
    """Return the program in which only entries of at least ``level`` may serve, all alike."""
    groups, fine = _reaching(program, level)
    plain = replace(
        program,
        serve=np.where(fine, 0.0, -np.inf),
        open=np.zeros(program.n_groups),
        aggregate="sum",
        grid=1.0,
        scale=1.0,
        largest=1.0,
    )
    return plain.select(groups, fine)


def _reaching(program: Program, level: float) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the groups and the entries that may be used at a level."""
    fine = program.serve >= level
    allowed = np.ones(program.n_groups, dtype=bool)
    if program.is_partition:
        allowed = np.bincount(program.entry_groups, ~fine, program.n_groups) == 0
    return np.flatnonzero(allowed), fine


def solve_worst(program: Program, control: Control, prove_cover: CoverProver) -> Claim:
    """Maximise the least served value.

    Parameters
    ----------
    program
        With aggregate ``"min"`` and no opening values.
    control
        Gives the time; told about each better level and bound.
    prove_cover
        Decides the covering problem of one level.

    Returns
    -------
    Claim
        Of all groupings at the best level, one whose total value a local search has raised.
    """
    if np.isinf(program.best_values).any():
        return Claim(None, infeasible=True)
    levels = np.unique(program.serve[np.isfinite(program.serve)])
    low, high = 0, int(np.searchsorted(levels, program.best_values.min(), side="right")) - 1
    control.tighten(float(levels[high]))
    chosen: Ints | None = None
    steps = 0
    middle = low
    forced = program.rows[program.mandatory]
    while low <= high:
        if control.should_stop():
            break
        level_program = at_level(program, float(levels[middle]))
        # A partition cannot hold a mandatory group that is below the level anywhere.
        reachable = np.isin(forced, level_program.rows).all()
        cover = prove_cover(level_program, control) if reachable else Cover(None)
        steps += 1
        if not cover.decided:
            break
        if cover.groups is None:
            if chosen is None and middle == 0:
                return Claim(None, infeasible=True, details={"levels_tried": steps})
            high = middle - 1
            if high >= 0:
                control.tighten(float(levels[high]))
        else:
            chosen = np.searchsorted(program.rows, level_program.rows[cover.groups])
            reached = program.value(chosen)
            control.incumbent(program.rows[chosen], reached)
            low = max(middle, int(np.searchsorted(levels, reached))) + 1
        middle = (low + high + 1) // 2
    if chosen is not None and low > high:
        value = program.value(chosen)
        control.tighten(value)
        chosen = _with_larger_total(program, value, chosen, control)
        return Claim(program.rows[chosen], bound=value, details={"levels_tried": steps})
    # A cover is left undecided only where too little time is left for it.
    return control.claim(Termination.TIME_LIMIT, {"levels_tried": steps})


def _with_larger_total(program: Program, level: float, chosen: Ints, control: Control) -> Ints:
    """Return a choice no worse for the worst task and better in total, as far as presolve finds one."""
    kept, fine = _reaching(program, level)
    floored = replace(program, aggregate="sum").select(kept, fine)
    start = np.searchsorted(kept, chosen)
    found = presolve(floored, control.quiet(), start=start, polishing=True)
    return chosen if found.rows is None else np.searchsorted(program.rows, found.rows)
