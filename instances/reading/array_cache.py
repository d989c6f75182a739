"""Arrays that are slow to make, kept in the user cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine import DataError
from engine.files import replacing
from instances.reading.published_files import cache_dir


def cached_array(
    topic: str,
    key: Any,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    fill: Callable[[NDArray[Any]], None],
) -> NDArray[Any]:
    """Return an array from the cache, read as it is used; made and kept there at the first time.

    Parameters
    ----------
    topic
        Folder below the cache.
    key
        All that the content depends on, as JSON can hold it.
    shape, dtype
        Of the array.
    fill
        Writes the content into an array on disk.

    Raises
    ------
    DataError
        If the cache cannot be written.
    """
    content = json.dumps([key, shape, np.dtype(dtype).str], sort_keys=True)
    path = cache_dir() / topic / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.npy"
    kept = _open(path, shape, dtype)
    if kept is not None:
        return kept
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path.parent}: cannot be made ({error.strerror or error}).") from error
    with replacing(path) as temporary:
        array = np.lib.format.open_memmap(temporary, "w+", dtype, shape)
        fill(array)
        array.flush()
        del array
    made = _open(path, shape, dtype)
    if made is None:
        raise DataError(f"{path}: what was just written cannot be read back.")
    return made


def file_stamps(paths: Iterable[Path]) -> str:
    """Return a hash of the names, sizes and times of files, by which a change of them is noticed.

    Raises
    ------
    DataError
        If one is absent.
    """
    hashed = hashlib.sha256()
    for path in paths:
        try:
            state = path.stat()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error
        hashed.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return hashed.hexdigest()


def _open(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any] | None:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == np.dtype(dtype) else None
