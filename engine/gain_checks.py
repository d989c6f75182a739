"""The invariants of a gain tensor, each with its own error; and its groups as bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

if TYPE_CHECKING:
    from engine.gains import GainTensor

SINGLE_TASK_TOLERANCE = 1e-9
LARGEST_VALUE = 1e15
"""Beyond this, sums over groups lose every digit that matters."""


def pack_rows(indptr: NDArray[np.int64], members: NDArray[np.int64], n_tasks: int) -> NDArray[np.uint64]:
    """Pack the members of each row into 64-bit words, shape (M, ⌈N/64⌉)."""
    words = np.zeros((len(indptr) - 1, max(1, -(-n_tasks // 64))), dtype=np.uint64)
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    bits = np.left_shift(np.uint64(1), (members % 64).astype(np.uint64))
    np.bitwise_or.at(words, (rows, members // 64), bits)
    return words


def check(tensor: GainTensor) -> None:
    """Check every invariant, naming the first row and task that break one."""
    tasks = tensor.tasks
    if not tasks:
        raise DataError("A gain tensor needs at least one task.")
    for name in tasks:
        flaw = task_name_flaw(name)
        if flaw:
            raise DataError(f"Task name {name!r} {flaw}.")
    if len(set(tasks)) != len(tasks):
        twice = next(name for name in tasks if tasks.count(name) > 1)
        raise DataError(f"Task {twice!r} is named twice; task names must differ.")
    if tensor.quantity not in ("gain", "loss"):
        raise DataError(f"Quantity {tensor.quantity!r} must be 'gain' or 'loss'.")
    indptr, members = tensor.indptr, tensor.members
    if tensor.n_groups < 1:
        raise DataError("A gain tensor needs at least one group.")
    entries = len(tensor.values)
    if indptr[0] != 0 or indptr[-1] != entries or len(members) != entries or np.any(np.diff(indptr) < 0):
        raise DataError(
            f"indptr must rise from 0 to the number of entries ({entries}), with one member per entry."
        )
    if tensor.std is not None and len(tensor.std) != entries:
        raise DataError(f"Standard errors: {len(tensor.std)} given for {entries} entries.")
    for name in ("cost", "measured"):
        if getattr(tensor, name).shape != (tensor.n_groups,):
            raise DataError(f"{name} needs one number per group ({tensor.n_groups}).")
    empty = np.flatnonzero(tensor.sizes == 0)
    if len(empty):
        raise DataError(f"Row {empty[0] + 1}: the group is empty. Remove the row or add a member.")
    if entries and (members.min() < 0 or members.max() >= len(tasks)):
        raise DataError(f"Member indices must lie in 0…{len(tasks) - 1}.")
    rows = tensor.entry_rows
    disordered = np.flatnonzero((np.diff(members) <= 0) & (np.diff(rows) == 0))
    if len(disordered):
        raise DataError(
            f"Row {rows[disordered[0]] + 1}: members must be distinct and in ascending task order."
        )

    def refuse(entry: int, what: str) -> DataError:
        return DataError(
            f"Row {rows[entry] + 1} ({tensor.label(rows[entry])}), task {tasks[members[entry]]!r}: {what}"
        )

    bad = np.flatnonzero(~(np.abs(tensor.values) <= LARGEST_VALUE))
    if len(bad):
        raise refuse(
            bad[0],
            f"the {tensor.quantity} is {tensor.values[bad[0]]}; it must be a finite number "
            f"of magnitude {LARGEST_VALUE:.0e} at most.",
        )
    if tensor.std is not None:
        bad = np.flatnonzero((tensor.std < 0) | (tensor.std > LARGEST_VALUE))
        if len(bad):
            raise refuse(bad[0], f"standard error {tensor.std[bad[0]]} must be finite and not negative.")
    bad = np.flatnonzero(~(tensor.cost <= LARGEST_VALUE) | (tensor.cost < 0))
    if len(bad):
        raise DataError(
            f"Row {bad[0] + 1} ({tensor.label(bad[0])}): cost {tensor.cost[bad[0]]} must be a "
            "finite number, 0 or more."
        )
    if tensor.quantity == "gain" and tensor.single_task_baseline:
        off = (tensor.sizes[rows] == 1) & (np.abs(tensor.values) > SINGLE_TASK_TOLERANCE)
        if off.any():
            entry = int(np.flatnonzero(off)[0])
            raise refuse(entry, baseline_flaw(float(tensor.values[entry])))
    pair = duplicate_rows(tensor.packed, tensor.cost)
    if pair is not None:
        first, second = pair
        raise DataError(
            f"Rows {first + 1} and {second + 1} are the same group ({tensor.label(second)}) at the same "
            "cost. Keep one, or ask for duplicates to be merged (merge_duplicates=True, "
            "--merge-duplicates)."
        )


def is_number(value: object) -> bool:
    """Whether this is a finite number; True and False are none."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(value)


def task_name_flaw(name: object) -> str:
    """Return what is wrong with a task name, empty if nothing is.

    A name must survive every file format and every table: printable text without ``|`` and without
    spaces at its ends.
    """
    if not isinstance(name, str):
        return "must be text"
    if not name.strip():
        return "must not be empty"
    if "|" in name:
        return "must not contain '|'"
    if name != name.strip() or not name.isprintable():
        return "must be printable text without spaces at its ends"
    return ""


def baseline_flaw(gain: float) -> str:
    """Say what is wrong with a single-task group that gains."""
    return (
        f"a single-task group has gain {gain}, but gains are relative to single-task training, so it must "
        "be 0. If yours have another baseline, say so (single_task_baseline=False, --baseline other)."
    )


def duplicate_rows(packed: NDArray[np.unsignedinteger], cost: NDArray[np.float64]) -> tuple[int, int] | None:
    """Return the first two rows with the same members and cost, or None."""
    order = np.lexsort((cost, *packed.T))
    same = (packed[order[1:]] == packed[order[:-1]]).all(axis=1) & (cost[order[1:]] == cost[order[:-1]])
    found = np.flatnonzero(same)
    if not len(found):
        return None
    second = min(found, key=lambda at: order[at + 1])
    return int(order[second]), int(order[second + 1])
