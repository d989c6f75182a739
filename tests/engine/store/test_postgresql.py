"""The store on PostgreSQL: a throw-away server where the programs are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainStore
from engine.store.transfer import merge
from tests.engine.store.made import experiment, groups, trained
from tests.engine.store.test_writers import RUNS, finish, start
from tests.waiting import HANGING, wait_until

ALL = groups("1000", "0100", "0010", "0001", "1100", "1111")


def program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        found = next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
    if not found:
        pytest.skip(f"PostgreSQL's {name} is not installed")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a fresh server that listens on a socket in a folder of its own."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    import pwd

    initdb, postgres = program("initdb"), program("postgres")
    who = {}
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            shutil.rmtree(folder)
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = str(folder / "data")
    quick = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
    process = None
    try:
        subprocess.run(  # type: ignore[call-overload]
            [initdb, "-D", data, "-U", "me", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # type: ignore[call-overload]
                [postgres, "-D", data, *quick], cwd=folder, stdout=log, stderr=log, **who
            )
        deadline = time.monotonic() + HANGING
        url = f"postgresql+psycopg://me@/postgres?host={folder}"
        while True:
            try:
                GainStore.open(url).close()
                break
            except DataError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
        yield url
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=HANGING)
        shutil.rmtree(folder, ignore_errors=True)


def test_two_writers_never_train_the_same_group(server) -> None:
    with GainStore.open(server) as store:
        number = store.register(experiment(5))
        lines = finish(*(start(server, number, owner) for owner in "ab"))
        assert all(lines)
        together = lines[0] + lines[1]
        assert len(together) == len(set(together)) == RUNS
        assert store.tensor(number).n_groups == 31


def test_the_same_comes_back_as_from_sqlite(server, tmp_path) -> None:
    with GainStore.open(server) as team, GainStore.open(f"sqlite:///{tmp_path / 'own.db'}") as own:
        for store in (team, own):
            number = store.register(experiment())
            wanted = [(row, seed) for seed in (0, 1) for row in ALL]
            assert len(store.claim(number, wanted, "me", 60)) == 12
            assert store.claim(number, wanted, "other", 60) == []
            for seed in (0, 1):
                assert store.save(number, trained(ALL, seed), "me") == 6
            assert store.save(number, trained(ALL, 1, salt=1), "other") == 0
        one, other = team.tensor(team.find("made")), own.tensor(own.find("made"))
        assert one.digest == other.digest
        curves = team.curves(team.find("made"), ALL[5], 1)
        np.testing.assert_array_equal(curves["valid"], trained(ALL, 1).curves["valid"][5])
        assert team.register(experiment()) == team.find("made")


def test_merging_into_a_teams_store(server, tmp_path) -> None:
    with GainStore.open(server) as team, GainStore.open(f"sqlite:///{tmp_path / 'own.db'}") as own:
        number = own.register(experiment(name="mine"))
        own.save(number, trained(ALL, 0))
        (taken,) = merge(team, own).values()
        assert taken.added == 6
        assert team.tensor(team.find("mine")).digest == own.tensor(number).digest


def test_a_damaged_run_is_named_and_removed(server) -> None:
    with GainStore.open(server) as store:
        number = store.register(experiment(name="damaged"))
        store.save(number, trained(ALL, 0))
        with store.transaction(writes=True) as connection:
            connection.exec_driver_sql(
                "UPDATE results SET loss = 1 FROM runs WHERE run = runs.id AND members = 'c0' AND task = 1 "
                f"AND experiment = {number}"
            )
        with pytest.raises(DataError, match=r"t0\|t1, seed 0"):
            store.tensor(number)
        assert store.repair(number) == 1
        assert store.tensor(number).n_groups == 5


def test_a_connection_that_the_server_has_closed_is_replaced(server) -> None:
    with GainStore.open(server) as store, GainStore.open(server) as other:
        number = store.register(experiment(name="closed"))
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        with other.transaction(writes=False) as connection:
            connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {others}")

        def gone() -> bool:
            with other.transaction(writes=False) as connection:
                return not connection.exec_driver_sql(f"SELECT pid {others}").all()

        wait_until(gone)
        assert store.save(number, trained(ALL, 0)) == 6


def fresh(server: str, name: str) -> str:
    """Return the URL of a database without any table."""
    with GainStore.open(server) as store:
        plain = store._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql(f"CREATE DATABASE {name}")
        plain.close()
    return server.replace("/postgres?", f"/{name}?")


def opened_at_once(url: str, count: int) -> list[Exception]:
    """Open a store in so many threads at once, and return what failed."""
    failures: list[Exception] = []
    gate = threading.Barrier(count)

    def open_one() -> None:
        try:
            gate.wait()
            with GainStore.open(url) as store:
                store.register(experiment())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return failures


def test_collectors_start_together_on_a_fresh_database(server) -> None:
    for attempt in range(4):
        url = fresh(server, f"together{attempt}")
        assert opened_at_once(url, 12) == []
        with GainStore.open(url) as store:
            assert len(store.experiments()) == 1


def test_tables_that_another_collector_is_just_making_are_waited_for(server) -> None:
    import sqlalchemy

    url = fresh(server, "just_made")
    made, go_on = threading.Event(), threading.Event()

    def pause(connection, cursor, statement: str, *rest: object) -> None:
        if "CREATE TABLE gain_store" in statement and not made.is_set():
            made.set()
            assert go_on.wait(60)

    failures: list[Exception] = []

    def open_one() -> None:
        try:
            GainStore.open(url).close()
        except Exception as error:
            failures.append(error)

    def waiting() -> int:
        with GainStore.open(server) as store, store.transaction(writes=False) as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one()

    threads = [threading.Thread(target=open_one) for _ in range(2)]
    sqlalchemy.event.listen(sqlalchemy.Engine, "after_cursor_execute", pause)
    try:
        threads[0].start()
        assert made.wait(60)
        threads[1].start()
        while not waiting() and threads[1].is_alive():
            time.sleep(0.01)
        go_on.set()
        for one in threads:
            one.join()
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "after_cursor_execute", pause)
    assert failures == []


@pytest.mark.parametrize("where", ["me:{}@", "me@?password={}"])
def test_a_password_is_not_shown_by_any_error(server, where: str) -> None:
    secret = "psw0rd"
    host = server.partition("?host=")[2]
    user, _, more = where.format(secret).partition("?")
    url = f"postgresql+psycopg://{user}/absent?host={host}&{more}".rstrip("&")
    with pytest.raises(DataError, match="absent") as caught:
        GainStore.open(url)
    assert secret not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_database_that_may_only_be_read_is_named_as_that(server) -> None:
    url = fresh(server, "only_read")
    GainStore.open(url).close()
    with GainStore.open(url) as store, store.transaction(writes=True) as connection:
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    with GainStore.open(url.replace("me@", "reader@"), create=False) as store:
        assert store.experiments() == []
        with pytest.raises(DataError, match="may only be read"):
            store.register(experiment())
