"""Annealing among the favoured groups, in rounds of rising length."""

from __future__ import annotations

import itertools

import numpy as np

from solvers.tables.presolve.state import MOST_ITERATIONS, PresolveState

ANNEALED_GROUPS = 600
"""Below so many groups left the tree search needs no better solution to start from."""
ANNEALING_MOVES = (1 << 17, 1 << 19, 1 << 20, 1 << 21, 1 << 22)
"""Moves of each round of annealing; the last goes on while a time limit leaves time."""
POLISHING_ROUNDS = 2
"""So many rounds of annealing a polish is worth: counted, since no answer may depend on speed."""
SEARCHED_GROUPS = 4000
"""Up to so many groups left, a tree search may prove what remains of the gap."""
FRUITLESS_ROUNDS = 8
"""After so many rounds without a better solution, annealing gives way to the search."""
MOST_DOUBLINGS = 4
"""The number of candidates doubles with every fruitless round, so many times, and falls back then."""


def anneal_in_rounds(state: PresolveState, polishing: bool) -> bool:
    """Look for better solutions among the favoured groups, in rounds of rising length.

    Goes on with time to spare while too many groups are left for a tree search; gives up soon where
    not even a first solution turns up. Returns whether the gap is closed.
    """
    from solvers.tables.presolve.annealing import anneal

    if state.whole.is_partition or state.whole.max_memberships is not None:
        return False
    fruitless, doublings, seconds_per_move = 0, 0, 0.0
    for number in itertools.count():
        program, last = state.program, len(ANNEALING_MOVES) - 1
        most = ANNEALED_GROUPS if number < 2 else SEARCHED_GROUPS
        if program.n_groups <= most or fruitless >= FRUITLESS_ROUNDS or state.control.should_stop():
            return False
        if number > last and np.isinf(state.control.remaining()):
            return False
        if polishing and number >= POLISHING_ROUNDS:
            return False
        if number > 2 and state.rows is None:
            return False
        rows, values = state.ranking
        here = values[np.searchsorted(rows, program.rows)]
        if state.rows is not None:
            known = state.here(state.rows)
        else:
            most_valued = np.argsort(-here, kind="stable")[: program.max_groups]
            known = state.trimmed(np.union1d(most_valued, np.flatnonzero(program.mandatory)))
        before = state.value
        moves, begin = ANNEALING_MOVES[min(number, last)], state.control.elapsed()
        if moves * seconds_per_move > state.control.remaining():
            # What has not cooled down is worth little: rather be quick about it.
            moves = int(0.9 * state.control.remaining() / seconds_per_move)
            if moves < ANNEALING_MOVES[0] // 8:
                return False
        # Where the usual candidates bring nothing, others may.
        found = anneal(
            program,
            here,
            known,
            state.control,
            moves=moves,
            stream=number,
            widening=1 << doublings,
        )
        for chosen in found:
            state.offer(chosen)
        seconds_per_move = (state.control.elapsed() - begin) / moves
        if state.value > before:
            fruitless = 0
        else:
            fruitless, doublings = fruitless + 1, (doublings + 1) % (MOST_DOUBLINGS + 1)
        if state.value > before and not state.control.should_stop():
            ascent = state.ascend(state.value, state.enough, MOST_ITERATIONS)
            if state.is_closed() or not state.shrink(ascent):
                return True
    return False
