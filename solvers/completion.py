"""From a partial grouping to a feasible one: greedy extension, and a bounded search for a cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.progress import Control
from solvers.moves import Moves

Rule = Literal["improvement", "per cost", "per task"]

COVER_NODES = 2000
"""The search for a cover gives up after so many nodes."""


def extend(moves: Moves, groups: Sequence[int], control: Control, rule: Rule = "improvement") -> list[int]:
    """Add the best group until none improves the score; then up to the least number of groups.

    Parameters
    ----------
    moves
        The scores.
    groups
        Where to start; within the limits.
    control
        Ends it early.
    rule
        What makes a group the best: its improvement of the score, which serves many tasks first;
        the same divided by its cost; or, until all tasks are served, its mean score over the tasks
        that it serves for the first time, which suits partitions.
    """
    chosen = list(groups)
    while not control.should_stop():
        addable = moves.addable(chosen)
        if not addable.any():
            break
        improvement, rank = _rank(moves, moves.best(chosen), rule)
        rank[~addable] = -np.inf
        group = int(np.argmax(rank))
        if rank[group] == -np.inf or improvement[group] <= moves.tolerance:
            rank = np.where(addable, improvement, -np.inf)
            group = int(np.argmax(rank))
            if improvement[group] <= moves.tolerance and len(chosen) >= moves.program.min_groups:
                break
        chosen.append(group)
    return chosen


def _rank(
    moves: Moves, best: NDArray[np.float64], rule: Rule
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    program = moves.program
    improvement = moves.improvement(best)
    if rule == "per cost":
        divisor = np.maximum(program.cost, 1e-9)
        return improvement, np.where(improvement > 0, improvement / divisor, improvement)
    if rule == "per task":
        first = (best[program.members] == moves.unserved) & (moves.score > -np.inf)
        new = np.bincount(program.entry_groups, first, program.n_groups)
        mean = (improvement + new * moves.unserved) / np.maximum(new, 1)
        return improvement, np.where(new > 0, mean, -np.inf)
    return improvement, improvement.copy()


def complete(
    moves: Moves,
    groups: Sequence[int],
    control: Control,
    rule: Rule = "improvement",
    nodes: int = COVER_NODES,
) -> list[int] | None:
    """Return a feasible grouping near a given one, or None where none is found.

    Mandatory groups come first, then as many of the given groups as the limits allow, then the best
    others. If tasks stay unserved, a bounded search for a cover starts afresh.

    Parameters
    ----------
    moves, groups, control, rule
        As for :func:`extend`; ``groups`` may break limits.
    nodes
        How long to search for a cover.
    """
    kept: list[int] = []
    for group in dict.fromkeys([*moves.mandatory, *groups]):
        if moves.fits(kept, group):
            kept.append(group)
    if not set(moves.mandatory) <= set(kept):
        return None
    chosen = extend(moves, kept, control, rule)
    if not moves.feasible(chosen):
        cover = find_cover(moves, control, nodes=nodes)
        if cover is None:
            return None
        chosen = extend(moves, cover, control)
    return chosen if moves.feasible(chosen) else None


def find_cover(
    moves: Moves,
    control: Control,
    order: NDArray[np.float64] | None = None,
    nodes: int = COVER_NODES,
) -> list[int] | None:
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
    list of int or None
        None where nothing was found, which proves nothing.
    """
    pending = [moves.mandatory]
    while pending and nodes > 0 and not control.should_stop():
        nodes -= 1
        groups = pending.pop()
        best = moves.best(groups)
        uncovered = best == moves.unserved
        if not uncovered.any():
            padded = extend(moves, groups, control) if len(groups) < moves.program.min_groups else groups
            if moves.feasible(padded):
                return padded
            continue
        pending.extend([*groups, group] for group in _branches(moves, groups, best, uncovered, order))
    return None


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
