"""Arrays in the IDX format of MNIST and its successors, plain or compressed with gzip."""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.files import read_bytes

_BYTES = 8


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file.

    The file holds two zero bytes, the code of the type, the number of dimensions, each dimension as a
    big-endian 32-bit number, then the values.

    Parameters
    ----------
    path
        A file, with the suffix ``.gz`` where it is compressed.
    dimensions
        How many dimensions it must have: 1 for labels, 3 for images.

    Raises
    ------
    DataError
        If the file is absent, not IDX, not of bytes, or too short or long for its header.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(f"{path}: this is not an IDX file (it does not start with two zero bytes).")
    kind, count = content[2], content[3]
    if kind != _BYTES:
        raise DataError(f"{path}: an IDX file of bytes has type {_BYTES:#x}, not {kind:#x}.")
    if count != dimensions:
        raise DataError(f"{path}: {dimensions} dimensions are needed, but the file has {count}.")
    start = 4 + 4 * count
    if len(content) < start:
        raise DataError(f"{path}: the file ends within its header.")
    shape = struct.unpack(f">{count}I", content[4:start])
    if len(content) - start != prod(shape):
        raise DataError(
            f"{path}: the header announces {' × '.join(map(str, shape))} = {prod(shape)} bytes, but "
            f"{len(content) - start} follow. Get the file again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path: Path) -> bytes:
    content = read_bytes(path)
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be decompressed ({error}). Get the file again.") from error
