"""Known gains in an order of their own: a fit depends on what is known, not on how it is listed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.tensor import GainTensor

Numbers = NDArray[np.float64]


def canonical_gains(gains: GainTensor) -> GainTensor:
    """Return the known gains with tasks by name, and groups by size and then by members.

    Known are the measured rows, or all where none is measured; of several rows of one group the one
    of cost 1, the standard network, or else the cheapest.

    Parameters
    ----------
    gains
        In any order.
    """
    rows = np.flatnonzero(gains.measured) if gains.measured.any() else np.arange(gains.n_groups)
    known = gains.select(rows)
    columns = by_name(gains.tasks)
    member = known.membership[:, columns]
    order = np.lexsort((known.cost, known.cost != 1, *member.T[::-1], known.sizes))
    member = member[order]
    first = np.append(True, (member[1:] != member[:-1]).any(axis=1))
    order, member = order[first], member[first]
    sorted_tensor = GainTensor.from_dense(
        [gains.tasks[column] for column in columns],
        member,
        known.gains[order][:, columns],
        std=None if known.std is None else known.dense(known.std)[order][:, columns],
        cost=known.cost[order],
        quantity=gains.quantity,
        single_task_baseline=gains.single_task_baseline,
    )
    return replace(sorted_tensor, source=gains.source, split=gains.split)


def known_rows(gains: GainTensor) -> NDArray[np.int64]:
    """Return the rows to fit on as they are listed, each group once.

    These are the measured rows, or all where none is measured; of several rows of one group the first of
    cost 1, the standard network, or else the first.

    Parameters
    ----------
    gains
        In any order.
    """
    order = np.lexsort((np.arange(gains.n_groups), gains.cost != 1))
    if gains.measured.any():
        order = order[gains.measured[order]]
    first = np.unique(gains.packed[order], axis=0, return_index=True)[1]
    return np.asarray(np.sort(order[first]), dtype=np.int64)


def by_name(tasks: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the columns of the tasks in the order of their names."""
    return np.array(sorted(range(len(tasks)), key=tasks.__getitem__), dtype=np.int64)


def larger_groups(gains: GainTensor, source: str) -> GainTensor:
    """Return the groups of two or more.

    Raises
    ------
    DataError
        If a task is in none; it is named.
    """
    rows = np.flatnonzero(gains.sizes > 1)
    uncovered = gains.select(rows).uncovered if len(rows) else gains.tasks
    if uncovered:
        raise DataError(
            f"The source {source!r} needs a group of two or more tasks that holds {uncovered[0]!r}: "
            "collect some."
        )
    return gains.select(rows)


def values_alone(gains: GainTensor) -> Numbers:
    """Return the value of each task alone, shape (N,): 0 for gains by their definition, NaN if unknown."""
    singles = np.full(gains.n_tasks, 0.0 if gains.quantity == "gain" else np.nan)
    alone = np.flatnonzero(gains.sizes == 1)
    singles[gains.members[gains.indptr[alone]]] = gains.values[gains.indptr[alone]]
    return singles
