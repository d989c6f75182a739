"""The invariants of a gain tensor, each with its own error; and its groups as bits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

if TYPE_CHECKING:
    from engine.gains.tensor import GainTensor

SINGLE_TASK_TOLERANCE = 1e-9
LARGEST_VALUE = 1e15
"""Beyond this, sums over groups lose every digit that matters."""


BLOCK_ENTRIES = 2_000_000
"""Scans of all entries go in blocks of so many, so that what they need in passing stays small."""


def row_blocks(indptr: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of consecutive ranges of rows with some ``BLOCK_ENTRIES`` entries each."""
    first, rows = 0, len(indptr) - 1
    while first < rows:
        last = int(np.searchsorted(indptr, indptr[first] + BLOCK_ENTRIES, side="right")) - 1
        last = min(max(last, first + 1), rows)
        yield first, last
        first = last


def row_keys(
    indptr: NDArray[np.int64], members: NDArray[np.integer[Any]], n_tasks: int
) -> NDArray[np.uint64]:
    """Return a hash of the members of each row, shape (M,): equal sets have equal hashes.

    The sum, modulo 2⁶⁴, of one scrambled number per member (splitmix64). No row may be empty.
    """
    with np.errstate(over="ignore"):
        word = np.arange(1, n_tasks + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word ^= word >> np.uint64(31)
        keys = np.empty(len(indptr) - 1, dtype=np.uint64)
        for first, last in row_blocks(indptr):
            begin = indptr[first]
            words = word[members[begin : indptr[last]]]
            keys[first:last] = np.add.reduceat(words, indptr[first:last] - begin)
    return keys


def pack_rows(
    indptr: NDArray[np.int64], members: NDArray[np.integer[Any]], n_tasks: int
) -> NDArray[np.uint64]:
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
    falling = members[1:] <= members[:-1]
    falling[indptr[1:-1] - 1] = False
    if falling.any():
        raise DataError(
            f"Row {_row_of(tensor, int(falling.argmax())) + 1}: members must be distinct and in ascending "
            "task order."
        )

    def refuse(entry: int, what: str) -> DataError:
        row = _row_of(tensor, entry)
        return DataError(f"Row {row + 1} ({tensor.label(row)}), task {tasks[members[entry]]!r}: {what}")

    if not (tensor.values.min() >= -LARGEST_VALUE and tensor.values.max() <= LARGEST_VALUE):
        entry = int(np.argmin(np.abs(tensor.values) <= LARGEST_VALUE))
        raise refuse(
            entry,
            f"the {tensor.quantity} is {tensor.values[entry]}; it must be a finite number "
            f"of magnitude {LARGEST_VALUE:.0e} at most.",
        )
    if tensor.std is not None and (
        np.fmin.reduce(tensor.std) < 0 or np.fmax.reduce(tensor.std) > LARGEST_VALUE
    ):
        entry = int(np.argmax((tensor.std < 0) | (tensor.std > LARGEST_VALUE)))
        raise refuse(entry, f"standard error {tensor.std[entry]} must be finite and not negative.")
    bad = np.flatnonzero(~(tensor.cost <= LARGEST_VALUE) | (tensor.cost < 0))
    if len(bad):
        raise DataError(
            f"Row {bad[0] + 1} ({tensor.label(bad[0])}): cost {tensor.cost[bad[0]]} must be a "
            "finite number, 0 or more."
        )
    if tensor.quantity == "gain" and tensor.single_task_baseline:
        alone = indptr[:-1][tensor.sizes == 1]
        off = np.flatnonzero(np.abs(tensor.values[alone]) > SINGLE_TASK_TOLERANCE)
        if len(off):
            entry = int(alone[off[0]])
            raise refuse(entry, baseline_flaw(float(tensor.values[entry])))
    pair = _duplicates(tensor)
    if pair is not None:
        first, second = pair
        raise DataError(
            f"Rows {first + 1} and {second + 1} are the same group ({tensor.label(second)}) at the same "
            "cost. Keep one, or ask for duplicates to be merged (merge_duplicates=True, "
            "--merge-duplicates)."
        )


def _row_of(tensor: GainTensor, entry: int) -> int:
    return int(np.searchsorted(tensor.indptr, entry, side="right")) - 1


def _duplicates(tensor: GainTensor) -> tuple[int, int] | None:
    """Return the first two rows with the same members and cost, or None; compares equal hashes only."""
    order = tensor.rows_by_key
    keys = tensor.row_keys[order]
    twice = keys[1:] == keys[:-1]
    if not twice.any():
        return None
    rows = np.unique(np.concatenate([order[1:][twice], order[:-1][twice]]))
    sizes = tensor.sizes[rows]
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    entries = np.repeat(tensor.indptr[rows] - indptr[:-1], sizes) + np.arange(indptr[-1])
    packed = pack_rows(indptr, tensor.members[entries], tensor.n_tasks)
    pair = duplicate_rows(packed, tensor.cost[rows])
    return None if pair is None else (int(rows[pair[0]]), int(rows[pair[1]]))


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
