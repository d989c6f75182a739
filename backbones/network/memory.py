"""Work in portions that are halved where the memory does not suffice."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

_TOLD = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory", "ALLOC_FAILED")
"""What torch says, for want of an error of its own, on the CPU and in the libraries of a GPU."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def halving(
    work: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item], size: int
) -> list[Result]:
    """Return the results of all items, worked on in portions.

    Parameters
    ----------
    work
        From a portion to one result per item. It is called again with less where memory runs out.
    items
        All of them.
    size
        Of the portions at first; once halved, it stays so.

    Raises
    ------
    MemoryError, torch.OutOfMemoryError
        If the memory does not suffice for one item.
    """
    found: list[Result] = []
    while len(found) < len(items):
        portion = items[len(found) : len(found) + size]
        try:
            found += work(portion)
            continue
        except (MemoryError, RuntimeError) as error:
            if len(portion) == 1 or not is_out_of_memory(error):
                raise
        # Only here, outside the handler, is the failed attempt's memory free again.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = max(1, len(portion) // 2)
    return found


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(told in str(error) for told in _TOLD)
