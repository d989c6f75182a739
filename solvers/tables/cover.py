"""Covers: choices of groups that serve every task, whatever they are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.moves import Moves

Ints = NDArray[np.int64]

COVER_NODES = 2000
"""The search for a cover gives up after so many nodes."""

MOST_GROUPS = 6000
"""Above so many groups the search for maximal covers costs more than it saves."""


@dataclass(frozen=True)
class Cover:
    """The answer to "can every task be served?".

    Attributes
    ----------
    groups
        Candidate indices of a cover, None where none was found.
    decided
        False where the time ended before an answer.
    """

    groups: Ints | None
    decided: bool = True


CoverProver = Callable[[Program, Control], Cover]
"""Finds a choice of groups that serves every task within all limits, or proves that none does."""


def maximal_covers(program: Program) -> Ints:
    """Return the groups that a covering problem needs, ascending.

    A group is not needed where another one of at most its cost covers all that it covers, provided
    that groups do not compete for memberships and no number of them is demanded.
    """
    groups = program.n_groups
    everything = np.arange(groups)
    if groups > MOST_GROUPS or program.max_memberships is not None or program.min_groups:
        return everything
    fine = np.isfinite(program.serve)
    covers = np.zeros((groups, program.n_tasks), dtype=np.float32)
    covers[program.entry_groups[fine], program.members[fine]] = 1.0
    cost = program.cost if np.isfinite(program.max_cost) else np.ones(groups)
    # Entry (i, j): all that i covers, j covers at no higher cost; of equals the first stays.
    within = covers @ covers.T == covers.sum(axis=1)[:, None]
    within &= cost[None, :] <= cost[:, None]
    mutual = within & within.T
    replaced = (within & (~mutual | np.tri(groups, k=-1, dtype=bool))).any(axis=1)
    return np.flatnonzero(~replaced | program.mandatory)


def find_cover(
    moves: Moves,
    control: Control,
    order: NDArray[np.float64] | None = None,
    nodes: int = COVER_NODES,
) -> Cover:
    """Search for groups that serve every task within the limits, depth first with backtracking.

    The task with the fewest possible servers is served next, as in exact-cover search (Knuth's
    algorithm X), by the group with the largest improvement first. A branch ends where even the
    groups that serve most new tasks cannot serve the rest with what is left of number and cost.

    Parameters
    ----------
    moves, control
        The scores, and what ends the search.
    order
        Shape (K,): tries groups by descending order instead.
    nodes
        Gives up after so many.

    Returns
    -------
    Cover
        Undecided where the search gave up, or where a cover could not be filled up to the least
        number of groups.
    """
    pending = [moves.mandatory]
    decided = True
    while pending:
        if nodes <= 0 or control.should_stop():
            return Cover(None, decided=False)
        nodes -= 1
        groups = pending.pop()
        best = moves.best(groups)
        uncovered = best == moves.unserved
        if not uncovered.any():
            padded = groups
            if len(groups) < moves.program.min_groups:
                padded = _padded(moves, groups)
            if moves.feasible(padded):
                return Cover(np.array(sorted(padded), dtype=np.int64))
            decided = False
            continue
        pending.extend([*groups, group] for group in _branches(moves, groups, best, uncovered, order))
    return Cover(None, decided)


def _padded(moves: Moves, groups: list[int]) -> list[int]:
    """Add groups that fit, whichever they are, up to the least number."""
    chosen = list(groups)
    while len(chosen) < moves.program.min_groups:
        addable = np.flatnonzero(moves.addable(chosen))
        if not len(addable):
            break
        chosen.append(int(addable[0]))
    return chosen


def _branches(
    moves: Moves,
    groups: list[int],
    best: NDArray[np.float64],
    uncovered: NDArray[np.bool_],
    order: NDArray[np.float64] | None,
) -> list[int]:
    """Return the groups that may serve the scarcest task, the one to try first last."""
    program = moves.program
    addable = moves.addable(groups)
    useful = addable[program.entry_groups] & (moves.score > -np.inf) & uncovered[program.members]
    new = np.bincount(program.entry_groups[useful], minlength=program.n_groups)
    left = int(uncovered.sum())
    most = int(new.max(initial=0))
    room = program.max_groups - len(groups)
    if most * room < left:
        return []
    if np.isfinite(program.max_cost):
        spendable = program.max_cost - float(program.cost[groups].sum())
        per_cost = (new / np.maximum(program.cost, 1e-12)).max(initial=0.0)
        if per_cost * spendable < left * (1 - 1e-6):
            return []
    servers = np.bincount(program.members[useful], minlength=program.n_tasks)
    servers[~uncovered] = program.n_groups + 1
    scarcest = int(np.argmin(servers))
    found = program.entry_groups[useful & (program.members == scarcest)]
    found = found[new[found] + most * (room - 1) >= left]
    rank = moves.improvement(best) if order is None else order
    return [int(group) for group in found[np.argsort(rank[found], kind="stable")]]
