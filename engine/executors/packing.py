"""A large value as bytes that workers read without copying."""

from __future__ import annotations

import copyreg
import io
import pickle
from collections import ChainMap
from typing import IO, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

ALIGNMENT = 64
"""Bytes; arrays begin at multiples of it, as vector instructions like."""
INDEX_BYTES = 8


def pack(value: Any, stream: IO[bytes], pickler: type[pickle.Pickler] = pickle.Pickler) -> None:
    """Write a value such that its arrays can be used where they lie.

    Contiguous arrays are written as they are in memory; of a strided view with overlaps, as of windows
    over a series, the series is written, not the windows.

    Parameters
    ----------
    value
        What to write.
    stream
        An empty file, open for writing.
    pickler
        How objects are written.
    """
    inherited: Any = copyreg.dispatch_table if pickler is pickle.Pickler else pickler.dispatch_table
    table: ChainMap[type, Any] = ChainMap({np.ndarray: _reduce_array}, inherited)
    cls = type("Packer", (pickler,), {"dispatch_table": table})
    head = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    cls(head, protocol=5, buffer_callback=buffers.append).dump(value)
    spans = []
    position = 0
    for buffer in buffers:
        with buffer.raw() as raw:
            position += stream.write(b"\0" * (-position % ALIGNMENT))
            spans.append((position, raw.nbytes))
            position += stream.write(raw)
    stream.write(pickle.dumps((head.getvalue(), spans)))
    stream.write(position.to_bytes(INDEX_BYTES, "little"))


def unpack(data: memoryview) -> Any:
    """Return a value written by :func:`pack`; its arrays use the memory given.

    Parameters
    ----------
    data
        The bytes; the arrays are writable if it is.
    """
    index = int.from_bytes(data[-INDEX_BYTES:], "little")
    head, spans = pickle.loads(data[index:-INDEX_BYTES])
    return pickle.loads(head, buffers=[data[begin : begin + size] for begin, size in spans])


def _reduce_array(array: NDArray[Any]) -> Any:
    size = array.itemsize
    plain = array.size and size and not array.dtype.hasobject
    if plain and all(stride >= 0 and stride % size == 0 for stride in array.strides):
        steps = zip(array.shape, array.strides, strict=True)
        span = 1 + sum((length - 1) * (stride // size) for length, stride in steps)
        if span < array.size:
            flat = as_strided(array, (span,), (size,))
            return _restride, (flat, array.shape, array.strides, array.flags.writeable)
    return array.__reduce_ex__(5)


def _restride(
    flat: NDArray[Any], shape: tuple[int, ...], strides: tuple[int, ...], writeable: bool
) -> NDArray[Any]:
    return as_strided(flat, shape, strides, writeable=writeable)
