"""What a study knows: measured gains, each group once, in an order that does not depend on the telling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError
from engine.gains.tensor import GainTensor


def single_gains(tasks: tuple[str, ...]) -> GainTensor:
    """Return what is known before any measurement: a task alone gains nothing."""
    alone = np.eye(len(tasks), dtype=bool)
    return GainTensor.from_dense(tasks, alone, np.zeros(alone.shape))


def with_told(known: GainTensor, told: GainTensor) -> GainTensor:
    """Return what is known after some gains were told.

    Parameters
    ----------
    known
        What was known before; where the told ones are of another quantity or relative to something
        else, and only tasks alone were known, these are dropped.
    told
        Measured gains over the same tasks; a group that was known before is replaced.

    Raises
    ------
    DataError
        If the tasks differ, a row is predicted, a group stands there twice, or the two do not mix.
    """
    if not isinstance(told, GainTensor):
        raise UsageError(f"Tell a study a GainTensor of measured gains, not {type(told).__name__}.")
    odd = sorted(set(told.tasks) ^ set(known.tasks))
    if odd:
        raise DataError(f"The gains are over other tasks than the study: {', '.join(odd[:5])} in one only.")
    if not told.measured.all():
        row = int(np.flatnonzero(~told.measured)[0])
        raise DataError(f"Group {told.label(row)!r} is predicted: tell a study measured gains only.")
    columns = [told.task_index(name) for name in known.tasks]
    member, values = told.membership[:, columns], told.gains[:, columns]
    keys = [row.tobytes() for row in member]
    if len(set(keys)) < len(keys):
        row = next(row for row, key in enumerate(keys) if key in keys[:row])
        raise DataError(f"Group {told.label(row)!r} is told twice: average its rows, or choose one of them.")
    std = np.full(values.shape, np.nan) if told.std is None else told.dense(told.std)[:, columns]
    cost = told.cost
    told_before = known.digest != single_gains(known.tasks).digest
    if told_before and known.split and told.split and known.split != told.split:
        raise DataError(f"These gains are of split {told.split!r}, those told before of {known.split!r}.")
    alike = (known.quantity, known.single_task_baseline) == (told.quantity, told.single_task_baseline)
    if alike:
        kept = ~np.isin([row.tobytes() for row in known.membership], keys)
        member = np.concatenate([known.membership[kept], member])
        values = np.concatenate([known.gains[kept], values])
        before = np.full(known.gains.shape, np.nan) if known.std is None else known.dense(known.std)
        std = np.concatenate([before[kept], std])
        cost = np.concatenate([known.cost[kept], cost])
    elif told_before:
        raise DataError("These gains are of another kind than those told before: do not mix them.")
    order = canonical_order(known.tasks, member)
    return GainTensor.from_dense(
        known.tasks,
        member[order],
        values[order],
        std=None if np.isnan(std).all() else std[order],
        cost=cost[order],
        quantity=told.quantity,
        single_task_baseline=told.single_task_baseline,
        source=told.source,
        split=told.split or known.split,
        provenance=told.provenance,
    )


def canonical_order(tasks: Sequence[str], member: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the order of groups by size and then by the names of their tasks.

    Parameters
    ----------
    tasks
        N names, in any order: groups of the same names come out in the same order.
    member
        Shape (M, N).
    """
    by_name = sorted(range(len(tasks)), key=lambda column: tasks[column], reverse=True)
    return np.lexsort((*~member.T[by_name], member.sum(axis=1)))
