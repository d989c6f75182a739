"""Heuristic pricing: local search for groups that are worth much at given prices."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.gains.separable import SeparableModel
from engine.problem.limits import Limits
from solvers.lattices.form import Floats, LatticeForm, Members, Prices

STEPS = 40
"""A climb by evaluation takes so many steps at most."""


class Climber(Protocol):
    """Improves groups at given prices."""

    def climb(self, starts: Members, prices: Prices) -> Members:
        """Return groups, shape (k, N), where climbs from some groups end; not all need be admitted."""
        ...


def make_climber(form: LatticeForm) -> Climber:
    """Return the local search that suits a model."""
    if isinstance(form.model, SeparableModel) and form.has_increasing_worth:
        return SeparableClimber(form)
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
    """

    def __init__(self, form: LatticeForm) -> None:
        self.form = form
        self.atoms, self.conflicts = find_atoms(form.limits)
        model: Any = form.model
        structure: SeparableModel = model
        effects = structure.pairs * form.direction
        np.fill_diagonal(effects, 0.0)
        self._effects = self.atoms.astype(np.float64) @ effects
        self._size_weights = np.asarray(structure.size_weights, dtype=np.float64)
        self._offsets = structure.offsets * form.direction
        self._gain_worth = form.weights * form.direction
        self._alone = form.values(np.eye(form.n_tasks, dtype=bool)).diagonal()

    def climb(self, starts: Members, prices: Prices) -> Members:
        """Climb from each group."""
        from solvers.kernels.climbing import climb

        form = self.form
        held = (starts @ self.atoms.T) > 0
        over = self._gain_worth * self._offsets - prices.serve
        alone = np.maximum(self._alone - prices.serve, -1e6 if form.is_partition else 0.0) - prices.hold
        worths = np.empty(len(starts))
        climb(
            held,
            self.atoms,
            self._effects,
            self.conflicts,
            form.limits.min_size,
            form.limits.max_size,
            self._size_weights,
            self._gain_worth,
            over,
            np.maximum(form.floor - self._offsets, -1e300),
            prices.hold,
            alone,
            form.is_partition,
            worths,
        )
        met: Members = (held[np.isfinite(worths)] @ self.atoms) > 0
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
            better = best > now[active] + 1e-12
            active, choice = active[better], choice[better]
            now[active] = best[better]
            groups[active] ^= atoms[choice]
        return groups

    def _worth(self, membership: Members, prices: Prices) -> Floats:
        form = self.form
        values = form.values(membership)
        worth = form.worth(membership, values, prices)
        worth[~form.admitted(membership, values)] -= 1e6
        return worth
