"""Searches for better groupings while a program is reduced."""

from __future__ import annotations

import numpy as np

from solvers.tables.presolve.interface import Ascent
from solvers.tables.presolve.state import MEMORY, PresolveState

CANDIDATES = 96
SHAKES = 40
LOCAL_SEARCH_STEPS = 400


def search_widely(state: PresolveState) -> None:
    """Greedy and swap over every candidate; for partitions, pack by value per member."""
    program = state.program
    if program.is_partition:
        totals = np.bincount(program.entry_groups, program.serve, program.n_groups) + program.open
        sizes = np.maximum(np.diff(program.indptr), 1)
        for merit in (totals / sizes, totals, sizes.astype(float)):
            state.offer(state.kernels.pack(np.argsort(-merit, kind="stable")))
        return
    everything = np.ones(program.n_groups, dtype=bool)
    none = np.zeros(0, dtype=np.int64)
    state.offer(state.kernels.improve(none, everything, state.floor, LOCAL_SEARCH_STEPS))


def search_around(state: PresolveState, ascent: Ascent) -> None:
    """Local search among the groups that the relaxation favours, from what it chose."""
    program = state.program
    if program.is_partition:
        state.offer(state.kernels.pack(np.argsort(-ascent.values, kind="stable")))
        return
    favoured = np.argsort(-ascent.frequency - 1e-9 * ascent.values, kind="stable")
    favoured = favoured[: min(len(favoured), program.max_groups)]
    likely = np.zeros(program.n_groups, dtype=bool)
    count = max(CANDIDATES, 4 * program.max_groups)
    if count < program.n_groups:
        likely[np.argpartition(-ascent.values, count)[:count]] = True
    else:
        likely[:] = True
    likely[ascent.frequency > 0] = True
    starts = [favoured] if np.isinf(program.max_cost) and not program.max_memberships else []
    kept = state.control.memory.get(MEMORY)
    if state.rows is None and kept is not None and kept[1] is not None:
        starts.append(state.trimmed(state.here(kept[1])))
    for chosen in starts or [np.zeros(0, dtype=np.int64)]:
        likely[chosen] = True
        state.offer(state.kernels.improve(chosen, likely, state.floor, LOCAL_SEARCH_STEPS))


def shake(state: PresolveState) -> None:
    """Drop some groups of the best choice at random and mend it, again and again."""
    random = np.random.default_rng(state.control.seed)
    everything = np.ones(state.program.n_groups, dtype=bool)
    for _ in range(SHAKES):
        known = np.zeros(0, dtype=np.int64) if state.rows is None else state.here(state.rows)
        if len(known) < 2 or state.control.should_stop():
            return
        count = int(random.integers(1, max(2, 3 * len(known) // 4 + 1)))
        gone = random.permutation(len(known))[:count]
        allowed = everything.copy()
        allowed[known[gone[random.random(count) < 0.5]]] = False
        state.offer(state.kernels.improve(np.delete(known, gone), allowed, state.floor, LOCAL_SEARCH_STEPS))
