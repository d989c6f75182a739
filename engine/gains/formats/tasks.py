"""Task names and their order, as readers need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.errors import DataError, unknown_name
from engine.gains.names import task_name_flaw
from engine.gains.tensor import GainTensor


def check_names(tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the names that a caller gave, checked.

    Raises
    ------
    DataError
        If one is empty, malformed or given twice.
    """
    for position, name in enumerate(tasks):
        flaw = task_name_flaw(name)
        if flaw:
            raise DataError(f"Task name {name!r} {flaw}.")
        if name in tasks[:position]:
            raise DataError(f"Task {name!r} is named twice; task names must differ.")
    return tuple(tasks)


def unknown_task(place: str, name: str, tasks: Sequence[str]) -> DataError:
    """Build the error for a task that is not among the known ones, with a guess."""
    return DataError(f"{place}: {unknown_name('task', name, tasks)}")


def check_coverage(tensor: GainTensor, place: str) -> None:
    """Check that every task is in a group.

    Raises
    ------
    DataError
        If a task is in none, so that no choice of groups can serve it.
    """
    uncovered = np.flatnonzero(np.bincount(tensor.members, minlength=tensor.n_tasks) == 0)
    if len(uncovered):
        raise DataError(
            f"{place}: no group holds the task {tensor.tasks[uncovered[0]]!r}. "
            "Add a group with it, for instance the task alone, or leave the task out."
        )


def reordered(tensor: GainTensor, tasks: Sequence[str] | None, place: str) -> GainTensor:
    """Return the tensor with its tasks in this order; None leaves it.

    Raises
    ------
    DataError
        If the names are not those of the tensor.
    """
    if tasks is None or tuple(tasks) == tensor.tasks:
        return tensor
    wanted = check_names(tasks)
    for name in tensor.tasks:
        if name not in wanted:
            raise unknown_task(place, name, wanted)
    for name in wanted:
        if name not in tensor.tasks:
            raise DataError(f"{place}: {unknown_name('task', name, tensor.tasks)}")
    column = np.array([wanted.index(name) for name in tensor.tasks])
    order = np.lexsort((column[tensor.members], tensor.entry_rows))
    return replace(
        tensor,
        tasks=wanted,
        members=column[tensor.members][order],
        values=tensor.values[order],
        std=None if tensor.std is None else tensor.std[order],
    )
