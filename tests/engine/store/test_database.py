"""Which databases are opened, how, and what happens to those that are no gain store."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import DataError, GainStore, UsageError
from engine.store import sqlite_file
from tests.engine.store.made import experiment, groups, trained

ALL = groups("1000", "0100", "0010", "0001", "1100", "1111")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gains.db"
    with GainStore.open(f"sqlite:///{path}") as store:
        store.save(store.register(experiment()), trained(ALL, 0))
    return path


def told_of(path: Path) -> tuple[list[str], str]:
    """Return the names of the tables and the mode of the journal."""
    connection = sqlite3.connect(path)
    names = sorted(name for (name,) in connection.execute("SELECT name FROM sqlite_master"))
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    return names, mode


@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_another_program_stays_as_it_is(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "mlruns.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (uuid TEXT)")
    connection.execute("CREATE TABLE experiments (name TEXT)")
    connection.close()
    with pytest.raises(DataError, match="experiments and runs are not those" if create else "holds no gain"):
        GainStore.open(f"sqlite:///{path}", create=create)
    assert told_of(path) == (["experiments", "runs"], "delete")


def test_a_store_lets_readers_and_a_writer_work_at_once(file: Path) -> None:
    assert told_of(file)[1] == "wal"


def test_a_store_in_a_folder_that_cannot_be_written_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != file.parent)
    with GainStore.open(f"sqlite:///{file}", create=False) as store:
        assert store.tensor(1).n_groups == 6
        # SQLite's notes beside the file, which it could not make there.
        assert [one.name for one in file.parent.iterdir()] == ["gains.db"]
        with pytest.raises(DataError, match="give write permission"):
            store.save(1, trained(ALL, 1))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+nosuch://me:secret@host/x",
        "postgresql+nosuch://host/x?password=secret",
        "mysql://host/x?user=me&sslpassword=secret",
        "postgresql://me:se@cret@:x/",
        "://me:secret@",
        "postgresql:host?password=secret",
        "sqlite:///x.db?password=secret",
    ],
)
def test_a_password_in_what_is_no_url_is_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///") as caught:
        GainStore.open(url)
    assert "cret" not in str(caught.value)


def test_a_sqlite_url_takes_nothing_behind_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a file name"):
        GainStore.open(f"sqlite:///{tmp_path / 'gains.db'}?mode=ro")
    assert not list(tmp_path.iterdir())


def test_an_interrupt_ends_the_waiting_for_another_writer(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "LOCK_SECONDS", 0.1)
    other = sqlite3.connect(file, isolation_level=None)
    with GainStore.open(f"sqlite:///{file}") as store:
        other.execute("BEGIN IMMEDIATE")
        with monkeypatch.context() as impatient:
            # A writer looks at the time when it begins to wait, and whenever it has waited in vain.
            readings, now = itertools.count(), time.monotonic()
            impatient.setattr(
                time, "monotonic", lambda: signal.raise_signal(signal.SIGINT) if next(readings) else now
            )
            with pytest.raises(KeyboardInterrupt):
                store.save(1, trained(ALL, 1))
        monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.3)
        with pytest.raises(DataError, match=r"locked.*try again when that has ended"):
            store.save(1, trained(ALL, 1))
        other.execute("COMMIT")
        other.close()
        assert store.save(1, trained(ALL, 1)) == 6


@contextmanager
def without_permissions(*closed: Path) -> Iterator[None]:
    """Take the permission to write from some paths, and from this process that of doing it all the same."""
    nobody = 65534
    modes = {path: path.stat().st_mode for path in closed}
    root = os.geteuid() == 0
    for path in closed:
        path.chmod(modes[path] & 0o555)
    if root:
        os.setresuid(nobody, nobody, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="no permissions of that kind")
@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("create", [True, False], ids=["to collect", "to read"])
def test_what_may_not_be_written_is_named(open_folder: Path, what: str, create: bool) -> None:
    path = open_folder / "gains.db"
    with GainStore.open(f"sqlite:///{path}") as store:
        store.save(store.register(experiment()), trained(ALL, 0))
    path.chmod(0o666)
    closed = path if what == "file" else open_folder
    with without_permissions(closed):
        with GainStore.open(f"sqlite:///{path}", create=False) as store:
            assert store.tensor(1).n_groups == 6
            if not create:
                with pytest.raises(DataError, match=r"may only be read here.*write permission.*--store"):
                    store.register(experiment(name="new"))
        if create:
            with pytest.raises(DataError, match=rf"the {what} {closed} may only be read.*--store"):
                GainStore.open(f"sqlite:///{path}")
    assert path.exists()


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="no permissions of that kind")
def test_a_folder_that_takes_no_new_store_is_named(open_folder: Path) -> None:
    with (
        without_permissions(open_folder),
        pytest.raises(DataError, match=rf"the folder {open_folder} may only be read"),
    ):
        GainStore.open(f"sqlite:///{open_folder / 'gains.db'}")


def test_versions_of_a_damaged_store_are_not_told_three_hundred_times(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE gain_store")
    connection.execute("CREATE TABLE gain_store (version)")
    connection.executemany("INSERT INTO gain_store VALUES (?)", [(0,)] * 300 + [("\x1b" * 1000,)])
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match="of version 0, ") as caught:
        GainStore.open(f"sqlite:///{file}")
    assert str(caught.value).count("0,") == 1
    assert len(str(caught.value)) < 500
