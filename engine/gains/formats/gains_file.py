"""Gains files: the format is chosen by what is given."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from engine.errors import DataError, UsageError
from engine.gains.formats import affinity_json, long_csv, long_parquet, npz, text_pair
from engine.gains.formats.options import ReadOptions, expanded
from engine.gains.formats.tasks import check_coverage
from engine.gains.tensor import GainTensor

GainsPath: TypeAlias = str | Path | Sequence[str | Path]
_Format = TypeVar("_Format")

DEFAULTS = ReadOptions()

_READERS: dict[str, Callable[[Path, ReadOptions], GainTensor]] = {
    ".csv": long_csv.read,
    ".tsv": long_csv.read,
    ".parquet": long_parquet.read,
    ".npz": npz.read,
    ".json": affinity_json.read_tabulated,
}
_WRITERS: dict[str, Callable[[GainTensor, Path], None]] = {
    ".csv": long_csv.write,
    ".tsv": long_csv.write,
    ".parquet": long_parquet.write,
    ".npz": npz.write,
}


def read_gains(path: GainsPath, options: ReadOptions = DEFAULTS) -> GainTensor:
    """Read a gain tensor.

    Parameters
    ----------
    path
        One of

        * ``.csv``: a long table with the columns ``group``, ``task`` and ``gain`` or ``loss``, and
          possibly ``std``, ``cost`` and ``measured``; groups as ``a|b|c``; one line per member;
        * ``.tsv``: the same, separated by tabs;
        * ``.parquet``: the same table (needs pyarrow);
        * ``.npz``: what :func:`write_gains` wrote;
        * ``.json``: an affinity ``{source: {recipient: effect}}``, tabulated over all groups of up to
          12 tasks by the pair-mean rule;
        * a pair of text files without header, 0/1 membership and gains, numbers separated by spaces
          or commas: two paths, or one text ``"MEMBERSHIP,GAINS"``.
    options
        How it is read.

    Raises
    ------
    DataError
        If the file is missing or malformed; the message names file, line and task.
    UsageError
        If the kind of file is not known.
    """
    parts = split_pair(path)
    if len(parts) == 2:
        tensor = text_pair.read(parts[0], parts[1], options)
    else:
        tensor = _by_suffix(parts[0], _READERS)(parts[0], options)
    check_coverage(tensor, " and ".join(map(str, parts)))
    return tensor


def write_gains(tensor: GainTensor, path: GainsPath) -> None:
    """Write a gain tensor, whole or not at all.

    Numbers survive exactly. ``.npz`` and ``.parquet`` hold everything; ``.csv`` and ``.tsv`` neither the
    order of the tasks nor where the values come from; a text pair nothing but membership and gains, so
    that a tensor with costs, standard errors, losses or predicted rows is refused there.

    Parameters
    ----------
    tensor
        What to write.
    path
        As in :func:`read_gains`, but for ``.json``.

    Raises
    ------
    DataError
        If the file cannot be written or its format cannot hold the tensor.
    UsageError
        If the kind of file is not known.
    """
    parts = split_pair(path)
    if len(parts) == 2:
        text_pair.write(tensor, parts[0], parts[1])
    else:
        _by_suffix(parts[0], _WRITERS)(tensor, parts[0])


def writable_paths(path: GainsPath) -> tuple[Path, ...]:
    """Return the one or two files that :func:`write_gains` would write.

    Raises
    ------
    UsageError
        If the kind of file is not known.
    """
    parts = split_pair(path)
    if len(parts) == 1:
        _by_suffix(parts[0], _WRITERS)
    return parts


def split_pair(path: GainsPath) -> tuple[Path, ...]:
    """Return the one or two paths that are meant; a text with a comma that is no file is a pair.

    Raises
    ------
    UsageError
        If neither one nor two paths are meant.
    """
    if not isinstance(path, (str, Path)):
        parts = [str(part) for part in path]
    elif "," in str(path) and not os.path.exists(path):  # Path.exists raises on long names
        parts = str(path).split(",")
    else:
        parts = [str(path)]
    parts = [part.strip() if len(parts) > 1 else part for part in parts]
    if not 1 <= len(parts) <= 2 or not all(parts):
        raise UsageError(f"{path!s:.200}: give one path, or two as MEMBERSHIP,GAINS.")
    return tuple(expanded(part) for part in parts)


def _by_suffix(path: Path, known: dict[str, _Format]) -> _Format:
    found = known.get(path.suffix.lower())
    if found is not None:
        return found
    if os.path.isdir(path):
        raise DataError(f"{path}: this is a folder, not a file.")
    raise UsageError(
        f"{path!s:.200}: the kind of file is not known from its name. Use one of {', '.join(known)}, "
        "or two text files as MEMBERSHIP,GAINS."
    )
