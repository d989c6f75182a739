"""Connections to the database of a gain store, and its failures in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine.errors import DataError, MissingDependencyError, UsageError, listed, quoted
from engine.store.sqlite_file import (
    WatchedFile,
    check_file,
    let_writers_wait,
    mark,
    open_file,
    write_ahead_from_now_on,
)
from engine.store.urls import HIDDEN, NO_URL, parsed, secrets, shown

AT_ONCE = 500
"""Rows named in one statement; databases limit how many."""
MAKING_TABLES = 0x7461736B67726F75
"""Number of the lock that those who make the tables of a store on PostgreSQL wait for."""


@dataclass(frozen=True, eq=False)
class Database:
    """The database of a gain store.

    Attributes
    ----------
    engine
        Of SQLAlchemy.
    url
        Without passwords, for messages.
    hidden
        What no message may show.
    file
        The file of a SQLite store, None for a server.
    """

    engine: Any
    url: str
    hidden: tuple[str, ...] = ()
    file: WatchedFile | None = None

    @contextmanager
    def transaction(self, *, writes: bool) -> Iterator[Any]:
        """Give a connection in a transaction: committed whole where the block ends well, else undone.

        Raises
        ------
        DataError
            If the database fails, or its file is not the one any more that was opened.
        """
        with plain_errors(self.url, self.hidden, self._check), self.engine.connect() as connection:
            connection = connection.execution_options(writes=writes)
            if not writes and self.engine.dialect.name == "postgresql":
                # All statements of a reader see one state, as they do in SQLite.
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                self._check()
                if writes and self.file is not None:
                    self._refuse(self.file.log_flaw(connection))
                yield connection
            if writes:  # what is committed to a file that went meanwhile is lost as well
                self._check()

    def _check(self) -> None:
        if self.file is not None:
            self._refuse(self.file.flaw())

    def _refuse(self, flaw: str) -> None:
        if flaw:
            raise DataError(
                f"The gain store {self.url} {flaw} while it was in use. What was written to it since it was "
                "opened is lost or cannot be relied on: put the file back, or restore a copy, or remove "
                "what is left of it; then run the same command again."
            )


def connect(url: str, *, create: bool) -> Database:
    """Return a database whose tables exist.

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
            "The gain store needs sqlalchemy: pip install 'task-grouping-engine[train]'."
        ) from error
    parts = parsed(url)
    told = shown(parts)
    try:
        if parts.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(f"{told}: the gain store takes sqlite:/// and postgresql+psycopg:// only.")
        if parts.get_backend_name() == "sqlite":
            return _on_file(parts, told, create)
        # A connection that the server has closed is replaced before it is used.
        made = sqlalchemy.create_engine(parts, pool_pre_ping=True)
    except ImportError as error:
        raise MissingDependencyError(
            f"{told} needs a driver ({error}): install it with pip, for PostgreSQL psycopg[binary]."
        ) from error
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise UsageError(f"{told}: {NO_URL}") from error
    database = Database(made, told, secrets(parts))
    _with_tables(database, create)
    return database


def _on_file(parts: Any, told: str, create: bool) -> Database:
    import sqlalchemy

    path = parts.database
    if parts.query:
        raise UsageError(f"{told}: a SQLite URL is sqlite:/// and a file name, without anything after a '?'.")
    check_file(path, told, create)
    making = [create]
    made = sqlalchemy.create_engine(parts, creator=lambda: open_file(path, make=making[0]))
    let_writers_wait(made)
    _with_tables(Database(made, told), create)
    making[0] = False  # from now on a file that is gone is an error
    if create:
        write_ahead_from_now_on(made)
    try:
        with plain_errors(told):
            return Database(made, told, file=WatchedFile(path))
    except OSError as error:
        raise DataError(f"{told}: cannot be read ({error.strerror or error}).") from error


@contextmanager
def plain_errors(
    url: str, hidden: tuple[str, ...] = (), check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Turn failures of the database into one clear :class:`DataError`; what was committed is kept.

    Parameters
    ----------
    url
        For messages.
    hidden
        What no message may show.
    check
        Asked first what the reason may be; raises where it knows.
    """
    import sqlalchemy

    try:
        yield
    except sqlalchemy.exc.SQLAlchemyError as error:
        check()
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        for secret in hidden:
            cause = cause.replace(secret, HIDDEN)
        advice = next(
            (advice for words, advice in _ADVICE if any(word in cause for word in words)),
            "see that the database is there and may be written, then run the same command again",
        )
        raise DataError(
            f"The gain store {url} failed: {cause[:500].rstrip('.')}. "
            f"What was stored before is kept; {advice}."
        ) from error


_ADVICE = (
    (("full", "No space", "disk I/O"), "make room, then run the same command again"),
    (
        ("readonly", "read-only", "permission denied"),
        "this command writes to the store, and the store may only be read here: give write permission to it "
        "(of a file, to the file and its folder), or copy it and name the copy with --store",
    ),
    (
        ("not a database", "malformed", "encrypted", "Could not decode"),
        "this is no gain store, or a damaged one: restore a copy, or give another URL",
    ),
    (("locked",), "another program holds it; try again when that has ended"),
)
"""Words in the message of a database, and what to do then."""


def insert_into(connection: Any, table: Any) -> Any:
    """Return an insert that can say what to do where a row is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)


def _with_tables(database: Database, create: bool) -> None:
    try:
        _set_up_tables(database, create)
    except BaseException:
        database.engine.dispose()
        raise


def _set_up_tables(database: Database, create: bool) -> None:
    from sqlalchemy import inspect, select

    from engine.store.schema import VERSION, about, metadata

    with database.transaction(writes=create) as connection:
        on_file = connection.dialect.name == "sqlite"
        if create and not on_file:
            # PostgreSQL lets two of them make one table at once, and then one of them fails.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MAKING_TABLES})")
        tables = set(inspect(connection).get_table_names())
        there = about.name in tables
        if not there and not create:
            raise DataError(
                f"{database.url} is a database, but holds no gain store. Make one with engine collect."
            )
        if not there:
            others = sorted(tables & set(metadata.tables))
            if others:
                raise DataError(
                    f"{database.url} belongs to another program: its {' and '.join(others)} are not those of "
                    "a gain store. Nothing was changed; give another URL."
                )
            metadata.create_all(connection)
            connection.execute(
                insert_into(connection, about).values(version=VERSION).on_conflict_do_nothing()
            )
            if on_file:
                mark(connection)
        versions = list(connection.execute(select(about.c.version).distinct().limit(10)).scalars())
    if versions != [VERSION]:
        found = listed((quoted(one) for one in versions), 3) or "unknown"
        raise DataError(
            f"{database.url} is a gain store of version {found}, and this program reads version {VERSION}: "
            "use the program that wrote it, or another URL."
        )
