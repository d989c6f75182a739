"""Groups as text, and checksums over results."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def members_text(membership: NDArray[np.bool_]) -> list[str]:
    """Return one text per group: its membership as bits, in hexadecimal digits; N is not limited."""
    return [row.tobytes().hex() for row in np.packbits(np.asarray(membership, dtype=bool), axis=1)]


def membership_of(texts: Sequence[str], n_tasks: int) -> NDArray[np.bool_]:
    """Return the groups that :func:`members_text` wrote, shape (len(texts), n_tasks).

    Raises
    ------
    DataError
        If a text is none that was written.
    """
    width = (n_tasks + 7) // 8
    try:
        packed = np.frombuffer(bytes.fromhex("".join(texts)), dtype=np.uint8).reshape(len(texts), width)
    except (TypeError, ValueError):
        raise DataError(
            "The gain store is damaged: a run names no group. engine gains repair removes such runs."
        ) from None
    return np.unpackbits(packed, axis=1, count=n_tasks).astype(bool)


def checksums(
    members: Sequence[str],
    seeds: NDArray[np.int64],
    counts: NDArray[np.int64],
    split: NDArray[np.int64],
    task: NDArray[np.int64],
    metric: NDArray[np.float64],
    loss: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return one checksum per run, whatever the order of its results.

    Parameters
    ----------
    members, seeds, counts
        One per run: its group as text, its seed, and how many results it has.
    split, task, metric, loss
        One per result, run after run; ``split`` as :func:`split_number` gives it.
    """
    names = np.array([crc32(str(one).encode()) for one in members], dtype=np.uint64)
    where = split.astype(np.uint64) * np.uint64(1 << 32) + task.astype(np.uint64)
    mixed = _mix(_mix(_mix(where + _GOLDEN) ^ _bits(metric)) ^ _bits(loss))
    # Sums of 64 bits wrap around, so that their differences are right all the same.
    summed = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    ends = np.cumsum(counts)
    own = _mix(_mix(names + _GOLDEN) ^ seeds.astype(np.int64).view(np.uint64))
    return np.asarray((own + summed[ends] - summed[ends - counts]).view(np.int64))


def split_number(split: str) -> int:
    """Return a number that stands for the name of a split in a checksum."""
    return crc32(split.encode())


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    return (values + 0.0).view(np.uint64)  # −0 and 0 are the same number to a database


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix bits as SplitMix64 does (Steele et al., OOPSLA 2014)."""
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))
