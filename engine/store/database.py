"""Connections to the database of a gain store, and its failures in plain words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import DataError, MissingDependencyError, UsageError

BUSY_SECONDS = 600.0
"""How long a writer waits for another one on SQLite; a merge of large stores takes minutes."""
LOCK_SECONDS = 5.0
"""How long any other statement waits on SQLite, without heeding Ctrl-C."""
AT_ONCE = 500
"""Rows named in one statement; databases limit how many."""
NO_URL = "write sqlite:///gains.db or postgresql+psycopg://user@host/gains."


def connect(url: str, *, create: bool) -> Any:
    """Return a SQLAlchemy engine whose tables exist.

    Parameters
    ----------
    url
        A database URL, for example ``sqlite:///gains.db`` or ``postgresql+psycopg://host/gains``.
    create
        Whether to make the tables where there are none.

    Raises
    ------
    MissingDependencyError
        If SQLAlchemy or the database's driver is not installed.
    UsageError
        If the URL cannot be understood.
    DataError
        If the database cannot be reached, is none, or is of another version.
    """
    try:
        import sqlalchemy
    except ImportError as error:
        raise MissingDependencyError(
            "The gain store needs the module 'sqlalchemy': install it with pip, or the extra 'train'."
        ) from error
    try:
        parsed = _parsed(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(f"{shown(url)}: the gain store takes sqlite:/// and postgresql+psycopg:// only.")
        if _is_sqlite(parsed):
            _check_file(parsed, create)
            database = sqlalchemy.create_engine(parsed, creator=lambda: _open_file(parsed.database, create))
            _set_up_sqlite(database)
        else:
            # A connection that the server has closed is replaced before it is used.
            database = sqlalchemy.create_engine(parsed, pool_pre_ping=True)
    except ImportError as error:
        raise MissingDependencyError(
            f"{shown(url)} needs a driver ({error}): install it with pip, for PostgreSQL psycopg[binary]."
        ) from error
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise UsageError(f"{shown(url)}: {NO_URL}") from error
    try:
        _set_up_tables(database, shown(url), create)
    except BaseException:
        database.dispose()
        raise
    if create and _is_sqlite(parsed):
        _write_ahead_from_now_on(database)
    return database


def _parsed(url: str) -> Any:
    import sqlalchemy

    try:
        return sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        # Where the password begins and ends is not known.
        named = f"{url!r}" if "@" not in url else "This"
        raise UsageError(f"{named} is no database URL: {NO_URL}") from error


@contextmanager
def transaction(database: Any, url: str, *, writes: bool) -> Iterator[Any]:
    """Give a connection in a transaction: committed whole where the block ends well, else undone.

    Raises
    ------
    DataError
        If the database fails.
    """
    with plain_errors(url), database.connect() as connection:
        connection = connection.execution_options(writes=writes)
        if not writes and database.dialect.name == "postgresql":
            # All statements of a reader see one state, as they do in SQLite.
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def plain_errors(url: str) -> Iterator[None]:
    """Turn failures of the database into one clear :class:`DataError`; what was committed is kept."""
    import sqlalchemy

    try:
        yield
    except sqlalchemy.exc.SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        advice = next(
            (advice for words, advice in _ADVICE if any(word in cause for word in words)),
            "see that the database is there and may be written, then run the same command again",
        )
        raise DataError(
            f"The gain store {url} failed: {cause.rstrip('.')}. What was stored before is kept; {advice}."
        ) from error


_ADVICE = (
    (("full", "No space", "disk I/O"), "make room, then run the same command again"),
    (("readonly", "read-only"), "give write permission to the file and its folder"),
    (
        ("not a database", "malformed", "encrypted"),
        "this is no gain store, or a damaged one: restore a copy, or give another URL",
    ),
    (("locked",), "another program holds it; try again when that has ended"),
)
"""Words in the message of a database, and what to do then."""


def shown(url: str) -> str:
    """Return a URL without its password."""
    import sqlalchemy

    return str(sqlalchemy.make_url(url).render_as_string(hide_password=True))


def insert_into(connection: Any, table: Any) -> Any:
    """Return an insert that can say what to do where a row is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)


def _is_sqlite(url: Any) -> bool:
    return bool(url.get_backend_name() == "sqlite")


def _check_file(parsed: Any, create: bool) -> None:
    path, url = parsed.database, shown(parsed)
    if parsed.query:
        raise UsageError(f"{url}: a SQLite URL is sqlite:/// and a file name, without anything after a '?'.")
    if not path or path == ":memory:":
        raise UsageError(f"{url}: a gain store outlives its process, so name a file, as sqlite:///gains.db.")
    if not create and not Path(path).is_file():
        raise DataError(
            f"There is no gain store {url} yet. Make one with engine collect, or name it with --store or the "
            "environment variable ENGINE_STORE."
        )
    if not Path(path).absolute().parent.is_dir():
        raise DataError(f"{url}: there is no folder {Path(path).absolute().parent}.")


def _open_file(path: str, create: bool) -> Any:
    import sqlite3

    file = Path(path).absolute()
    options: dict[str, Any] = {"timeout": LOCK_SECONDS, "check_same_thread": False}
    if create or os.access(file.parent, os.W_OK) or Path(f"{file}-wal").exists():
        return sqlite3.connect(file, **options)
    # SQLite keeps notes beside a file even to read it; where it cannot, nobody can be writing there.
    return sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True, **options)


def _set_up_sqlite(database: Any) -> None:
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


def _write_ahead_from_now_on(database: Any) -> None:
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


def _set_up_tables(database: Any, url: str, create: bool) -> None:
    from sqlalchemy import inspect, select

    from engine.store.schema import VERSION, about, metadata

    with transaction(database, url, writes=create) as connection:
        tables = set(inspect(connection).get_table_names())
        there = about.name in tables
        if not there and not create:
            raise DataError(f"{url} is a database, but holds no gain store. Make one with engine collect.")
        if not there:
            others = sorted(tables & set(metadata.tables))
            if others:
                raise DataError(
                    f"{url} belongs to another program: its {' and '.join(others)} are not those of a gain "
                    "store. Nothing was changed; give another URL."
                )
            metadata.create_all(connection)
            connection.execute(
                insert_into(connection, about).values(version=VERSION).on_conflict_do_nothing()
            )
        versions = list(connection.execute(select(about.c.version)).scalars())
    if versions != [VERSION]:
        found = " and ".join(map(str, versions)) or "unknown"
        raise DataError(
            f"{url} is a gain store of version {found}, and this program reads version {VERSION}: use the "
            "program that wrote it, or another URL."
        )
