"""Groups that no better grouping can hold, one after the other."""

from __future__ import annotations

import numpy as np

from solvers.tables.presolve.choice import make_kernels
from solvers.tables.presolve.interface import probe
from solvers.tables.presolve.searching import search_around
from solvers.tables.presolve.state import MOST_ITERATIONS, PresolveState

PROBED_GROUPS = 600
PROBE_ITERATIONS = 30
PROBE_PASSES = 4


def probe_groups(state: PresolveState) -> bool:
    """Drop groups that no better solution can hold; return whether that leaves none at all.

    Each group in turn is taken as chosen, and a few steps of the dual ascent decide whether
    anything better than the best known value can hold it.
    """
    enough = state.enough
    for _ in range(PROBE_PASSES):
        program = state.program
        if program.n_groups > PROBED_GROUPS:
            return False
        keep = np.ones(program.n_groups, dtype=bool)
        for group in range(program.n_groups):
            if state.control.should_stop():
                return False
            bound = probe(state.kernels, state.at, group, state.value, enough, PROBE_ITERATIONS)
            keep[group] = bound > enough
        if not keep.any() or (program.mandatory & ~keep).any():
            return True
        if keep.all():
            return False
        state.kernels = make_kernels(program.select(np.flatnonzero(keep)), state.compiled, state.control)
        ascent = state.kernels.ascend(state.at, state.value, enough, MOST_ITERATIONS)
        if ascent.bound <= enough:
            state.tighten(max(ascent.bound, state.value))
            return True
        state.at = ascent.at
        state.tighten(max(ascent.bound, state.value))
        search_around(state, ascent)
        enough = state.enough
        if not state.shrink(ascent):
            return True
        if keep.mean() > 0.8:
            return False
    return False
