"""The integer program of groups and tasks, and what its relaxation is made of, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

from solvers.kernels.arrays import Floats, Ints, Members

# Polyak steps, tuned on the measured and the HOA gains of mimic27: the first factor of the step, how
# much of the last direction is kept, and when and how far the factor falls.
FIRST_STEP = 1.3
MOMENTUM = 0.6
PATIENCE = 5
STEP_DECAY = 0.65
LEAST_STEP = 1e-3


class GroupArrays(NamedTuple):
    """A program of K groups.

    Attributes
    ----------
    indptr, members, serve
        Group g has the tasks ``members[indptr[g] : indptr[g + 1]]`` and serves each at that value.
    opening, cost
        Shape (K,): what choosing a group is worth, and what it costs.
    most, least
        Bounds on the number of chosen groups.
    shares
        The most chosen groups that may hold a task; 0 for any number.
    cap
        The most that chosen groups may cost.
    rigid
        Whether a chosen group serves all its members, as in a partition.
    """

    indptr: Ints
    members: Members
    serve: Floats
    opening: Floats
    cost: Floats
    most: int
    least: int
    shares: int
    cap: float
    rigid: bool


class Dual(NamedTuple):
    """The demands that prices are put on: that each task is served, its memberships, the cost.

    Attributes
    ----------
    supply
        Shape (2 N + 1,): 1 for each task, the membership limit for each, the cost limit; 0 for no limit.
    low, high
        Shape (2 N + 1,): bounds on the prices. Larger ones prove nothing more and cost digits.
    """

    supply: Floats
    low: Floats
    high: Floats
