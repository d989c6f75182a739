from __future__ import annotations

import resource
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainStore
from tests.engine.store.made import experiment, groups, trained

ALL = groups("1000", "0100", "0010", "0001", "1100", "1111")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gains.db"
    with GainStore.open(f"sqlite:///{path}") as store:
        store.save(store.register(experiment()), trained(ALL, 0))
    return path


def run(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


PAIR = "(SELECT id FROM runs WHERE members = 'c0')"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"UPDATE results SET metric = metric * 1.0000001 WHERE run = {PAIR} AND task = 1", "t0|t1"),
        (f"UPDATE results SET loss = NULL WHERE run = {PAIR} AND task = 1 AND split = 'test'", "t0|t1"),
        (f"UPDATE results SET loss = 'text' WHERE run = {PAIR} AND task = 1", "t0|t1"),
        (f"UPDATE results SET task = 2 WHERE run = {PAIR} AND task = 1", "t0|t1"),
        (f"UPDATE results SET task = 'x' WHERE run = {PAIR} AND task = 1", "t0|t1"),
        (f"UPDATE results SET split = 'vali' WHERE run = {PAIR} AND split = 'valid'", "t0|t1"),
        (f"DELETE FROM results WHERE run = {PAIR} AND task = 1 AND split = 'test'", "t0|t1"),
        (f"DELETE FROM results WHERE run = {PAIR}", "t0|t1"),
        ("UPDATE runs SET members = 'a0' WHERE members = 'c0'", "t0|t2"),
        ("UPDATE runs SET seed = 1 WHERE members = 'c0'", "t0|t1"),
        ("UPDATE runs SET members = 'zz' WHERE members = 'c0'", "a group that cannot be read"),
        ("UPDATE runs SET checksum = NULL WHERE members = 'c0'", "t0|t1"),
        ("UPDATE runs SET status = 'diverged', n_results = 0 WHERE members = 'c0'", "t0|t1"),
    ],
)
def test_a_damaged_run_is_named_and_can_be_trained_again(file, statement, named) -> None:
    run(file, statement)
    with GainStore.open(f"sqlite:///{file}") as store:
        with pytest.raises(DataError, match="engine gains repair 1") as caught:
            store.tensor(1)
        assert named in str(caught.value)
        assert store.repair(1) == 1
        assert store.repair(1) == 0
        assert store.tensor(1).n_groups == 5
        assert len(store.claim(1, [(row, 0) for row in ALL], "me", 60)) == 1
        assert store.save(1, trained(ALL, 0)) == 1
        expected = trained(ALL, 0).metrics["valid"]
        np.testing.assert_array_equal(store.results(1).dense[0], expected)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE experiments SET description = '{'",
        "UPDATE experiments SET description = '{}'",
        "UPDATE experiments SET description = replace(description, 'mlp', 'gru')",
        "UPDATE experiments SET created = 'yesterday'",
        "UPDATE experiments SET created = 1e300",
    ],
)
def test_a_damaged_experiment_is_named(file, statement) -> None:
    run(file, statement)
    with GainStore.open(f"sqlite:///{file}") as store:
        for read in (store.experiments, lambda: store.tensor(1), lambda: store.find("made")):
            with pytest.raises(DataError, match=r"experiment 1 is damaged .*restore a copy"):
                read()


def test_what_is_no_seed_is_told_before_training(file) -> None:
    run(file, "UPDATE runs SET seed = 'x' WHERE members = 'c0'")
    with GainStore.open(f"sqlite:///{file}") as store:
        with pytest.raises(DataError, match=r"'x' is no seed.*engine gains repair 1"):
            store.done(1)
        assert store.repair(1) == 1
        assert len(store.done(1)[0]) == 5


def test_damaged_curves(file) -> None:
    run(file, "UPDATE runs SET curves = substr(curves, 1, length(curves) - 3) WHERE members = 'c0'")
    with GainStore.open(f"sqlite:///{file}") as store:
        with pytest.raises(DataError, match=r"curves .* damaged"):
            store.curves(1, ALL[4], 0)
        assert store.tensor(1).n_groups == 6


def test_what_is_no_database(tmp_path) -> None:
    path = tmp_path / "gains.db"
    path.write_text("no database at all, but long enough to be looked at\n" * 100)
    with pytest.raises(DataError, match=r"not a database.*another URL"):
        GainStore.open(f"sqlite:///{path}")
    assert path.read_text().startswith("no database")


def test_a_database_of_something_else_is_not_touched(tmp_path) -> None:
    path = tmp_path / "other.db"
    run(path, "CREATE TABLE cats (name TEXT)")
    with pytest.raises(DataError, match="holds no gain store"):
        GainStore.open(f"sqlite:///{path}", create=False)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("cats",)]
    connection.close()


def test_a_store_of_another_version(file) -> None:
    run(file, "UPDATE gain_store SET version = 99")
    with pytest.raises(DataError, match="version 99, and this program reads version 1"):
        GainStore.open(f"sqlite:///{file}")


def test_a_torn_page(file) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)
    with (
        pytest.raises(DataError, match=r"malformed.*restore a copy"),
        GainStore.open(f"sqlite:///{file}") as store,
    ):
        store.tensor(1)


def test_a_full_disk_loses_nothing(file) -> None:
    chunk = np.ones((1, 4), dtype=bool)
    with GainStore.open(f"sqlite:///{file}") as store:
        before = store.results(1).values

        def fill() -> None:
            for seed in range(1, 200):
                store.save(1, trained(chunk, seed))

        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, limits[1]))
        try:
            with pytest.raises(DataError, match=r"make room, then run the same command again"):
                fill()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        # Whole transactions are there and nothing else, and it goes on.
        read = store.results(1)
        kept = len(read.seeds)
        assert 1 < kept < 200
        assert read.seeds.tolist() == list(range(kept))
        assert np.isfinite(read.values[1:, -4:]).all()
        np.testing.assert_array_equal(read.values[0], before[0])
        assert store.save(1, trained(chunk, 500)) == 1


def test_a_store_that_may_only_be_read(file) -> None:
    with GainStore.open(f"sqlite:///{file}", create=False) as store:
        with store.transaction(writes=False) as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(DataError, match="give write permission"):
            store.save(1, trained(ALL, 1))
        assert store.tensor(1).n_groups == 6


def test_a_database_that_has_gone(file) -> None:
    with GainStore.open(f"sqlite:///{file}") as store:
        store.close()
        for one in file.parent.iterdir():
            one.unlink()
        file.mkdir()
        with pytest.raises(DataError, match="was replaced by something else"):
            store.tensor(1)


def test_half_a_chunk_is_never_written(file) -> None:
    run(
        file,
        "CREATE TRIGGER no BEFORE INSERT ON results WHEN NEW.task = 3 BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    with GainStore.open(f"sqlite:///{file}") as store:
        store.claim(1, [(row, 1) for row in ALL], "me", 60)
        with pytest.raises(DataError, match="no"):
            store.save(1, trained(ALL, 1), "me")
        assert list(store.done(1)) == [0]
        assert store.experiments()[0].leased == 6
