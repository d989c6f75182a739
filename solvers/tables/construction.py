"""Greedy construction of a first grouping."""

from __future__ import annotations

import numpy as np

from engine.solving.control import Control
from solvers.tables.completion import Rule, complete
from solvers.tables.moves import Moves


def construct(moves: Moves, control: Control) -> list[int] | None:
    """Return the best grouping of all greedy rules that fit the program, reporting each to the control.

    Parameters
    ----------
    moves
        The scores.
    control
        Told of every feasible grouping.
    """
    program = moves.program
    rules: list[Rule] = ["improvement"]
    if np.isfinite(program.max_cost):
        rules.append("per cost")
    if program.is_partition or np.isfinite(program.max_cost):
        rules.append("per task")
    best: list[int] | None = None
    for rule in rules:
        groups = complete(moves, [], control, rule)
        if groups is None:
            continue
        control.incumbent(program.rows[groups], program.value(np.array(groups)))
        if best is None or moves.total(groups) > moves.total(best):
            best = groups
    return best
