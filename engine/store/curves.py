"""Loss curves of a run as compressed bytes, exact and without pickle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

Curves = Mapping[str, NDArray[np.float64]]


def pack_curves(curves: Curves, member: NDArray[np.bool_]) -> bytes:
    """Return the columns of the members as bytes: a line of JSON (splits, epochs), then the numbers.

    Parameters
    ----------
    curves
        Split → shape (epochs, N).
    member
        Shape (N,).
    """
    names = sorted(curves)
    header = json.dumps([[name, len(curves[name])] for name in names]).encode() + b"\n"
    parts = [np.ascontiguousarray(curves[name][:, member], dtype="<f8").tobytes() for name in names]
    return zlib.compress(header + b"".join(parts))


def unpack_curves(packed: bytes, member: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Return what :func:`pack_curves` was given, NaN off the membership.

    Raises
    ------
    DataError
        If the bytes are damaged.
    """
    size = int(member.sum())
    try:
        header, _, data = zlib.decompress(packed).partition(b"\n")
        shapes = json.loads(header)
        numbers = np.frombuffer(data, dtype="<f8")
        curves, first = {}, 0
        for name, epochs in shapes:
            curve = np.full((epochs, len(member)), np.nan)
            curve[:, member] = numbers[first : first + epochs * size].reshape(epochs, size)
            curves[str(name)] = curve
            first += epochs * size
    except (zlib.error, ValueError, TypeError) as error:
        raise DataError(
            f"The curves of this run are damaged ({error}); its results are kept apart from them and are not "
            "concerned."
        ) from error
    return curves
