"""Groups of tasks as bits and as hashes, in blocks of rows; and sets of groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

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


def entries_of(
    indptr: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the entries of each of some rows begin, one row after the other, and these entries.

    Parameters
    ----------
    indptr
        Shape (M + 1,): where the entries of each row begin.
    rows
        Shape (m,).
    """
    sizes = indptr[rows + 1] - indptr[rows]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return starts, np.repeat(indptr[rows] - starts[:-1], sizes) + np.arange(starts[-1])


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


def as_membership(groups: NDArray[Any], n_tasks: int) -> NDArray[np.bool_]:
    """Return groups as a matrix of booleans, shape (m, N).

    Raises
    ------
    DataError
        If the shape does not fit N tasks.
    """
    member = np.asarray(groups, dtype=bool)
    if member.ndim != 2 or member.shape[1] != n_tasks:
        raise DataError(f"Membership of shape {member.shape} does not fit {n_tasks} tasks.")
    return member


def group_bytes(groups: NDArray[np.bool_]) -> list[bytes]:
    """Return one key per group, equal for equal groups: its members as bits.

    Parameters
    ----------
    groups
        Shape (m, N).
    """
    return [row.tobytes() for row in np.packbits(groups, axis=1)]


def first_equal(groups: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where each group stands first, shape (m,).

    Parameters
    ----------
    groups
        Shape (m, N), N one or more.
    """
    packed = np.ascontiguousarray(np.packbits(groups, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    first, number = np.unique(keys, return_index=True, return_inverse=True)[1:]
    return np.asarray(first[number])


def places(groups: NDArray[np.bool_], among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where each group stands first among others, shape (m,); −1 where it does not.

    Parameters
    ----------
    groups, among
        Shapes (m, N) and (M, N).
    """
    first = first_equal(np.concatenate([among, groups]))[len(among) :]
    return np.where(first < len(among), first, -1)


def distinct(groups: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return each group once, where it stands first.

    Parameters
    ----------
    groups
        Shape (m, N).
    """
    kept: NDArray[np.bool_] = groups[first_equal(groups) == np.arange(len(groups))]
    return kept
