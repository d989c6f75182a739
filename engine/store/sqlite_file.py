"""The file of a SQLite store: opened, shared by writers, and watched while it is in use."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DataError, UsageError

BUSY_SECONDS = 600.0
"""How long a writer waits for another one; a merge of large stores takes minutes."""
LOCK_SECONDS = 5.0
"""How long any other statement waits, without heeding Ctrl-C."""


def check_file(path: str, url: str, create: bool) -> None:
    """Refuse what is no file, is not there, or may not be read or written.

    Raises
    ------
    UsageError
        If no file is named.
    DataError
        If it is not there, or its permissions do not do.
    """
    if not path or path == ":memory:":
        raise UsageError(f"{url}: a gain store outlives its process, so name a file, as sqlite:///gains.db.")
    file = Path(path).absolute()
    if not create and not file.is_file():
        raise DataError(
            f"There is no gain store {url} yet. Make one with engine collect, or name it with --store or the "
            "environment variable ENGINE_STORE."
        )
    if not file.parent.is_dir():
        raise DataError(f"{url}: there is no folder {file.parent}.")
    if file.exists() and not os.access(file, os.R_OK):
        raise DataError(f"{url}: there is no permission to read {file}.")
    if create:
        _check_writable(file, url)


def _check_writable(file: Path, url: str) -> None:
    # SQLite keeps its log beside the file, so that the folder must be writable, too.
    for place, kind in ((file, "file"), (file.parent, "folder")):
        if place.exists() and not os.access(place, os.W_OK):
            raise DataError(
                f"{url}: the {kind} {place} may only be read, but results are to be written there. Give "
                "write permission to it, or name another store with --store."
            )


def open_file(path: str, *, make: bool) -> Any:
    """Return a connection of :mod:`sqlite3`.

    Parameters
    ----------
    path
        The file.
    make
        Whether a file that is not there is made; otherwise it is an error.
    """
    import sqlite3

    file = Path(path).absolute()
    mode = "rwc" if make else "rw"
    if not make and not os.access(file.parent, os.W_OK) and not Path(f"{file}-wal").exists():
        # SQLite keeps notes beside a file even to read it; where it cannot, nobody can be writing there.
        mode = "ro&immutable=1"
    return sqlite3.connect(
        f"{file.as_uri()}?mode={mode}", uri=True, timeout=LOCK_SECONDS, check_same_thread=False
    )


def let_writers_wait(database: Any) -> None:
    """Let writers wait for one another: a transaction that will write says so when it begins."""
    from sqlalchemy import event
    from sqlalchemy.exc import OperationalError

    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    def on_begin(connection: Any) -> None:
        if not connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql("BEGIN")
            return
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > until:
                    raise

    event.listen(database, "connect", on_connect)
    event.listen(database, "begin", on_begin)


def write_ahead_from_now_on(database: Any) -> None:
    """Let readers and one writer work at the same time, in a file that is known to be a gain store."""
    from sqlalchemy import event

    database.dispose()
    event.listen(database, "connect", _write_ahead)


def _write_ahead(connection: Any, _: Any) -> None:
    import sqlite3

    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "readonly" in str(error):
                return  # it can still be read
            # This statement does not wait for another program that does the same just now.
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)


def mark(connection: Any) -> None:
    """Mark a new store by a number of its own, which tells it from every other one."""
    connection.exec_driver_sql(f"PRAGMA user_version = {secrets.randbelow(2**31 - 1) + 1}")


@dataclass(frozen=True)
class _State:
    """What a file is: where it lies on disk, the mark of the store in it, and its size in pages."""

    place: tuple[int, int]
    mark: int
    pages: int


class WatchedFile:
    """A file of which it is known whether it is still the store that was opened.

    A file that was deleted can be written on, and all that is written is gone in the end; one that was
    overwritten is mixed with what SQLite holds back in its log. Neither is an error to SQLite.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: str) -> None:
        self._file = Path(path).absolute()
        self._last = self._state()
        self._flaw = ""

    def flaw(self) -> str:
        """Return what happened to the file since it was opened, for good; empty if nothing did."""
        self._flaw = self._flaw or self._new_flaw()
        return self._flaw

    def _new_flaw(self) -> str:
        import sqlite3

        before = self._last
        try:
            if _place(self._file) != before.place or not self._file.is_file():
                return "was replaced by something else"
            now = self._state()
        except FileNotFoundError:
            return "was deleted or moved"
        except (OSError, sqlite3.Error):
            return "was overwritten" if self._file.exists() else "was deleted or moved"
        # What SQLite writes itself leaves the mark and never makes the file shorter.
        if (before.mark and now.mark != before.mark) or now.pages < before.pages:
            return "was overwritten"
        self._last = now
        return ""

    def log_flaw(self, connection: Any) -> str:
        """Return what happened to the log that a connection writes to; empty if nothing did.

        Parameters
        ----------
        connection
            Of SQLAlchemy, in a transaction that writes.
        """
        log = Path(f"{self._file}-wal")
        place = _place(log) if log.exists() else None
        # Nobody removes the log while this connection is open, but by hand.
        before = connection.info.setdefault("log", place)
        return "" if before == place else f"lost its log {self._file.name}-wal"

    def _state(self) -> _State:
        import sqlite3

        # SQLite alone may open the file, here without its log: whoever else opens and closes it takes the
        # locks of this process away.
        connection = sqlite3.connect(f"{self._file.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            (number,) = connection.execute("PRAGMA user_version").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
        finally:
            connection.close()
        return _State(_place(self._file), number, pages)


def _place(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino
