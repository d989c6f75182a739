"""What a study knows: measured gains, each group once, in an order that does not depend on the telling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError
from engine.gains.bits import first_equal, places
from engine.gains.tensor import GainTensor


def single_gains(tasks: tuple[str, ...]) -> GainTensor:
    """Return what is known before any measurement: a task alone gains nothing."""
    alone = np.eye(len(tasks), dtype=bool)
    return GainTensor.from_dense(tasks, alone, np.zeros(alone.shape))


def with_measured(known: GainTensor, measured: GainTensor) -> GainTensor:
    """Return what is known after some gains were measured.

    Parameters
    ----------
    known
        What was known before; where the new gains are of another quantity or relative to something
        else, and only tasks alone were known, these are dropped.
    measured
        Gains over the same tasks; a group that was known before is replaced.

    Raises
    ------
    UsageError
        If this is no gain tensor.
    DataError
        If the tasks differ, a row is predicted, a group stands there twice, or the two do not mix.
    """
    _check_measured(known, measured)
    columns = [measured.task_index(name) for name in known.tasks]
    member, values = measured.membership[:, columns], measured.gains[:, columns]
    std = np.full(values.shape, np.nan) if measured.std is None else measured.dense(measured.std)[:, columns]
    cost = measured.cost
    begun = known.digest != single_gains(known.tasks).digest
    if begun and known.split and measured.split and known.split != measured.split:
        raise DataError(f"These gains are of split {measured.split!r}, those told before of {known.split!r}.")
    alike = (known.quantity, known.single_task_baseline) == (
        measured.quantity,
        measured.single_task_baseline,
    )
    if alike:
        kept = places(known.membership, member) < 0
        before = np.full(known.gains.shape, np.nan) if known.std is None else known.dense(known.std)
        member = np.concatenate([known.membership[kept], member])
        values = np.concatenate([known.gains[kept], values])
        std = np.concatenate([before[kept], std])
        cost = np.concatenate([known.cost[kept], cost])
    elif begun:
        raise DataError("These gains are of another kind than those told before: do not mix them.")
    order = canonical_order(known.tasks, member)
    return GainTensor.from_dense(
        known.tasks,
        member[order],
        values[order],
        std=None if np.isnan(std).all() else std[order],
        cost=cost[order],
        quantity=measured.quantity,
        single_task_baseline=measured.single_task_baseline,
        source=measured.source,
        split=measured.split or known.split,
        provenance=measured.provenance,
    )


def _check_measured(known: GainTensor, measured: GainTensor) -> None:
    """Refuse what is no measurement of the tasks of a study."""
    if not isinstance(measured, GainTensor):
        raise UsageError(f"Tell a study a GainTensor of measured gains, not {type(measured).__name__}.")
    odd = sorted(set(measured.tasks) ^ set(known.tasks))
    if odd:
        raise DataError(f"The gains are over other tasks than the study: {', '.join(odd[:5])} in one only.")
    if not measured.measured.all():
        label = measured.label(int(measured.measured.argmin()))
        raise DataError(f"Group {label!r} is predicted: tell a study measured gains only.")
    twice = first_equal(measured.membership) < np.arange(measured.n_groups)
    if twice.any():
        label = measured.label(int(twice.argmax()))
        raise DataError(f"Group {label!r} is told twice: average its rows, or choose one of them.")


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
