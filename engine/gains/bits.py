"""Groups of tasks as bits and as hashes, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def duplicate_rows(packed: NDArray[np.unsignedinteger], cost: NDArray[np.float64]) -> tuple[int, int] | None:
    """Return the first two rows with the same members and cost, or None."""
    order = np.lexsort((cost, *packed.T))
    same = (packed[order[1:]] == packed[order[:-1]]).all(axis=1) & (cost[order[1:]] == cost[order[:-1]])
    found = np.flatnonzero(same)
    if not len(found):
        return None
    second = min(found, key=lambda at: order[at + 1])
    return int(order[second]), int(order[second + 1])
