"""Pricing by branch and bound over tasks, for models made of pairs and any number of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.solving.control import Control
from solvers.lattices.climbing import find_atoms
from solvers.lattices.form import Floats, LatticeForm, Members, Prices
from solvers.lattices.pricing import Priced, ranked
from solvers.lattices.threads import Stopped, done_on_threads

if TYPE_CHECKING:
    from solvers.kernels.descent import Descent, Numbers

MOST_TASKS = 200
"""The tables of a bound take 8 N³ bytes."""

NODES_BETWEEN_POLLS = 20_000

SPLIT_ATOMS = 5
"""A pass is split by the decisions on so many atoms, for the threads to share."""

UNEVEN = 16
"""One part of a pass may take so many times its share of the nodes."""


def can_branch(form: LatticeForm) -> bool:
    """Whether bounds on partial groups are known for a form."""
    return form.is_structured and form.has_increasing_worth and form.n_tasks <= MOST_TASKS


class Branching:
    """A pricer that bounds the groups it need not look at.

    Parameters
    ----------
    form
        The program; :func:`can_branch` must hold.
    threads
        How many threads to use.
    max_nodes
        Give up a pass after so many nodes, more or less; None for never.

    Attributes
    ----------
    gave_up
        Whether the last pass reached ``max_nodes``.
    """

    def __init__(self, form: LatticeForm, threads: int, max_nodes: int | None = None) -> None:
        from solvers.kernels.descent import Structure

        self.form, self.threads, self.max_nodes = form, threads, max_nodes
        self.gave_up = False
        model: Any = form.model
        effects = model.pairs * form.direction
        np.fill_diagonal(effects, 0.0)
        self._offsets = model.offsets * form.direction
        self._gain_worth = form.weights * form.direction
        if form.is_partition and not np.isfinite(form.floor).any():
            # Only the sum over a group counts, so that each of two tasks can take half of what both
            # gain from one another: what is taken apart less unevenly is bounded more tightly.
            effects = effects * self._gain_worth
            effects = (effects + effects.T) / 2
            self._offsets = self._offsets * self._gain_worth
            self._gain_worth = np.ones(form.n_tasks)
        atoms, conflicts = find_atoms(form.limits)
        # The sooner the tasks that matter most are decided, the tighter the bounds.
        order = np.argsort(-(atoms @ np.abs(effects).sum(axis=1)), kind="stable")
        atoms = atoms[order]
        forbidden = np.zeros((len(form.limits.forbidden), form.n_tasks), dtype=bool)
        for row, (group, _) in enumerate(form.limits.forbidden):
            forbidden[row, sorted(group)] = True
        self._structure = Structure(
            atoms,
            atoms.astype(np.float64) @ effects,
            conflicts[np.ix_(order, order)],
            forbidden,
            _largest_sums(effects, atoms),
        )
        self._size_weights = np.asarray(model.size_weights, dtype=np.float64)
        self._singles = np.eye(form.n_tasks, dtype=bool)

    def price(self, prices: Prices, count: int, least: float, control: Control) -> Priced:
        """Return the groups worth most, and a bound on all."""
        descents = self._descents(prices, least, count)
        complete = self._run(descents, prices, False, control)
        membership, worth = self._ranked(descents, prices)
        best = max(float(worth.max(initial=-np.inf)), least)
        bound = best if complete else max(best, *(self._open_bound(one, prices) for one in descents))
        return Priced(membership[:count], worth[:count], bound + self._rounding(prices))

    def above(self, prices: Prices, threshold: float, most: int, control: Control) -> Members | None:
        """Return every admitted group worth more than a threshold."""
        descents = self._descents(prices, threshold - self._rounding(prices), most)
        complete = self._run(descents, prices, True, control)
        if not complete or sum(int(one.found[0]) for one in descents) > most:
            return None
        membership, worth = self._ranked(descents, prices)
        return membership[worth > threshold]

    def _ranked(self, descents: list[Descent], prices: Prices) -> tuple[Members, Floats]:
        """Return the groups found, single tasks included, and what each is worth, the best first."""
        return ranked(self.form, np.concatenate([self._singles, *(one.kept for one in descents)]), prices)

    def _rounding(self, prices: Prices) -> float:
        """Return how far a bound in double precision may be off."""
        count = self.form.n_tasks
        reach = float(np.abs(self._structure.others).max()) * float(
            np.abs(self._size_weights[2:]).max(initial=0.0)
        )
        value = float(self._gain_worth.max()) * (reach + float(np.abs(self._offsets).max()))
        value += float(np.abs(prices.serve).max() + prices.hold.max())
        return 4.0 * float(np.finfo(np.float64).eps) * count * value

    def _descents(self, prices: Prices, threshold: float, room: int) -> list[Descent]:
        """Return searches that together look at every group: one for each way to decide the first atoms."""
        atoms, conflicts = self._structure.atoms, self._structure.conflicts
        root = SPLIT_ATOMS if len(atoms) >= 2 * SPLIT_ATOMS else 0
        descents = []
        for choice in range(1 << root):
            inside = (choice >> np.arange(root) & 1).astype(bool)
            chosen = np.flatnonzero(inside)
            if not conflicts[np.ix_(chosen, chosen)].any():
                descents.append(self._descent(prices, inside, threshold, room))
        return descents

    def _descent(self, prices: Prices, inside: Members, threshold: float, room: int) -> Descent:
        from solvers.kernels.descent import Descent

        atoms = self._structure.atoms
        (count, n_tasks), root = atoms.shape, len(inside)
        state = np.zeros(n_tasks, dtype=np.int8)
        state[atoms[:root].any(axis=0)] = -1
        held = atoms[:root][inside].any(axis=0)
        state[held] = 1
        sums, base = np.zeros((count + 1, n_tasks)), np.zeros(count + 1)
        sums[root] = self._structure.effects[:root][inside].sum(axis=0)
        base[root] = -prices.hold[held].sum()
        side = np.zeros(count + 1, dtype=np.int8)
        side[:root] = np.where(inside, 1, 2)
        return Descent(
            position=np.array([root, 0, root]),
            side=side,
            state=state,
            sums=sums,
            base=base,
            likely=np.full(count + 1, n_tasks // 2, dtype=np.int64),
            found=np.zeros(1, dtype=np.int64),
            worths=np.concatenate([[threshold], np.full(room, -np.inf)]),
            groups=np.zeros((room, n_tasks), dtype=bool),
        )

    def _numbers(self, prices: Prices) -> Numbers:
        from solvers.kernels.descent import Numbers

        form = self.form
        floor = np.where(
            np.isfinite(form.floor), form.floor - self._offsets - 1e-12 * form.gain_magnitude, -1e300
        )
        return Numbers(
            max(2, form.limits.min_size),
            form.limits.max_size,
            self._size_weights,
            self._gain_worth,
            self._gain_worth * self._offsets - prices.serve,
            floor,
            prices.hold,
            form.is_partition,
        )

    def _run(self, descents: list[Descent], prices: Prices, keep: bool, control: Control) -> bool:
        """Search until all is looked at or the time is up; return whether all was."""
        from solvers.kernels.descent import descend

        numbers = self._numbers(prices)
        self.gave_up = False
        most = None if self.max_nodes is None else max(1, self.max_nodes // len(descents))

        def work(descent: Descent, stopped: Stopped) -> bool:
            nodes = NODES_BETWEEN_POLLS if most is None else min(most, NODES_BETWEEN_POLLS)
            while not (self.gave_up or stopped()):
                done = bool(descend(self._structure, numbers, descent, nodes, keep))
                if done or (keep and descent.found[0] > len(descent.groups)):
                    return done
                if most is not None and descent.position[1] >= UNEVEN * most:
                    self.gave_up = True
                    return False
            return False

        return done_on_threads(work, descents, self.threads, control)

    def _open_bound(self, descent: Descent, prices: Prices) -> float:
        """Return a bound on all groups that an interrupted search has not looked at."""
        from solvers.kernels.descent import bound_below

        numbers = self._numbers(prices)
        bound = -np.inf
        state = np.zeros(self.form.n_tasks, dtype=np.int8)
        for depth in range(int(descent.position[0]) + 1):
            size, undecided = int((state > 0).sum()), int((state == 0).sum())
            if descent.side[depth] < 2:
                here, _ = bound_below(
                    state,
                    descent.sums[depth],
                    descent.base[depth],
                    size,
                    undecided,
                    self._structure.others[depth],
                    numbers,
                    np.inf,
                    0,
                    np.empty(self.form.n_tasks),
                )
                bound = max(bound, here)
            if depth < len(self._structure.atoms):
                state[self._structure.atoms[depth]] = 1 if descent.side[depth] == 1 else -1
        return bound


def _largest_sums(effects: Floats, atoms: Members) -> Floats:
    """Return the largest sums of k effects of undecided tasks on each task, by how many atoms are decided.

    Returns
    -------
    ndarray
        Shape (K + 1, N + 1, N).
    """
    count, n_tasks = atoms.shape
    sums = np.zeros((count + 1, n_tasks + 1, n_tasks))
    for depth in range(count):
        undecided: Members = np.logical_or.reduce(atoms[depth:])
        table = np.where(undecided[:, None] & ~np.eye(n_tasks, dtype=bool), effects, -np.inf)
        ranking = -np.sort(-table, axis=0)
        ranking[~np.isfinite(ranking)] = 0.0
        sums[depth, 1:] = np.cumsum(ranking, axis=0)
    return sums
