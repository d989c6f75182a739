"""Iterated local search: descend by adding, dropping and swapping groups, perturb, descend again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.solving.control import Control
from solvers.tables.completion import Rule, complete
from solvers.tables.moves import Moves

PROMISING = 20
"""A perturbation forces in one of so many groups that serve a random task best."""


REPAIR_NODES = 50
"""How long a perturbed grouping that leaves tasks unserved is mended."""


def iterate(
    moves: Moves, start: Sequence[int], control: Control, rng: np.random.Generator, iterations: int
) -> list[int]:
    """Descend from a feasible grouping, then perturb and descend again; return the best grouping.

    Parameters
    ----------
    moves, start
        The scores, and a feasible grouping.
    control
        Told of every better grouping.
    rng
        Decides the perturbations.
    iterations
        Perturbations to try.
    """
    current = descend(moves, start, control, rng)
    report(moves, current, control)
    score = moves.total(current)
    for _ in range(iterations):
        if control.should_stop():
            break
        kicked = perturb(moves, current, control, rng)
        if kicked is None:
            continue
        found = descend(moves, kicked, control, rng)
        total = moves.total(found)
        if total >= score:
            if total > score + moves.tolerance:
                report(moves, found, control)
            current, score = found, total
    return current


def report(moves: Moves, groups: Sequence[int], control: Control) -> None:
    """Tell the control of a feasible grouping."""
    chosen = np.array(groups, dtype=np.int64)
    control.incumbent(moves.program.rows[chosen], moves.program.value(chosen))


def descend(moves: Moves, start: Sequence[int], control: Control, rng: np.random.Generator) -> list[int]:
    """Add, drop and swap groups until nothing improves the score.

    Parameters
    ----------
    moves, start, control, rng
        As for :func:`iterate`.
    """
    groups = list(start)
    while not control.should_stop():
        better = _added(moves, groups) or _dropped(moves, groups) or _swapped(moves, groups, control, rng)
        if better is None:
            break
        groups = better
    return groups


def _added(moves: Moves, groups: list[int]) -> list[int] | None:
    gain = np.where(moves.addable(groups), moves.improvement(moves.best(groups)), -np.inf)
    group = int(np.argmax(gain))
    return [*groups, group] if gain[group] > moves.tolerance else None


def _dropped(moves: Moves, groups: list[int]) -> list[int] | None:
    program = moves.program
    if len(groups) <= max(1, program.min_groups):
        return None
    loss = moves.best(groups).sum() - moves.without(groups).sum(axis=1) + program.open[groups]
    loss[program.mandatory[groups]] = np.inf
    place = int(np.argmin(loss))
    return groups[:place] + groups[place + 1 :] if loss[place] < -moves.tolerance else None


def _swapped(moves: Moves, groups: list[int], control: Control, rng: np.random.Generator) -> list[int] | None:
    program = moves.program
    if program.is_partition and bool((program.cost == program.cost[0]).all()):
        # Only a group of the same tasks at another cost could take the place of one.
        return None
    full = moves.best(groups).sum()
    without = moves.without(groups)
    for place in rng.permutation(len(groups)):
        leaving = groups[place]
        if program.mandatory[leaving]:
            continue
        if control.should_stop():
            break
        rest = groups[:place] + groups[place + 1 :]
        gain = moves.improvement(without[place])
        gain[~moves.addable(rest)] = -np.inf
        group = int(np.argmax(gain))
        if without[place].sum() + gain[group] > full + program.open[leaving] + moves.tolerance:
            return [*rest, group]
    return None


def perturb(
    moves: Moves, groups: Sequence[int], control: Control, rng: np.random.Generator
) -> list[int] | None:
    """Force in one to three promising groups, drop what stands in their way, complete the rest.

    Parameters
    ----------
    moves, groups, control, rng
        As for :func:`iterate`.

    Returns
    -------
    list of int or None
        A feasible grouping, or None where this attempt found none.
    """
    program = moves.program
    forced = list(moves.mandatory)
    kept = [group for group in groups if group not in forced]
    merit = moves.score
    if program.is_partition:
        # A group comes with all its members, so that its mean counts, and displaces many others.
        sizes = np.maximum(np.diff(program.indptr), 1)
        totals = np.bincount(program.entry_groups, moves.score, program.n_groups) + program.open
        merit = (totals / sizes)[program.entry_groups]
    for _ in range(1 if program.is_partition else int(rng.integers(1, 4))):
        task = int(rng.integers(program.n_tasks))
        entries = np.flatnonzero((program.members == task) & (moves.score > -np.inf))
        servers = program.entry_groups[entries[np.argsort(-merit[entries], kind="stable")]]
        servers = servers[: PROMISING + len(groups)]
        servers = servers[~np.isin(servers, [*kept, *forced])]
        if not len(servers):
            continue
        group = int(rng.choice(servers))
        if moves.fits(forced, group):
            forced.append(group)
    shuffled = [kept[place] for place in rng.permutation(len(kept))]
    room = program.max_groups - len(forced)
    kept = [*forced, *shuffled[: max(0, room - int(rng.integers(2)))]]
    rule: Rule = "per task" if program.is_partition else "improvement"
    return complete(moves, kept, control, rule, REPAIR_NODES)
