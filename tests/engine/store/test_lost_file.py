"""A SQLite store whose file is deleted or overwritten while it is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import DataError, GainStore, Plan, collect, parse_groups
from engine.executors import make_executor
from tests.engine.collection import fakes
from tests.engine.store.made import experiment, groups, trained

ALL = groups("1000", "0100", "0010", "0001", "1100", "1111")
WAYS = {
    "delete": "was deleted or moved",
    "move": "was deleted or moved",
    "replace": "was replaced by something else",
    "empty": "was overwritten",
    "text": "was overwritten",
    "log": "lost its log gains.db-wal",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gains.db"


@pytest.mark.parametrize("how", WAYS)
def test_a_collection_ends_with_the_next_write(file: Path, how: str) -> None:
    source = fakes.Losing(log=str(file.parent / "log"), file=str(file), how=how)
    plan = Plan(parse_groups("all", ("t0", "t1", "t2", "t3")), seeds=3)
    with (
        GainStore.open(f"sqlite:///{file}") as store,
        make_executor("in-process") as where,
        pytest.raises(DataError, match=f"{WAYS[how]} while it was in use.*run the same command again"),
    ):
        collect(fakes.experiment(), plan, source=source, store=store, executor=where)


@pytest.mark.parametrize("how", WAYS)
def test_the_next_write_is_refused(file: Path, how: str) -> None:
    with GainStore.open(f"sqlite:///{file}") as store:
        number = store.register(experiment())
        store.save(number, trained(ALL, 0))
        fakes.lose(file, how)
        for _ in range(2):
            with pytest.raises(DataError, match=WAYS[how]):
                store.save(number, trained(ALL, 1))


@pytest.mark.parametrize("how", [how for how in WAYS if how != "log"])
def test_what_is_committed_to_a_lost_file_is_not_called_kept(file: Path, how: str) -> None:
    with GainStore.open(f"sqlite:///{file}") as store:
        number = store.register(experiment())
        store.save(number, trained(ALL, 0))
        with pytest.raises(DataError, match=WAYS[how]), store.transaction(writes=True):
            fakes.lose(file, how)
        with pytest.raises(DataError, match=WAYS[how]):
            store.save(number, trained(ALL, 1))


def other_store(file: Path) -> bytes:
    with GainStore.open(f"sqlite:///{file.parent / 'other.db'}") as other:
        number = other.register(experiment(name="other"))
        for seed in range(20):
            other.save(number, trained(ALL, seed))
    return (file.parent / "other.db").read_bytes()


def older_copy(file: Path) -> bytes:
    with GainStore.open(f"sqlite:///{file}") as store:
        number = store.register(experiment())
        store.save(number, trained(ALL, 0))
    before = file.read_bytes()
    with GainStore.open(f"sqlite:///{file}") as store:
        for seed in range(1, 20):
            store.save(number, trained(ALL, seed))
    return before


@pytest.mark.parametrize("content", [other_store, older_copy])
def test_another_store_or_an_older_copy_in_its_place(file: Path, content: Callable[[Path], bytes]) -> None:
    copied = content(file)
    with GainStore.open(f"sqlite:///{file}") as store:
        number = store.register(experiment())
        store.save(number, trained(ALL, 30))
        file.write_bytes(copied)
        with pytest.raises(DataError, match="was overwritten"):
            store.save(number, trained(ALL, 31))


def test_readers_are_told_as_well(file: Path) -> None:
    with GainStore.open(f"sqlite:///{file}") as store:
        number = store.register(experiment())
        store.save(number, trained(ALL, 0))
    with GainStore.open(f"sqlite:///{file}", create=False) as store:
        assert store.tensor(number).n_groups == 6
        fakes.lose(file, "replace")
        with pytest.raises(DataError, match="was replaced"):
            store.tensor(number)


def test_no_file_is_made_where_the_store_was(file: Path) -> None:
    with GainStore.open(f"sqlite:///{file}") as store:
        store.close()
        file.unlink()
        with pytest.raises(DataError, match="was deleted"):
            store.register(experiment())
    assert not file.exists()


def test_what_other_writers_do_is_no_flaw(file: Path) -> None:
    with GainStore.open(f"sqlite:///{file}") as one, GainStore.open(f"sqlite:///{file}") as other:
        number = one.register(experiment())
        for seed in range(30):
            (one, other)[seed % 2].save(number, trained(ALL, seed))
        checkpointer = sqlite3.connect(file)
        checkpointer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        checkpointer.close()
        assert one.save(number, trained(ALL, 30)) == 6
        assert other.repair(number) == 0
        assert len(one.results(number).seeds) == 31
    with GainStore.open(f"sqlite:///{file}") as again:
        assert again.save(number, trained(ALL, 31)) == 6
