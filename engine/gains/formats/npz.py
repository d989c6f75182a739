"""The compressed NumPy archive that holds everything a tensor has; never pickle."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.lib import format
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
MOST_CHARACTERS = 10_000_000
"""What the texts of one array may hold."""

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
    found = _arrays(path, read_bytes(path))
    version = int(found.get("format_version", np.array(FORMAT_VERSION)))
    if version > FORMAT_VERSION:
        raise DataError(
            f"{path}: format version {version} is newer than this engine knows ({FORMAT_VERSION})."
        )

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
    """Read the arrays, once their headers fit one another: absurd sizes take no memory."""
    if not data:
        raise DataError(f"{path}: the file is empty.")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            headers = {name: _header(archive, name) for name in archive.files if name in _KINDS}
            _check_headers(path, archive.files, headers)
            return {name: archive[name] for name in headers}
    except DataError:
        raise
    except Exception as error:  # a damaged archive raises almost anything, from zlib to tokenize
        what = (
            "this is a pickle, which is never read. write_gains makes a .npz archive."
            if "allow_pickle" in str(error)
            else f"this is not a readable .npz archive, or it is truncated ({told(error)})."
        )
        raise DataError(f"{path}: {what}") from error


def _header(archive: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and type that an array of an archive says that it has."""
    with archive.zip.open(f"{name}.npy") as stream:
        version = format.read_magic(stream)
        read_header = format.read_array_header_1_0 if version == (1, 0) else format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    return shape, dtype


def _check_headers(
    path: Path, names: list[str], headers: dict[str, tuple[tuple[int, ...], np.dtype[Any]]]
) -> None:
    for name in names:
        if name not in headers:
            raise DataError(f"{path}: the array {name!r:.60} is not known. Known are {', '.join(_KINDS)}.")
    for name, (shape, dtype) in headers.items():
        kinds, dimensions = _KINDS[name]
        if dtype.hasobject:
            raise DataError(
                f"{path}: the array {name!r} holds Python objects, which are never read. Save it with a "
                "plain type, text for names: np.array(names, dtype=str)."
            )
        if dtype.kind not in kinds or len(shape) != dimensions:
            raise DataError(f"{path}: the array {name!r} has the wrong type or shape.")
        characters = math.prod(shape) * dtype.itemsize // 4
        if dtype.kind == "U" and characters > MOST_CHARACTERS:
            raise DataError(
                f"{path}: the array {name!r} has room for {characters} characters; "
                f"{MOST_CHARACTERS} are the most."
            )
    missing = [name for name in _REQUIRED if name not in headers]
    if missing:
        raise DataError(
            f"{path}: the archive has no array {missing[0]!r}. It needs {', '.join(_REQUIRED)}; "
            "write_gains makes such an archive."
        )
    sizes = {name: shape[0] for name, (shape, _) in headers.items() if shape}
    tasks, groups, entries = sizes["tasks"], sizes["indptr"] - 1, sizes["members"]
    if groups < 1:
        raise DataError(f"{path}: the archive holds no groups.")
    if not groups <= entries <= groups * tasks:
        raise DataError(
            f"{path}: {entries} members cannot be those of {groups} groups of {tasks} tasks, where each "
            "group holds at least one task and none twice."
        )
    for name, due in (("values", entries), ("std", entries), ("cost", groups), ("measured", groups)):
        if sizes.get(name, due) != due:
            raise DataError(f"{path}: the array {name!r} has {sizes[name]} elements where {due} are due.")
