"""What a scan over every group of a separable model reads, as kernels take it."""

from __future__ import annotations

from typing import NamedTuple

from solvers.kernels.arrays import Bits2, Ints, Ints2, Singles, Singles2

NEVER = -1e30
"""What a scan gives to a group that may not be chosen, and to serving where that is not possible."""


class Tables(NamedTuple):
    """What a scan reads, in the precision of the look.

    Attributes
    ----------
    effects
        Shape (N, N): effect of the row's task on the column's.
    low_bits
        Number of low tasks.
    low_sums
        Shape (N, lanes): effect of the low tasks of a lane on each task.
    low_member
        Shape (low tasks, lanes): 1 where the low task is in the lane, else 0.
    size_weights
        Shape (high tasks + 1, lanes): weight of the effects, given the number of high members.
    low_base
        Shape (high tasks + 1, lanes): what to begin with, given the number of high members:
        the prices of holding the low tasks, ``NEVER`` where the size is out of bounds.
    low_bad
        Shape (3, lanes): bit s is set where demand s forbids the lane, given that the high part is in
        state 0, 1 or 2 of that demand.
    high_parts
        Shape (2, demands): the high tasks of each demand, as a code, and their number.
    demands
        Shape (demands,): 0 for "apart", 1 for "together".
    gain_worth, over, least
        Shape (N,): a task that gains ``v`` counts ``gain_worth · v + over`` where ``v`` is at least
        ``least``, and otherwise nothing or, if ``rigid``, makes the group one that may not be chosen.
    hold
        Shape (N,): price of holding each task.
    rigid
        Whether every member is served.
    """

    effects: Singles2
    low_bits: int
    low_sums: Singles2
    low_member: Singles2
    size_weights: Singles2
    low_base: Singles2
    low_bad: Bits2
    high_parts: Ints2
    demands: Ints
    gain_worth: Singles
    over: Singles
    least: Singles
    hold: Singles
    rigid: bool
