"""Every partition of the tasks tried."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.gains.model import all_groups
from engine.problem.lattice import LatticeProblem
from engine.problem.limits import Membership
from engine.solving.control import Control
from engine.solving.solver import Outcome
from solvers.graphs.form import Bools, Floats, Ints

CHUNK = 100_000
"""So many partitions are valued between two looks at the clock."""


def enumerate_partitions(problem: LatticeProblem, control: Control, most: int) -> Outcome:
    """Return the best of all partitions that the demands allow.

    Groups are valued by the gain model itself and the demands read one by one, so that this shares
    nothing with the other solvers of graph problems.

    Parameters
    ----------
    problem, control
        What to solve, and whom to tell.
    most
        Refuse problems with more partitions.

    Raises
    ------
    UsageError
        If there are more partitions.
    """
    count = len(problem.tasks)
    number = bell(count)
    if number > most:
        raise UsageError(
            f"brute-force would try {number:,} partitions of {count} tasks, more than max_sets={most:,}. "
            "Raise max_sets or choose another exact solver."
        )
    member = all_groups(count)
    codes = member @ (1 << np.arange(count))
    worth = np.full(1 << count, -np.inf)
    worth[codes] = _values(problem, member)
    limits = problem.limits
    low, high = max(limits.min_groups, 1), count if limits.max_groups is None else limits.max_groups
    demanded = [sum(1 << task for task in group) for group, _ in limits.mandatory]
    tried = 0
    labels = growth_strings(count)
    for begin in range(0, len(labels), CHUNK):
        if control.should_stop():
            return Outcome(control.rows, np.inf, control.termination(), details={"partitions": tried})
        some = labels[begin : begin + CHUNK]
        blocks = np.stack([((some == group) << np.arange(count)).sum(axis=1) for group in range(count)])
        values = np.where(blocks > 0, worth[blocks], 0.0).sum(axis=0)
        groups = (blocks > 0).sum(axis=0)
        values[(groups < low) | (groups > high)] = -np.inf
        for code in demanded:
            values[~(blocks == code).any(axis=0)] = -np.inf
        tried += len(some)
        best = int(np.argmax(values))
        if values[best] > control.value:
            held = some[best][None, :] == np.arange(groups[best])[:, None]
            control.incumbent(held, float(values[best]))
    details = {"partitions": tried}
    if control.rows is None:
        return Outcome(None, infeasible=True, details=details)
    return Outcome(control.rows, control.value, details=details)


def _values(problem: LatticeProblem, member: Bools) -> Floats:
    """Return the value of each group in program form, −inf where it may not be chosen."""
    limits = problem.limits
    gains = problem.model.predict(member)
    with np.errstate(invalid="ignore"):
        broken = gains < limits.floor if limits.quantity == "gain" else gains > limits.floor
    weights = cast("Floats", problem.task_weights)
    values: Floats = np.where(member, gains * weights, 0.0).sum(axis=1)
    values[~limits.admitted(Membership(member)) | broken.any(axis=1)] = -np.inf
    return values


def bell(count: int) -> int:
    """Return the number of partitions of a set."""
    row = [1]
    for size in range(1, count + 1):
        row.append(sum(math.comb(size - 1, rest) * row[rest] for rest in range(size)))
    return row[count]


def growth_strings(count: int) -> NDArray[np.int8]:
    """Return every partition once, shape (Bell(count), count): groups numbered in order of appearance.

    Parameters
    ----------
    count
        Number of elements, at least 1.
    """
    labels = np.zeros((1, 1), dtype=np.int8)
    for _ in range(1, count):
        room: Ints = labels.max(axis=1).astype(np.int64) + 2
        last = np.arange(int(room.sum())) - np.repeat(np.cumsum(room) - room, room)
        labels = np.column_stack([np.repeat(labels, room, axis=0), last.astype(np.int8)])
    return labels
