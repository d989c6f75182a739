"""The compressed NumPy archive that holds everything a tensor has; never pickle."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.files import read_bytes, write_binary
from engine.gains.formats.foreign import told
from engine.gains.formats.options import ReadOptions
from engine.gains.formats.tasks import reordered
from engine.gains.provenance import Provenance
from engine.gains.tensor import GainTensor, Quantity

FORMAT_VERSION = 1

_KINDS = {
    "tasks": ("U", 1),
    "indptr": ("iu", 1),
    "members": ("iu", 1),
    "values": ("fiu", 1),
    "std": ("fiu", 1),
    "cost": ("fiu", 1),
    "measured": ("b", 1),
    "quantity": ("U", 0),
    "single_task_baseline": ("b", 0),
    "source": ("U", 0),
    "split": ("U", 0),
    "provenance": ("U", 0),
    "format_version": ("iu", 0),
}
_REQUIRED = ("tasks", "indptr", "members", "values")


def read(path: Path, options: ReadOptions) -> GainTensor:
    """Read an archive that :func:`write` wrote.

    What the archive says of baseline, source and split stands; the options fill what it leaves open.

    Parameters
    ----------
    path
        The file.
    options
        What the caller asked for.

    Raises
    ------
    DataError
        If the archive is damaged, lacks an array, or breaks a rule of the tensor.
    """
    arrays = _arrays(path, read_bytes(path))
    found = {name: _checked(path, name, array) for name, array in arrays.items()}
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise DataError(
            f"{path}: the archive has no array {missing[0]!r}. It needs {', '.join(_REQUIRED)}; "
            "write_gains makes such an archive."
        )
    version = int(found.get("format_version", np.array(FORMAT_VERSION)))
    if version > FORMAT_VERSION:
        raise DataError(
            f"{path}: format version {version} is newer than this engine knows ({FORMAT_VERSION})."
        )
    if len(found["indptr"]) < 2:
        raise DataError(f"{path}: the archive holds no groups.")

    def text(name: str, default: str) -> str:
        return str(found[name]) if name in found and str(found[name]) else default

    try:
        tensor = GainTensor(
            tuple(found["tasks"].tolist()),
            found["indptr"],
            found["members"],
            found["values"],
            std=found.get("std"),
            cost=found.get("cost", np.empty(0)),
            measured=found.get("measured", np.empty(0, dtype=np.bool_)),
            quantity=cast(Quantity, text("quantity", "gain")),
            single_task_baseline=options.single_task_baseline
            and bool(found.get("single_task_baseline", np.array(True))),
            source=text("source", options.source),
            split=text("split", options.split),
            provenance=Provenance.from_json(text("provenance", "{}")) or Provenance(path.name),
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return reordered(tensor, options.tasks, str(path))


def write(tensor: GainTensor, path: Path) -> None:
    """Write everything the tensor has.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    arrays: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "tasks": np.array(tensor.tasks),
        "indptr": tensor.indptr,
        "members": tensor.members,
        "values": tensor.values,
        "cost": tensor.cost,
        "measured": tensor.measured,
        "quantity": tensor.quantity,
        "single_task_baseline": tensor.single_task_baseline,
        "source": tensor.source,
        "split": tensor.split,
        "provenance": tensor.provenance.to_json(),
    }
    if tensor.std is not None:
        arrays["std"] = tensor.std

    def save(stream: BinaryIO) -> None:
        np.savez_compressed(stream, **arrays)

    write_binary(path, save)


def _arrays(path: Path, data: bytes) -> dict[str, NDArray[Any]]:
    if not data:
        raise DataError(f"{path}: the file is empty.")
    arrays: dict[str, NDArray[Any]] = {}
    name = ""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            for name in archive.files:
                arrays[name] = archive[name]
    except Exception as error:  # a damaged archive raises almost anything, from zlib to tokenize
        if "allow_pickle" not in str(error):
            what = f"this is not a readable .npz archive, or it is truncated ({told(error)})."
        elif name:
            what = (
                f"the array {name!r:.60} holds Python objects, which are never read. Save it with a plain "
                "type, text for names: np.array(names, dtype=str)."
            )
        else:
            what = "this is a pickle, which is never read. write_gains makes a .npz archive."
        raise DataError(f"{path}: {what}") from error
    for name in arrays:
        if name not in _KINDS:
            raise DataError(f"{path}: the array {name!r:.60} is not known. Known are {', '.join(_KINDS)}.")
    return arrays


def _checked(path: Path, name: str, array: object) -> NDArray[Any]:
    kinds, dimensions = _KINDS[name]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds or array.ndim != dimensions:
        raise DataError(f"{path}: the array {name!r} has the wrong type or shape.")
    return array
