"""Local search for partitions over the lattice."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.gains.separable import SeparableModel
from engine.solving.control import Control
from solvers.kernels.arrays import fitted, random_word
from solvers.kernels.loading import loading
from solvers.kernels.separable import PairArrays, empty_sums
from solvers.lattices.climbing import find_atoms
from solvers.lattices.form import POSSIBLE, Floats, LatticeForm, Members

RESTARTS = 60


class PartitionSearch(Protocol):
    """Finds good partitions."""

    def search(self, start: Members, least: int, most: int, seed: int) -> Members:
        """Return the groups of a good partition, shape (k, N), which may break demands.

        Parameters
        ----------
        start
            Shape (m, N): groups to begin with; where they overlap the first counts.
        least, most
            How many groups there must and may be.
        seed
            Decides the perturbations.
        """
        ...


class SeparablePartitionSearch:
    """Iterated local search over partitions: atoms move and change places between groups.

    Parameters
    ----------
    form
        The program; its model must be separable and its groups disjoint.
    control
        Told of compiling, which its time limit does not count.
    """

    def __init__(self, form: LatticeForm, control: Control) -> None:
        with loading(control):
            from solvers.kernels.atom_partitions import improve_partition
        self.form = form
        self._improve = improve_partition
        atoms, conflicts = find_atoms(form.limits)
        # Forced groups stand as they are, and nothing joins them.
        free = ~(atoms & form.forced.any(axis=0)).any(axis=1)
        self.atoms, self._conflicts = atoms[free], conflicts[np.ix_(free, free)]
        model: Any = form.model
        structure: SeparableModel = model
        effects = structure.pairs * form.weights
        np.fill_diagonal(effects, 0.0)
        held = self.atoms.astype(np.float64)
        together = held @ effects @ held.T
        self._inner = np.diag(together).copy()
        self._between = together + together.T
        np.fill_diagonal(self._between, 0.0)
        self._linear = held @ (structure.offsets * form.weights)
        alone = form.values(np.eye(form.n_tasks, dtype=bool)).diagonal()
        self._fine = 4.0 * form.n_tasks * (float(np.abs(together).sum()) + form.magnitude)
        self._alone = held @ np.maximum(alone, -self._fine)
        self._size_weights = np.asarray(structure.size_weights, dtype=np.float64)

    def search(self, start: Members, least: int, most: int, seed: int) -> Members:
        """Return the groups of a good partition, shape (k, N), forced ones included."""
        form, forced = self.form, len(self.form.forced)
        count = len(self.atoms)
        if not count:
            return form.forced
        most = min(most - forced, count)
        slots = max(1, most)
        label = self._labels(start, slots)
        pairs = fitted(
            PairArrays,
            sizes=np.pad(self.atoms.sum(axis=1), (0, 1)),
            between=np.pad(self._between, ((0, 1), (0, 1))),
            inner=np.pad(self._inner, (0, 1)),
            linear=np.pad(self._linear, (0, 1)),
            alone=np.pad(self._alone, (0, 1)),
            conflicts=np.pad(self._conflicts, ((0, 1), (0, 1))),
            size_weights=self._size_weights,
            min_groups=max(0, least - forced),
            max_groups=most,
            min_size=form.limits.min_size,
            max_size=form.limits.max_size,
            fine=self._fine,
        )
        self._improve(pairs, empty_sums(slots, count), RESTARTS, random_word(seed), label)
        groups = (label == np.unique(label)[:, None]).astype(np.int64) @ self.atoms > 0
        return np.concatenate([form.forced, groups])

    def _labels(self, start: Members, slots: int) -> NDArray[np.int64]:
        """Turn groups into the labels of atoms, spreading those that are in none."""
        label = np.full(len(self.atoms), -1, dtype=np.int64)
        used = 0
        for group in start:
            inside = (self.atoms <= group).all(axis=1) & (label < 0)
            if inside.any() and used < slots:
                label[inside] = used
                used += 1
        left = np.flatnonzero(label < 0)
        label[left] = (used + np.arange(len(left))) % slots
        return label


class ListedPartitionSearch:
    """Iterated local search over partitions: tasks move and change places, groups are looked up.

    Parameters
    ----------
    form
        The program, its groups disjoint.
    control
        Told of compiling, which its time limit does not count.
    totals
        Shape (2^N,): the total value of each group by its code, far below 0 where it may not be chosen.
    """

    def __init__(self, form: LatticeForm, control: Control, totals: Floats) -> None:
        with loading(control):
            from solvers.kernels.listed_partitions import improve_listed_partition
        self.form = form
        self._improve = improve_listed_partition
        self._totals = totals.copy()
        self._totals[0] = 0.0
        usual = np.abs(totals[totals > POSSIBLE])
        self._fine = 4.0 * form.n_tasks * (float(usual.max(initial=0.0)) or 1.0)
        # A group that may not be chosen costs more than any fine, but no digits.
        np.maximum(self._totals, -4.0 * self._fine, out=self._totals)
        powers = 1 << np.arange(form.n_tasks)
        fixed = form.forced @ powers
        clashing = (np.arange(len(totals)) & int(fixed.sum())) > 0
        clashing[fixed] = False
        self._totals[clashing] = -4.0 * self._fine

    def search(self, start: Members, least: int, most: int, seed: int) -> Members:
        """Return the groups of a good partition, shape (k, N), the forced ones first of all."""
        form = self.form
        slots = min(most, form.n_tasks)
        powers = 1 << np.arange(form.n_tasks)
        codes = np.zeros(slots, dtype=np.int64)
        taken, used = np.zeros(form.n_tasks, dtype=bool), 0
        for group in np.concatenate([form.forced, start]):
            if used < slots and not (taken & group).any():
                codes[used] = int(powers[group].sum())
                taken |= group
                used += 1
        codes[slots - 1] |= int(powers[~taken].sum())
        best = codes.copy()
        fine, random = self._fine, random_word(seed)
        self._improve(codes, self._totals, form.n_tasks, least, most, fine, RESTARTS, random, best)
        groups = best[best > 0]
        return (groups[:, None] >> np.arange(form.n_tasks) & 1).astype(bool)
