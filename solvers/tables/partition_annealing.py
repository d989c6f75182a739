"""Simulated annealing over partitions: for tables where disjoint groups are hard to fit together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.arrays import fitted, random_word
from solvers.kernels.loading import loading
from solvers.tables.presolve import Presolved

Ints = NDArray[np.int64]

MANY_GROUPS = 300
"""So many groups must be left for a better partition to be worth the search."""

ROUNDS = ((1 << 15, 0.0), (1 << 19, 0.1))
"""Moves of each chain in a round, and what share of the bound the gap must exceed for it."""

PRICES = (2.0, 4.0, 8.0)
"""What a task in no group costs, in units of what good groups are worth more than others per member."""

WIDTHS = (None, 100)
"""Candidates per group of a partition: all, or the most valuable."""

LAST_TEMPERATURE = 0.02
"""The last temperature as a share of the first, which is the price of a task."""

MOVES_BETWEEN_POLLS = 1 << 15


def anneal_partitions(
    program: Program, merit: NDArray[np.float64], control: Control, *, moves: int, stream: int
) -> list[Ints]:
    """Return the best partitions that a few chains find, one a chain at most.

    A chain forces in one random group after the other, taking out those it overlaps, so that tasks may
    stand in no group for a while, at a price. Chains differ in this price, since it is not known in
    advance how dear the last tasks are to fit in, and in how many groups they draw from.

    Parameters
    ----------
    program
        A sum program whose groups must be disjoint.
    merit
        Shape (K,): the value of each group, or its reduced value under prices of the tasks, which
        tells better how well it fits in.
    control
        Ends the chains early; gives the seed.
    moves
        Moves of each chain.
    stream
        Calls with different numbers draw different random numbers.
    """
    sizes = np.maximum(np.diff(program.indptr), 1)
    middle, good = np.quantile(merit / sizes, [0.5, 0.9])
    unit = float(good - middle) or float(np.abs(merit).max(initial=0.0)) or 1.0
    found = []
    for chain, (width, price) in enumerate((width, price) for width in WIDTHS for price in PRICES):
        if control.should_stop():
            break
        kept = np.arange(program.n_groups)
        if width is not None:
            count = width * program.max_groups
            if count >= program.n_groups:
                continue
            kept = np.sort(np.argpartition(-merit, count)[:count])
            kept = np.union1d(kept, np.flatnonzero(program.mandatory))
        chosen = _chain(
            program.select(kept), merit[kept], price * unit, control, moves, [control.seed, stream, chain]
        )
        if chosen is not None:
            found.append(kept[chosen])
    return found


def _chain(
    program: Program, merit: NDArray[np.float64], price: float, control: Control, moves: int, seed: list[int]
) -> Ints | None:
    """Cool down from the empty partition, mandatory groups aside; return the best partition met."""
    with loading(control):
        from solvers.kernels.partition_annealing import Parts, anneal_partition

    n_tasks = program.n_tasks
    held = np.bincount(program.members, minlength=n_tasks)
    parts = fitted(
        Parts,
        indptr=program.indptr,
        members=program.members,
        holders=np.concatenate([[0], np.cumsum(held)]),
        holding=program.entry_groups[np.argsort(program.members, kind="stable")],
        weight=merit + price * np.diff(program.indptr),
        value=np.bincount(program.entry_groups, program.serve, program.n_groups) + program.open,
        cost=program.cost,
        fixed=program.mandatory,
        least=max(1, program.min_groups),
        most=program.max_groups,
        cap=program.max_cost,
    )
    owner = np.full(n_tasks, -1, dtype=np.int64)
    fixed = np.flatnonzero(program.mandatory)
    of_fixed = program.mandatory[program.entry_groups]
    owner[program.members[of_fixed]] = program.entry_groups[of_fixed]
    chosen = np.zeros(n_tasks + 1, dtype=np.int64)
    chosen[: len(fixed)] = fixed
    best = np.zeros(n_tasks + 2, dtype=np.int64)
    random = random_word(*seed)
    temperatures = price * np.geomspace(1.0, LAST_TEMPERATURE, moves)
    count, record = len(fixed), -np.inf
    for first in range(0, moves, MOVES_BETWEEN_POLLS):
        if control.should_stop():
            break
        some = temperatures[first : first + MOVES_BETWEEN_POLLS]
        count, record = anneal_partition(parts, owner, chosen, count, best, record, some, random)
    return None if record == -np.inf else np.sort(best[1 : 1 + best[0]])


def refined(
    program: Program, reduced: Presolved, control: Control, again: Callable[[Ints], Presolved]
) -> Presolved:
    """Look for a better partition where the presolve leaves many groups, and presolve anew from it.

    Parameters
    ----------
    program
        Any sum program.
    reduced
        What the presolve made of it.
    control
        Gives the time; told of the partition.
    again
        Presolves the program from a partition, given as candidate indices.

    Returns
    -------
    Presolved
        The one given, where there is nothing to look for or nothing better was found.
    """
    if not program.is_partition:
        return reduced
    for stream, (moves, gap) in enumerate(ROUNDS):
        core = reduced.core
        wide = reduced.bound - reduced.value > gap * abs(reduced.bound)
        if reduced.closed or core.n_groups < MANY_GROUPS or not wide or control.should_stop():
            break
        with control.stage("annealing"):
            prices = reduced.multipliers.u
            merit = np.bincount(core.entry_groups, core.serve - prices[core.members], core.n_groups)
            found = anneal_partitions(core, merit + core.open, control, moves=moves, stream=stream)
            best = max(found, key=core.value, default=None)
        if best is not None and core.value(best) > reduced.value + program.tolerance:
            start = np.searchsorted(program.rows, core.rows[best])
            control.incumbent(program.rows[start], program.value(start))
            reduced = again(start)
    return reduced
