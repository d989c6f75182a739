"""From a partial grouping to a feasible one: greedy extension, and a cover where that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.solving.control import Control
from solvers.tables.cover import COVER_NODES, find_cover
from solvers.tables.moves import Moves

Rule = Literal["improvement", "per cost", "per task"]


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
        if cover.groups is None:
            return None
        chosen = extend(moves, cover.groups.tolist(), control)
    return chosen if moves.feasible(chosen) else None
