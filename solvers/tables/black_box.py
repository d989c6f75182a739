"""Local search where groupings can only be evaluated: black-box set functions, extra terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.problem.table import Problem
from engine.solving.control import Control
from solvers.tables.completion import complete
from solvers.tables.cover import find_cover
from solvers.tables.moves import Moves, grouping_value


def search_set_function(
    problem: Problem,
    moves: Moves,
    start: Sequence[int] | None,
    control: Control,
    rng: np.random.Generator,
    evaluations: int,
    restarts: int,
) -> dict[str, Any]:
    """Improve a grouping by adding, dropping and swapping groups; start again from a random one.

    Every set is evaluated once and remembered. The first improving move is taken, in random order.

    Parameters
    ----------
    problem
        Its objective is a :class:`~engine.SetFunction`, or it has extra terms or demands.
    moves
        Decides what is feasible.
    start
        A feasible grouping, or None for the greedy one by the gains of the tensor.
    control
        Told of every better grouping.
    rng
        Decides the order of moves and the restarts.
    evaluations
        How many groupings may be evaluated.
    restarts
        How many random groupings to start from when the search is stuck.

    Returns
    -------
    dict
        The number of evaluations, for the details of the outcome.
    """
    known: dict[frozenset[int], float] = {}

    def value(groups: Sequence[int]) -> float:
        key = frozenset(groups)
        if key not in known:
            known[key] = grouping_value(problem, groups)
            control.incumbent(problem.program.rows[list(groups)], known[key])
        return known[key]

    def spent() -> bool:
        return len(known) >= evaluations or control.should_stop()

    current = list(start) if start is not None else complete(moves, [], control)
    for _ in range(restarts + 1):
        while current is not None and not spent():
            base = value(current)
            current = next(
                (
                    groups
                    for groups in _neighbours(moves, current, rng)
                    if not spent() and moves.feasible(groups) and value(groups) > base
                ),
                None,
            )
        if spent():
            break
        cover = find_cover(moves, control, rng.random(moves.program.n_groups))
        current = None if cover.groups is None else cover.groups.tolist()
    return {"evaluations": len(known)}


def _neighbours(moves: Moves, groups: list[int], rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield the groupings one move away, in random order."""
    count, size = moves.program.n_groups, len(groups)
    # Move m replaces the group at place m mod (size + 1), none for the last place, by candidate
    # m div (size + 1), none for the last candidate.
    for move in rng.permutation((count + 1) * (size + 1)):
        arriving, place = divmod(int(move), size + 1)
        rest = [group for index, group in enumerate(groups) if index != place]
        if arriving == count:
            if place < size:
                yield rest
        elif arriving not in rest and (place == size or arriving != groups[place]):
            yield [*rest, arriving]
