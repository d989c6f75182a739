"""Heuristic pricing: local search for groups that are worth much at given prices."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.arrays import power_of_two
from engine.gains.separable import SeparableModel
from engine.problem.limits import Limits
from engine.solving.control import Control
from solvers.kernels.arrays import fitted
from solvers.kernels.loading import loading
from solvers.kernels.separable import Atoms, Numbers
from solvers.lattices.form import Floats, LatticeForm, Members, Prices

STEPS = 40
"""A climb by evaluation takes so many steps at most."""


class Climber(Protocol):
    """Improves groups at given prices."""

    def climb(self, starts: Members, prices: Prices) -> Members:
        """Return groups, shape (k, N), where climbs from some groups end; not all need be admitted."""
        ...


def make_climber(form: LatticeForm, control: Control) -> Climber:
    """Return the local search that suits a model."""
    if isinstance(form.model, SeparableModel) and form.has_increasing_worth:
        return SeparableClimber(form, control)
    return EvaluatingClimber(form)


def find_atoms(limits: Limits) -> tuple[Members, NDArray[np.bool_]]:
    """Return the sets of tasks that are always together, and which of them exclude one another.

    Returns
    -------
    ndarray
        Shape (K, N): the tasks of each atom.
    ndarray
        Shape (K, K): whether a group may not hold both; on the diagonal, whether it may not hold one.
    """
    count = len(limits.tasks)
    label = np.arange(count)
    for tasks in limits.together:
        joined = np.isin(label, label[sorted(tasks)])
        label[joined] = label[joined].min()
    atoms = label == np.unique(label)[:, None]
    conflicts = np.zeros((len(atoms), len(atoms)), dtype=bool)
    for tasks in limits.apart:
        held = atoms[:, sorted(tasks)].sum(axis=1)
        conflicts |= (held[:, None] > 0) & (held > 0) & ~np.eye(len(atoms), dtype=bool)
        conflicts |= np.diag(held > 1)
    return atoms, conflicts


class SeparableClimber:
    """Climbs by compiled additions, removals and exchanges on a separable model.

    Parameters
    ----------
    form
        The program; its model must be separable, and worth more the larger the gains.
    control
        Told of compiling, which its time limit does not count.
    """

    def __init__(self, form: LatticeForm, control: Control) -> None:
        with loading(control):
            from solvers.kernels.climbing import climb
        self.form = form
        self._climb = climb
        tasks, conflicts = find_atoms(form.limits)
        model: Any = form.model
        structure: SeparableModel = model
        effects = structure.pairs * form.direction
        np.fill_diagonal(effects, 0.0)
        # The kernel's tolerances are absolute: gains and worths are given in units of their magnitude.
        unit, self._unit = power_of_two(form.gain_magnitude), power_of_two(form.magnitude)
        tasks = np.pad(tasks, ((0, 1), (0, 0)))
        self._atoms = fitted(
            Atoms,
            tasks=tasks,
            sizes=tasks.sum(axis=1),
            effects=tasks.astype(np.float64) @ effects / unit,
            conflicts=np.pad(conflicts, ((0, 1), (0, 1))),
        )
        self._size_weights = np.asarray(structure.size_weights, dtype=np.float64)
        offsets = structure.offsets * form.direction / unit
        self._floor = np.maximum(form.floor / unit - offsets, -1e300)
        self._gain_worth = form.weights * form.direction * (unit / self._unit)
        self._offset_worth = self._gain_worth * offsets
        self._alone = form.values(np.eye(form.n_tasks, dtype=bool)).diagonal() / self._unit

    def climb(self, starts: Members, prices: Prices) -> Members:
        """Climb from each group."""
        form, tasks = self.form, self._atoms.tasks[:-1]
        held = np.ascontiguousarray((starts @ tasks.T) > 0)
        serve, hold = prices.serve / self._unit, prices.hold / self._unit
        numbers = fitted(
            Numbers,
            min_size=form.limits.min_size,
            max_size=form.limits.max_size,
            size_weights=self._size_weights,
            gain_worth=self._gain_worth,
            over=self._offset_worth - serve,
            floor=self._floor,
            hold=hold,
            rigid=form.is_partition,
        )
        alone = np.maximum(self._alone - serve, -1e6 if form.is_partition else 0.0) - hold
        worths = np.empty(len(starts))
        self._climb(held, self._atoms, numbers, alone, worths)
        met: Members = (held[np.isfinite(worths)] @ tasks) > 0
        return met


class EvaluatingClimber:
    """Climbs by evaluating every group one addition or removal away.

    Parameters
    ----------
    form
        The program.
    """

    def __init__(self, form: LatticeForm) -> None:
        self.form = form
        self.atoms, _ = find_atoms(form.limits)

    def climb(self, starts: Members, prices: Prices) -> Members:
        """Climb from all groups side by side."""
        form, atoms = self.form, self.atoms
        groups, active = starts.copy(), np.arange(len(starts))
        now = self._worth(groups, prices)
        for _ in range(STEPS):
            if not len(active):
                break
            around = groups[active, None, :] ^ atoms
            flat = around.reshape(-1, form.n_tasks)
            worth = np.full(len(flat), -np.inf)
            some = flat.any(axis=1)
            worth[some] = self._worth(flat[some], prices)
            table = worth.reshape(len(active), len(atoms))
            choice = table.argmax(axis=1)
            best = table[np.arange(len(active)), choice]
            better = best > now[active] + 1e-12 * form.magnitude
            active, choice = active[better], choice[better]
            now[active] = best[better]
            groups[active] ^= atoms[choice]
        return groups

    def _worth(self, membership: Members, prices: Prices) -> Floats:
        form = self.form
        values = form.values(membership)
        worth = form.worth(membership, values, prices)
        worth[~form.admitted(membership, values)] -= 1e6 * form.magnitude
        return worth
