"""Files: read with clear errors, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import DataError


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    DataError
        If it is missing, a folder, or unreadable.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a folder, not a file.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except ValueError as error:
        raise DataError(f"{str(path)!r}: this is not the name of a file ({error}).") from error


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    DataError
        If it is missing, a folder, unreadable, or not UTF-8 text.
    """
    return decoded(path, read_bytes(path))


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    DataError
        If it is missing, a folder, unreadable, no JSON, or nested beyond reason.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: this is not JSON ({error.msg}).") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: this is not usable JSON ({error}).") from error


def decoded(path: Path, data: bytes) -> str:
    """Return the text that the content of a file is.

    Raises
    ------
    DataError
        If it is not UTF-8 text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path}: this is not a text file in UTF-8.") from None
    if "\x00" in text:
        raise DataError(f"{path}: this is not a text file (it holds NUL bytes).")
    return text


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when the block ends without error.

    A link is followed, and the permissions are those of the file replaced, or of any new file.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written, or ``path`` is a folder, a pipe or a device.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise DataError(f"{path}: cannot be written (a folder, a pipe or a device cannot be replaced).")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}).") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_mode(target))
        temporary.replace(target)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_text(path: Path, text: str) -> None:
    """Write text to a file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_binary(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write bytes to a file through a callback, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as stream:
        write(stream)
