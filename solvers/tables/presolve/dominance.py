"""Dominance: a group that another one replaces at no loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program

MOST_GROUPS = 500
"""Above so many groups the pairwise comparison costs more than it saves."""


def undominated(program: Program) -> NDArray[np.bool_]:
    """Return which groups no other group replaces at no loss, shape (K,).

    Group h replaces g if it serves every member of g at least as well, costs no more and is worth at
    least as much to open; of equals the first stays. Only where groups do not compete for
    memberships and no number of groups is demanded, else everything stays.
    """
    everything = np.ones(program.n_groups, dtype=bool)
    if (
        program.n_groups > MOST_GROUPS
        or program.max_memberships is not None
        or program.min_groups
        or program.open.any()
    ):
        return everything
    serve = np.full((program.n_groups, program.n_tasks), -np.inf)
    serve[program.entry_groups, program.members] = program.serve
    replaces = (serve[:, None, :] >= serve[None, :, :]).all(axis=2)
    replaces &= program.cost[:, None] <= program.cost[None, :]
    np.fill_diagonal(replaces, False)
    both = replaces & replaces.T
    replaces &= ~both | np.tri(program.n_groups, k=-1, dtype=bool).T
    return ~replaces.any(axis=0) | program.mandatory
