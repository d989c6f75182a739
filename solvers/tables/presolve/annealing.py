"""Simulated annealing over groupings among the groups that the relaxation favours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.arrays import random_word
from solvers.kernels.loading import loading
from solvers.tables.entries import groups_of
from solvers.tables.presolve.interface import uncovered_worth

Ints = NDArray[np.int64]

CHAINS = ((12, 0.06), (24, 0.15))
"""Candidates per group of the incumbent, and first temperature as a share of what a chosen group adds.

Few candidates are searched deeper; many, and at a higher temperature, serve where groups must fit
together to cover every task."""

LEAST_CANDIDATES = 400
"""Of the first chain."""
COOLING = 0.1
"""The last temperature as a share of the first."""

MOVES_BETWEEN_POLLS = 1 << 16


def anneal(
    program: Program,
    values: NDArray[np.float64],
    known: Ints,
    control: Control,
    *,
    moves: int,
    stream: int,
    widening: int = 1,
) -> list[Ints]:
    """Return the best grouping of each of a few chains, which may leave tasks unserved.

    The chains are as many, and the same, whatever the number of threads.

    Parameters
    ----------
    program
        A sum program, no partition, without membership limits.
    values
        Shape (K,): the reduced value of each group.
    known
        Groups to start from, within the limits; the number of candidates grows with theirs.
    control
        Ends the chains early; gives seed and threads.
    moves
        Moves of each chain.
    stream
        Calls with different numbers draw different random numbers.
    widening
        So many times the usual number of candidates.
    """
    with loading(control):
        import solvers.kernels.annealing  # noqa: F401
    chains = [
        _Chain(program, values, known, widening * width, hot, moves, [control.seed, stream, width])
        for width, hot in CHAINS
    ]
    with ThreadPoolExecutor(min(control.threads, len(chains))) as pool:
        try:
            return list(pool.map(lambda chain: chain.run(control), chains))
        except KeyboardInterrupt:
            for chain in chains:
                chain.interrupted = True
            raise


class _Chain:
    """One run of the annealing, on the groups of the largest reduced values."""

    def __init__(
        self,
        program: Program,
        values: NDArray[np.float64],
        known: Ints,
        width: int,
        hot: float,
        moves: int,
        seed: list[int],
    ) -> None:
        held = program.mandatory.copy()
        count = max(LEAST_CANDIDATES // CHAINS[0][0], len(known)) * width
        if count < program.n_groups:
            held[np.argpartition(-values, count)[:count]] = True
        else:
            held[:] = True
        known = np.union1d(known, np.flatnonzero(program.mandatory))
        held[known] = True
        able = np.flatnonzero(held)
        self.groups = able[np.argsort(-values[able], kind="stable")]
        part = program.select(self.groups)
        self.entries = groups_of(part)
        self.state = part.mandatory.astype(np.int8)
        self.floor = uncovered_worth(part)
        self.count = len(known)
        self.chosen = np.zeros(max(self.count, program.max_groups) + 1, dtype=np.int64)
        self.chosen[: self.count] = np.flatnonzero(np.isin(self.groups, known))
        self.best = np.concatenate([[self.count], self.chosen])
        self.record = -np.inf
        self.interrupted = False
        self.moves = moves
        self.hot = hot * _mean_loss(program, known)
        self.random = random_word(*seed)

    def run(self, control: Control) -> Ints:
        """Make the moves, as far as the time allows, and return the best grouping met."""
        from solvers.kernels.annealing import anneal as make_moves

        for first in range(0, self.moves, MOVES_BETWEEN_POLLS):
            if self.interrupted or control.should_stop():
                break
            done = np.arange(first, min(self.moves, first + MOVES_BETWEEN_POLLS)) / self.moves
            self.count, self.record = make_moves(
                self.entries,
                self.state,
                self.floor,
                self.chosen,
                self.count,
                self.best,
                self.record,
                self.hot * COOLING**done,
                self.random,
            )
        found: Ints = self.groups[self.best[1 : 1 + self.best[0]]]
        return found


def _mean_loss(program: Program, chosen: Ints) -> float:
    """Return how much value a chosen group adds to the others on average, where that is known."""
    best, second = np.full((2, program.n_tasks), -np.inf)
    for group in chosen:
        at = slice(program.indptr[group], program.indptr[group + 1])
        tasks, serve = program.members[at], program.serve[at]
        second[tasks] = np.maximum(second[tasks], np.minimum(best[tasks], serve))
        best[tasks] = np.maximum(best[tasks], serve)
    twice = np.isfinite(second)
    lost = float((best[twice] - second[twice]).sum())
    return lost / max(1, len(chosen)) or program.scale
