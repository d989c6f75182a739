"""The best choice of distinct groups where opening values reward or charge each, by dynamic programming.

Groups are offered one after the other, as in the knapsack problem: the table holds, for each number of
groups and each set of tasks, the most that so many of the groups offered are worth that serve this set.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.loading import loading
from solvers.tables.entries import groups_of
from solvers.tables.subset_partition import SubsetChoice, totals_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WORK_BETWEEN_POLLS = 30_000_000


def choose_groups(
    program: Program, base: NDArray[np.bool_], control: Control, *, compiled: bool
) -> SubsetChoice:
    """Choose distinct groups to add to some that are chosen, so that value and openings are largest.

    Parameters
    ----------
    program
        A sum program without a cost limit, whose groups may overlap.
    base
        Shape (K,): groups that are chosen in any case.
    control
        Ends the computation; what was found until then is returned.
    compiled
        Whether to use machine code.
    """
    fixed = np.flatnonzero(base)
    some = program.select(np.flatnonzero(~base))
    left = totals_of(program.best_served(fixed), additive=True) + program.open[fixed].sum()
    constant = _constant(program)
    serve = some.serve
    if constant is not None:
        serve = np.where(np.isfinite(serve), 0.0, -np.inf)
        reached = np.where(np.isfinite(program.best_served(fixed)), 0.0, -np.inf)
        left = totals_of(reached, additive=True) + program.open[fixed].sum() + constant
    places = min(program.max_groups - len(fixed), some.n_groups)
    if places < 0:
        return SubsetChoice(None, -np.inf, complete=True)
    table = _Table(some, serve, places, alike=constant is not None)
    complete = table.offer_compiled(control) if compiled else table.offer(control)
    fewest = max(0, program.min_groups - len(fixed))
    totals = table.values[fewest:] + left[::-1]
    if totals.max(initial=-np.inf) == -np.inf:
        return SubsetChoice(None, -np.inf, complete)
    place, tasks = np.unravel_index(int(np.argmax(totals)), totals.shape)
    added = program.rows.searchsorted(some.rows[table.chain(int(place) + fewest, int(tasks))])
    chosen = np.unique(np.concatenate([fixed, added]))
    return SubsetChoice(chosen, float(totals[place, tasks]), complete)


def _constant(program: Program) -> float | None:
    """Return what serving all tasks is worth, if that is the same whoever serves them."""
    able = np.isfinite(program.serve)
    same = program.serve[able] == program.best_values[program.members[able]]
    return float(program.best_values.sum()) if same.all() else None


@dataclass
class _Table:
    """The most that k groups serving a set A are worth, and the chains of groups that reach it.

    Attributes
    ----------
    program
        The groups on offer.
    serve
        Shape (E,): what serving is worth.
    places
        The most groups to take.
    alike
        Whether serving is worth nothing.
    values, last
        Shape (places + 1, 2^N): the value, and the last link of the chain, −1 for none.
    group_of, before
        The group of each link and the link before it.
    """

    program: Program
    serve: Floats
    places: int
    alike: bool
    values: Floats = field(init=False)
    last: Ints = field(init=False)
    group_of: Ints = field(init=False)
    before: Ints = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.places + 1, 2**self.program.n_tasks)
        self.values = np.full(shape, -np.inf)
        self.values[0, 0] = 0.0
        self.last = np.full(shape, -1, dtype=np.int64)

    def offer(self, control: Control) -> bool:
        """Offer each group once; return False where the time ends before."""
        program = self.program
        groups, links, used = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], 0
        complete = True
        for group in range(program.n_groups if self.places else 0):
            if control.should_stop():
                complete = False
                break
            value, link = self.values[:-1].copy(), self.last[:-1].copy()
            for entry in range(program.indptr[group], program.indptr[group + 1]):
                shape = (self.places, -1, 2, 1 << int(program.members[entry]))
                by_value, by_link = value.reshape(shape), link.reshape(shape)
                served = by_value[:, :, 0] + self.serve[entry]
                better = served > by_value[:, :, 1]
                np.copyto(by_value[:, :, 1], served, where=better)
                np.copyto(by_link[:, :, 1], by_link[:, :, 0], where=better)
            value += program.open[group]
            better = value > self.values[1:]
            count = int(np.count_nonzero(better))
            self.values[1:][better] = value[better]
            self.last[1:][better] = np.arange(used, used + count)
            groups.append(np.full(count, group))
            links.append(link[better])
            used += count
        self.group_of, self.before = np.concatenate(groups), np.concatenate(links)
        return complete

    def offer_compiled(self, control: Control) -> bool:
        """Do the same in machine code."""
        with loading(control):
            from solvers.kernels.subset_choice import Chains, take_groups
        program = self.program
        groups = groups_of(replace(program, serve=self.serve))
        room = 4 * max(1, self.places) * self.values.shape[1]
        self.group_of, self.before = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        used = np.zeros(1, dtype=np.int64)
        step = max(1, WORK_BETWEEN_POLLS // (self.values.size * program.n_tasks))
        offered = 0
        while offered < program.n_groups:
            if control.should_stop():
                return False
            stop = min(offered + step, program.n_groups)
            chains = Chains(self.values, self.last, self.group_of, self.before, used)
            offered = take_groups(groups, self.alike, chains, offered, stop)
            if offered < stop:
                self.group_of, self.before = (
                    np.concatenate([links, np.empty_like(links)]) for links in (self.group_of, self.before)
                )
        return True

    def chain(self, place: int, tasks: int) -> Ints:
        """Return the groups of the chain that ends in a cell."""
        groups = []
        link = int(self.last[place, tasks])
        while link >= 0:
            groups.append(int(self.group_of[link]))
            link = int(self.before[link])
        return np.array(groups, dtype=np.int64)
