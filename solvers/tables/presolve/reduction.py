"""The shared presolve: a good solution, a bound, and the core that can still hold a better one.

Lagrangian relaxation of "each task is served once" with Polyak steps towards the best known value,
greedy and swap local search, and reduced-cost fixing of groups and of (group, task) pairs, in turn
until the gap is closed or the bound stands still.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.dominance import undominated
from solvers.tables.presolve.interface import (
    Ascent,
    Kernels,
    Multipliers,
    compiling_pays,
    make_kernels,
    uncovered_worth,
)

Ints = NDArray[np.int64]

ROUNDS = 12
FIRST_ITERATIONS = 8
MOST_ITERATIONS = 200
CANDIDATES = 96
SHAKES = 40
PROBED_GROUPS = 600
PROBE_ITERATIONS = 30
PROBE_PASSES = 4
LOCAL_SEARCH_STEPS = 400
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
MEMORY = "presolve"


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
    return _Reduction(program, control, compiled, start, thorough, polishing).run()


class _Reduction:
    def __init__(
        self,
        program: Program,
        control: Control,
        compiled: bool,
        start: Sequence[int] | Ints | None,
        thorough: bool,
        polishing: bool,
    ) -> None:
        self.thorough, self.polishing = thorough, polishing
        self.whole = program
        self.control = control
        self.compiled = compiled
        self.floor = uncovered_worth(program)
        self.at: Multipliers = self._first_multipliers()
        self.value = -np.inf
        self.rows: Ints | None = None
        self.bound = control.bound
        self.kernels: Kernels = make_kernels(program, compiled, control)
        for rows in (start, self._positions(control.rows)):
            if rows is not None and len(rows):
                self._offer(np.asarray(rows, dtype=np.int64))

    @property
    def program(self) -> Program:
        return self.kernels.program

    def run(self) -> Presolved:
        control, steps = self.control, FIRST_ITERATIONS
        warm = control.memory.get(MEMORY) is not None
        if not warm or self.whole.is_partition:
            self._search_widely()
        closed, shaken, gap = self._is_closed(), False, np.inf
        for _ in range(ROUNDS):
            if closed or control.should_stop():
                break
            known = np.isfinite(self.value)
            target = self.value if known else self._guess()
            enough = self.whole.strictly_better(self.value) if known else -np.inf
            ascent = self._ascend(target, enough, steps if known else 1)
            if known and control.should_stop():
                closed = self._is_closed()
                break
            self._search_around(ascent)
            if not np.isfinite(self.value):
                if not known and warm:
                    warm = False
                    self._search_widely()
                    continue
                break
            closed = self._is_closed() or not self._shrink(ascent)
            gap, before = ascent.bound - self.value, gap
            if closed or not known or gap < 0.98 * before:
                steps = min(2 * steps, MOST_ITERATIONS)
            elif steps < MOST_ITERATIONS:
                steps = MOST_ITERATIONS
            elif self.thorough and not shaken and not self.program.is_partition:
                shaken = True
                self._shake()
            else:
                break
        if not closed and self.compiled:
            closed = self._anneal()
        if not closed and np.isfinite(self.value) and self.thorough and not self.polishing:
            closed = self._probe()
        control.memory[MEMORY] = (self.at, self.rows)
        return self._result(closed)

    def _ascend(self, target: float, enough: float, steps: int) -> Ascent:
        ascent = self.kernels.ascend(self.at, target, enough, steps)
        self.at, self.ranking = ascent.at, (self.program.rows, ascent.values)
        self._tighten(ascent.bound)
        return ascent

    def _is_closed(self) -> bool:
        return bool(np.isfinite(self.value) and self.bound <= self.whole.strictly_better(self.value))

    def _guess(self) -> float:
        return self.bound - 0.1 * (abs(self.bound) + self.whole.scale) if np.isfinite(self.bound) else 0.0

    def _first_multipliers(self) -> Multipliers:
        """Return those of an earlier budget, else prices at which each task pays its best value."""
        kept = self.control.memory.get(MEMORY)
        program = self.whole
        if kept is not None:
            at: Multipliers = kept[0]
            return replace(at, lam=at.lam if np.isfinite(program.max_cost) else 0.0)
        return Multipliers(program.best_values, np.zeros(program.n_tasks))

    def _positions(self, rows: Ints | None) -> Ints | None:
        """Return the candidate indices of tensor rows in the whole program, None if one is missing."""
        if rows is None:
            return None
        at = np.searchsorted(self.whole.rows, rows)
        inside = np.minimum(at, len(self.whole.rows) - 1)
        return inside if np.array_equal(self.whole.rows[inside], rows) else None

    def _offer(self, chosen: Ints) -> None:
        """Take a choice of the current program if it is feasible and the best so far."""
        program = self.program
        if not _within_limits(program, chosen):
            return
        value = program.value(chosen)
        if value > self.value:
            self.value, self.rows = value, np.sort(program.rows[chosen])
            self.control.incumbent(self.rows, value)

    def _tighten(self, bound: float) -> None:
        if bound < self.bound:
            self.bound = bound
            self.control.tighten(self._certified(bound))

    def _certified(self, bound: float) -> float:
        """Turn a bound on what is left into one on the whole program.

        What was fixed away cannot beat the best known value, but may equal it; and where possible
        values lie on a grid, so does the bound.
        """
        grid = self.whole.grid
        if not np.isfinite(bound) and bound > 0:
            return bound
        if not grid:
            return max(bound, self.whole.strictly_better(self.value))
        return max(float(np.floor(bound / grid + 1e-3)) * grid if np.isfinite(bound) else bound, self.value)

    def _search_widely(self) -> None:
        """Greedy and swap over every candidate; for partitions, pack by value per member."""
        program = self.program
        if program.is_partition:
            totals = np.bincount(program.entry_groups, program.serve, program.n_groups) + program.open
            sizes = np.maximum(np.diff(program.indptr), 1)
            for merit in (totals / sizes, totals, sizes.astype(float)):
                self._offer(self.kernels.pack(np.argsort(-merit, kind="stable")))
            return
        everything = np.ones(program.n_groups, dtype=bool)
        none = np.zeros(0, dtype=np.int64)
        self._offer(self.kernels.improve(none, everything, self.floor, LOCAL_SEARCH_STEPS))

    def _search_around(self, ascent: Ascent) -> None:
        """Local search among the groups that the relaxation favours, from what it chose."""
        program = self.program
        if program.is_partition:
            self._offer(self.kernels.pack(np.argsort(-ascent.values, kind="stable")))
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
        kept = self.control.memory.get(MEMORY)
        if self.rows is None and kept is not None and kept[1] is not None:
            starts.append(self._trimmed(self._here(kept[1])))
        for chosen in starts or [np.zeros(0, dtype=np.int64)]:
            likely[chosen] = True
            self._offer(self.kernels.improve(chosen, likely, self.floor, LOCAL_SEARCH_STEPS))

    def _shake(self) -> None:
        """Drop some groups of the best choice at random and mend it, again and again."""
        random = np.random.default_rng(self.control.seed)
        everything = np.ones(self.program.n_groups, dtype=bool)
        for _ in range(SHAKES):
            known = np.zeros(0, dtype=np.int64) if self.rows is None else self._here(self.rows)
            if len(known) < 2 or self.control.should_stop():
                return
            count = int(random.integers(1, max(2, 3 * len(known) // 4 + 1)))
            gone = random.permutation(len(known))[:count]
            allowed = everything.copy()
            allowed[known[gone[random.random(count) < 0.5]]] = False
            self._offer(self.kernels.improve(np.delete(known, gone), allowed, self.floor, LOCAL_SEARCH_STEPS))

    def _anneal(self) -> bool:
        """Look for better solutions among the favoured groups, in rounds of rising length.

        Goes on with time to spare while too many groups are left for a tree search; gives up soon where
        not even a first solution turns up. Returns whether the gap is closed.
        """
        from solvers.tables.presolve.annealing import anneal

        if self.whole.is_partition or self.whole.max_memberships is not None:
            return False
        fruitless, doublings, seconds_per_move = 0, 0, 0.0
        for number in itertools.count():
            program, last = self.program, len(ANNEALING_MOVES) - 1
            most = ANNEALED_GROUPS if number < 2 else SEARCHED_GROUPS
            if program.n_groups <= most or fruitless >= FRUITLESS_ROUNDS or self.control.should_stop():
                return False
            if number > last and np.isinf(self.control.remaining()):
                return False
            if self.polishing and number >= POLISHING_ROUNDS:
                return False
            if number > 2 and self.rows is None:
                return False
            rows, values = self.ranking
            here = values[np.searchsorted(rows, program.rows)]
            if self.rows is not None:
                known = self._here(self.rows)
            else:
                most_valued = np.argsort(-here, kind="stable")[: program.max_groups]
                known = self._trimmed(np.union1d(most_valued, np.flatnonzero(program.mandatory)))
            before = self.value
            moves, begin = ANNEALING_MOVES[min(number, last)], self.control.elapsed()
            if moves * seconds_per_move > self.control.remaining():
                # What has not cooled down is worth little: rather be quick about it.
                moves = int(0.9 * self.control.remaining() / seconds_per_move)
                if moves < ANNEALING_MOVES[0] // 8:
                    return False
            # Where the usual candidates bring nothing, others may.
            found = anneal(
                program,
                here,
                known,
                self.control,
                moves=moves,
                stream=number,
                widening=1 << doublings,
            )
            for chosen in found:
                self._offer(chosen)
            seconds_per_move = (self.control.elapsed() - begin) / moves
            if self.value > before:
                fruitless = 0
            else:
                fruitless, doublings = fruitless + 1, (doublings + 1) % (MOST_DOUBLINGS + 1)
            if self.value > before and not self.control.should_stop():
                ascent = self._ascend(self.value, self.whole.strictly_better(self.value), MOST_ITERATIONS)
                if self._is_closed() or not self._shrink(ascent):
                    return True
        return False

    def _probe(self) -> bool:
        """Drop groups that no better solution can hold; return whether that leaves none at all.

        Each group in turn is taken as chosen, and a few steps of the dual ascent decide whether
        anything better than the best known value can hold it.
        """
        enough = self.whole.strictly_better(self.value)
        for _ in range(PROBE_PASSES):
            program = self.program
            if program.n_groups > PROBED_GROUPS:
                return False
            keep = np.ones(program.n_groups, dtype=bool)
            for group in range(program.n_groups):
                if self.control.should_stop():
                    return False
                bound = self.kernels.probe(self.at, group, self.value, enough, PROBE_ITERATIONS)
                keep[group] = bound > enough
            if not keep.any() or (program.mandatory & ~keep).any():
                return True
            if keep.all():
                return False
            self.kernels = make_kernels(program.select(np.flatnonzero(keep)), self.compiled, self.control)
            ascent = self.kernels.ascend(self.at, self.value, enough, MOST_ITERATIONS)
            if ascent.bound <= enough:
                self._tighten(max(ascent.bound, self.value))
                return True
            self.at = ascent.at
            self._tighten(max(ascent.bound, self.value))
            self._search_around(ascent)
            enough = self.whole.strictly_better(self.value)
            if not self._shrink(ascent):
                return True
            if keep.mean() > 0.8:
                return False
        return False

    def _here(self, rows: Ints) -> Ints:
        """Return the indices of tensor rows in the current program, those that are still in it."""
        at = np.minimum(np.searchsorted(self.program.rows, rows), self.program.n_groups - 1)
        here: Ints = at[self.program.rows[at] == rows]
        return here

    def _trimmed(self, chosen: Ints) -> Ints:
        """Drop the least useful groups until the rest fits the budget."""
        program = self.program
        while len(chosen) > 1 and not _within_limits(program, chosen):
            served = np.tile(self.floor, (len(chosen) + 1, 1))
            for index, group in enumerate(chosen):
                at = slice(program.indptr[group], program.indptr[group + 1])
                served[index, program.members[at]] = program.serve[at]
            ranked = np.sort(served, axis=0)
            server = served.argmax(axis=0)
            loss = np.bincount(server, ranked[-1] - ranked[-2], len(chosen) + 1)[: len(chosen)]
            chosen = np.delete(chosen, int((loss + program.open[chosen]).argmin()))
        return chosen

    def _shrink(self, ascent: Ascent) -> bool:
        """Fix by reduced values; return False if nothing better than the best known is left."""
        fixing = self.kernels.fix(ascent, self.whole.strictly_better(self.value))
        if fixing is None:
            return False
        program = self.program
        dropped = program.n_groups - int(fixing.keep.sum())
        if dropped * 8 >= program.n_groups or (fixing.forced & ~program.mandatory).any():
            kept = np.flatnonzero(fixing.keep)
            smaller = program.select(kept, fixing.entries)
            smaller = replace(smaller, mandatory=fixing.forced[kept])
            self.kernels = make_kernels(smaller, self.compiled, self.control)
        return True

    def _result(self, closed: bool) -> Presolved:
        whole, known = self.whole, self.rows
        if known is None:
            return Presolved(
                whole,
                whole.mandatory,
                None,
                -np.inf,
                self.control.bound,
                self.at,
                closed=False,
            )
        core, forced = self._closed_core(known) if closed else self._open_core(known)
        bound = max(self._certified(self.bound), self.value)
        if closed:
            bound = self.value if whole.grid else whole.strictly_better(self.value)
            self.control.tighten(bound)
        chosen = np.searchsorted(core.rows, known)
        return Presolved(core, forced, chosen, self.value, bound, self.at, closed)

    def _closed_core(self, known: Ints) -> tuple[Program, NDArray[np.bool_]]:
        """Return the program of the best known grouping alone."""
        core = self.whole.select(np.searchsorted(self.whole.rows, known))
        return core, core.mandatory

    def _open_core(self, known: Ints) -> tuple[Program, NDArray[np.bool_]]:
        """Return the surviving groups and entries, those of the best known grouping included."""
        whole, left = self.whole, self.program
        core = whole
        if left is not whole:
            at = np.searchsorted(whole.rows, np.union1d(known, left.rows))
            core = whole.select(at)
            alive = left.rows[left.entry_groups] * whole.n_tasks + left.members
            cells = core.rows[core.entry_groups] * whole.n_tasks + core.members
            held = np.isin(core.rows, known)[core.entry_groups]
            core = core.select(np.arange(core.n_groups), held | np.isin(cells, alive))
        if self.thorough:
            stay = undominated(core) | np.isin(core.rows, known)
            core = core.select(np.flatnonzero(stay))
        return core, np.isin(core.rows, left.rows[left.mandatory])


def _within_limits(program: Program, chosen: Ints) -> bool:
    """Whether a choice meets every limit of the program but coverage."""
    if not program.min_groups <= len(chosen) <= program.max_groups:
        return False
    if not program.affords(chosen):
        return False
    held = np.zeros(program.n_groups, dtype=bool)
    held[chosen] = True
    if (program.mandatory & ~held).any():
        return False
    if program.max_memberships is None:
        return True
    tasks = [program.members[program.indptr[group] : program.indptr[group + 1]] for group in chosen]
    loads = np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *tasks]), minlength=program.n_tasks)
    return bool(loads.max(initial=0) <= program.max_memberships)
