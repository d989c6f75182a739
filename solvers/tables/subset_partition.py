"""The best partition of the tasks into served sets, by dynamic programming over all sets of tasks.

A set of tasks is a number whose bit t stands for task t; a table over all sets has shape (2^N,).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.loading import loading
from solvers.tables.entries import groups_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CHUNK_CELLS = 2**20
"""How many cells of a table of groups by sets are computed at a time."""

GROUPS_BETWEEN_POLLS = 4096
SPLITS_BETWEEN_POLLS = 100_000_000


@dataclass(frozen=True)
class SubsetChoice:
    """What a dynamic program found.

    Attributes
    ----------
    groups
        Candidate indices of the best grouping that was completed, None where there is none.
    value
        Its value as the tables have it, −inf without one.
    complete
        False where the time ended before every grouping was considered.
    """

    groups: Ints | None
    value: float
    complete: bool


def sets_of(program: Program) -> Ints:
    """Return the set that each candidate may serve, shape (K,)."""
    able = np.isfinite(program.serve)
    sets = np.zeros(program.n_groups, dtype=np.int64)
    np.bitwise_or.at(sets, program.entry_groups[able], 1 << program.members[able])
    return sets


def totals_of(best: Floats, additive: bool) -> Floats:
    """Return the value of each set when its tasks have these values, shape (2^N,).

    Parameters
    ----------
    best
        Shape (N,): the value of each task, −inf where it cannot be served.
    additive
        True for the sum, False for the least.
    """
    totals = np.empty(2 ** len(best))
    totals[0] = 0.0 if additive else np.inf
    for task, value in enumerate(best):
        half = 1 << task
        totals[half : 2 * half] = _joined(totals[:half], value, additive)
    return totals


def split_tasks(
    program: Program, base: NDArray[np.bool_], control: Control, *, compiled: bool
) -> SubsetChoice:
    """Choose groups to add to some that are chosen, so that all tasks are served best.

    Each added group serves a set of tasks of its own; what they leave, the given groups serve. In a
    partition a group serves exactly its members.

    Parameters
    ----------
    program
        Without a cost limit; groups are disjoint or overlap freely. Where groups overlap, an added
        group must not be worth choosing for its opening value alone.
    base
        Shape (K,): groups that are chosen in any case.
    control
        Ends the computation.
    compiled
        Whether to use machine code.
    """
    additive = program.aggregate == "sum"
    fixed = np.flatnonzero(base)
    optional = np.flatnonzero(~base)
    left = _left_to_base(program, fixed, additive)
    places = min(program.max_groups - len(fixed), program.n_tasks)
    if left is None or places < 0:
        return SubsetChoice(None, -np.inf, complete=True)
    worth = _worth(program, optional, control, compiled)
    layers = [np.where(np.arange(len(left)) == 0, 0.0 if additive else np.inf, -np.inf)]
    while worth is not None and len(layers) <= places:
        layer = _layer(worth, layers[-1], additive, control, compiled)
        if layer is None:
            break
        layers.append(layer)
    complete = worth is not None and len(layers) > places
    fewest = max(0, program.min_groups - len(fixed)) if program.is_partition else 0
    best, place, tasks = -np.inf, 0, 0
    for count in range(fewest, len(layers)):
        totals = _joined(layers[count], left[::-1], additive)
        at = int(np.argmax(totals))
        if totals[at] > best:
            best, place, tasks = float(totals[at]), count, at
    if best == -np.inf or worth is None:
        return SubsetChoice(None, -np.inf, complete)
    parts = _trace(worth, layers, place, tasks, additive)
    added = [_server(program, optional, part, additive) for part in parts]
    chosen = np.unique(np.concatenate([fixed, np.array(added, dtype=np.int64)]))
    return SubsetChoice(chosen, best, complete)


def _joined(one: Floats, other: Floats | float, additive: bool) -> Floats:
    joined: Floats = np.add(one, other) if additive else np.minimum(one, other)
    return joined


def _left_to_base(program: Program, fixed: Ints, additive: bool) -> Floats | None:
    """Return the value of leaving each set to the fixed groups; None where those overlap and must not."""
    best = program.best_served(fixed)
    left = totals_of(best, additive)
    if program.is_partition:
        held = np.isin(program.entry_groups, fixed)
        loads = np.bincount(program.members[held], minlength=program.n_tasks)
        if loads.max(initial=0) > 1:
            return None
        whole = int((1 << np.flatnonzero(loads)).sum())
        left = np.where(np.arange(len(left)) == whole, left, -np.inf)
    return left + float(program.open[fixed].sum())


def _worth(program: Program, optional: Ints, control: Control, compiled: bool) -> Floats | None:
    """Return the most that serving each set by one group is worth; None where the time ends."""
    additive = program.aggregate == "sum"
    worth = np.full(2**program.n_tasks, -np.inf)
    if program.is_partition:
        np.maximum.at(worth, sets_of(program)[optional], _values(program, additive)[optional])
        return worth
    some = program.select(optional)
    step = GROUPS_BETWEEN_POLLS if compiled else max(1, CHUNK_CELLS >> program.n_tasks)
    for first in range(0, some.n_groups, step):
        if control.should_stop():
            return None
        last = min(first + step, some.n_groups)
        if compiled:
            with loading(control):
                from solvers.kernels.subset_splits import raise_worth
            raise_worth(groups_of(some), additive, worth, first, last)
        else:
            np.maximum(worth, _served(some, first, last, additive).max(axis=0), out=worth)
    return worth


def _served(program: Program, first: int, last: int, additive: bool) -> Floats:
    """Return the value of each set in each of some groups, opening values included."""
    at = slice(program.indptr[first], program.indptr[last])
    serve = np.full((last - first, program.n_tasks), -np.inf)
    serve[program.entry_groups[at] - first, program.members[at]] = program.serve[at]
    values = np.empty((last - first, 2**program.n_tasks))
    values[:, 0] = program.open[first:last] if additive else np.inf
    for task in range(program.n_tasks):
        half = 1 << task
        values[:, half : 2 * half] = _joined(values[:, :half], serve[:, task : task + 1], additive)
    return values


@lru_cache(maxsize=2)
def _splits(n_tasks: int) -> tuple[Ints, Ints, Ints]:
    """Return all ways to split a set into the part with its lowest task, and the rest.

    Returns
    -------
    tuple of ndarray
        The parts and the rests, shape ((3^N − 1) / 2,), grouped by the set that is split, ascending,
        and where each set begins, shape (2^N − 1,).
    """
    parts = rests = np.zeros(0, dtype=np.int64)
    for task in range(n_tasks):
        bit = 1 << task
        with_bit = np.repeat(parts, 2)
        with_bit[::2] |= bit
        without = np.repeat(rests, 2)
        without[1::2] |= bit
        parts = np.concatenate([parts, [bit], with_bit])
        rests = np.concatenate([rests, [0], without])
    sizes = np.bitwise_count(np.arange(1, 2**n_tasks)).astype(np.int64)
    return parts, rests, np.cumsum(1 << (sizes - 1)) - (1 << (sizes - 1))


def _layer(worth: Floats, below: Floats, additive: bool, control: Control, compiled: bool) -> Floats | None:
    """Return the most that serving each set by one group more is worth; None where the time ends."""
    if control.should_stop():
        return None
    layer = np.full(len(worth), -np.inf)
    n_tasks = len(worth).bit_length() - 1
    if not compiled:
        parts, rests, starts = _splits(n_tasks)
        layer[1:] = np.maximum.reduceat(_joined(worth[parts], below[rests], additive), starts)
        return layer
    with loading(control):
        from solvers.kernels.subset_splits import raise_layer
    step = max(1, SPLITS_BETWEEN_POLLS >> n_tasks)
    for first in range(1, len(worth), step):
        if control.should_stop():
            return None
        raise_layer(worth, below, additive, layer, first, min(first + step, len(worth)))
    return layer


def _trace(worth: Floats, layers: list[Floats], place: int, tasks: int, additive: bool) -> list[int]:
    """Return the parts of a set that give it the value it has in a layer."""
    parts = []
    for below in layers[:place][::-1]:
        lowest = tasks & -tasks
        others = np.zeros(1, dtype=np.int64)
        for task in range(lowest.bit_length(), tasks.bit_length()):
            if tasks >> task & 1:
                others = np.concatenate([others, others | 1 << task])
        splits = others | lowest
        values = _joined(worth[splits], below[tasks ^ splits], additive)
        parts.append(int(splits[np.argmax(values)]))
        tasks ^= parts[-1]
    return parts


def _server(program: Program, optional: Ints, tasks: int, additive: bool) -> int:
    """Return the optional group that serves a set best."""
    able = sets_of(program)
    if program.is_partition:
        values = np.where(able == tasks, _values(program, additive), -np.inf)
    else:
        wanted = np.array([tasks >> task & 1 for task in range(program.n_tasks)], dtype=bool)
        values = np.where(able & tasks == tasks, _values(program, additive, wanted), -np.inf)
    return int(optional[np.argmax(values[optional])])


def _values(program: Program, additive: bool, wanted: NDArray[np.bool_] | None = None) -> Floats:
    """Return the value of each candidate that serves all its members, or the wanted ones, shape (K,)."""
    values = program.open.copy() if additive else np.full(program.n_groups, np.inf)
    served = slice(None) if wanted is None else wanted[program.members]
    (np.add if additive else np.minimum).at(values, program.entry_groups[served], program.serve[served])
    return values
