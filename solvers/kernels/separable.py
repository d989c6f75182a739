"""What groups of a separable model are made of and worth, and states of searches, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.kernels.arrays import (
    Bools2,
    Floats,
    Floats2,
    Floats3,
    Ints,
    OutBools2,
    OutFloats,
    OutFloats2,
    OutInts,
    OutInts2,
    OutSigns,
)


class Numbers(NamedTuple):
    """What a group of two tasks or more is worth.

    Attributes
    ----------
    min_size, max_size
        Bounds on the number of tasks.
    size_weights
        Shape (N + 1,): weight of the effects in a group of each size.
    gain_worth, over, floor
        Shape (N,): a task that gains ``v`` counts ``gain_worth · v + over`` where ``v`` is at least
        ``floor``, and otherwise nothing or, if ``rigid``, makes the group one that may not be chosen.
    hold
        Shape (N,): price of holding each task.
    rigid
        Whether every member is served.
    """

    min_size: int
    max_size: int
    size_weights: Floats
    gain_worth: Floats
    over: Floats
    floor: Floats
    hold: Floats
    rigid: bool


class Atoms(NamedTuple):
    """Sets of tasks that are always together. The last one of the K + 1 is empty: no atom at all.

    Attributes
    ----------
    tasks
        Shape (K + 1, N): the tasks of each atom.
    sizes
        Shape (K + 1,): their number.
    effects
        Shape (K + 1, N): effect of each atom on each task.
    conflicts
        Shape (K + 1, K + 1): atoms that exclude one another; on the diagonal, those not allowed at all.
    """

    tasks: Bools2
    sizes: Ints
    effects: Floats2
    conflicts: Bools2


class Structure(NamedTuple):
    """What is decided, in this order, and what it does to the gains.

    Attributes
    ----------
    atoms, effects, conflicts
        Shapes (K, N), (K, N) and (K, K): those of :class:`Atoms`, but for the
        empty one.
    forbidden
        Shape (F, N): groups that do not count.
    others
        Shape (K + 1, N + 1, N): by the number of decided atoms, the largest sum of the effects of k undecided
        tasks on each other task.
    """

    atoms: Bools2
    effects: Floats2
    conflicts: Bools2
    forbidden: Bools2
    others: Floats3


class Descent(NamedTuple):
    """The state of a search, so that a later call goes on where an earlier one stopped.

    Attributes
    ----------
    position
        Shape (3,): the current depth, less than that of the root at the end; the number of nodes so far;
        and the depth of the root, above which nothing is decided here.
    side
        Shape (K + 1,): what was tried at each depth: 0 nothing, 1 with the atom, 2 also without.
    state
        Shape (N,): 1 for members, −1 for tasks left out, 0 for undecided ones.
    sums, base, likely, size, undecided
        Shape (K + 1, N), the others (K + 1,), of the node at each depth: effect of the members on each task,
        what they cost to hold (negative), how many more members the bound is reached with, and the numbers
        of members and of undecided tasks.
    found
        Shape (1,): how many groups are kept.
    worths, groups
        Shape (R + 1,) and (R, N): what a group must exceed, then the worth of those kept, and these.
    """

    position: OutInts
    side: OutSigns
    state: OutSigns
    sums: OutFloats2
    base: OutFloats
    likely: OutInts
    size: OutInts
    undecided: OutInts
    found: OutInts
    worths: OutFloats
    groups: OutBools2

    @property
    def kept(self) -> OutBools2:
        """Shape (k, N): the groups found."""
        return self.groups[: min(int(self.found[0]), len(self.groups))]


class PairArrays(NamedTuple):
    """What a partition is made of and worth. The last one of the K + 1 atoms is empty: no atom at all.

    Attributes
    ----------
    sizes
        Shape (K + 1,): tasks of each atom.
    between, inner
        Shapes (K + 1, K + 1) and (K + 1,): effects between two atoms, both ways, and within one.
    linear, alone
        Shape (K + 1,): what an atom is worth besides, in a group of two tasks or more and as a group of one.
    conflicts
        Shape (K + 1, K + 1): atoms that exclude one another.
    size_weights
        Shape (N + 1,): weight of the pairs in a group of each size.
    min_groups, max_groups, min_size, max_size
        Demands.
    fine
        What each unit of violation of a demand costs.
    """

    sizes: Ints
    between: Floats2
    inner: Floats
    linear: Floats
    alone: Floats
    conflicts: Bools2
    size_weights: Floats
    min_groups: int
    max_groups: int
    min_size: int
    max_size: int
    fine: float


class Sums(NamedTuple):
    """Sums over the atoms of each group, one row or entry per group.

    Attributes
    ----------
    size, pairs, extra, single, clashes
        Shape (slots,): tasks, effects of pairs, what atoms are worth besides and alone, conflicts.
    links, foes
        Shape (slots, K + 1): effects between the group and each atom, and conflicts.
    """

    size: OutInts
    pairs: OutFloats
    extra: OutFloats
    single: OutFloats
    clashes: OutInts
    links: OutFloats2
    foes: OutInts2


def empty_sums(slots: int, atoms: int) -> Sums:
    """Return the sums of groups without atoms, of which there are so many besides the empty one."""
    size, clashes = np.zeros((2, slots), dtype=np.int64)
    pairs, extra, single = np.zeros((3, slots))
    shape = (slots, atoms + 1)
    return Sums(size, pairs, extra, single, clashes, np.zeros(shape), np.zeros(shape, dtype=np.int64))
