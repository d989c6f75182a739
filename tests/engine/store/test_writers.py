from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from engine import DataError, GainStore
from tests.engine.store.made import experiment, groups, trained
from tests.waiting import HANGING

RUNS = 31 * 3


def start(url: str, number: int, owner: str, hold: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engine.store.writer", url, str(number), owner, str(hold)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes: subprocess.Popen[str]) -> list[list[str]]:
    """Let writers go on, once each of them has claimed something, to the end; return what each trained."""
    first = []
    for one in processes:
        assert one.stdout is not None
        first.append(one.stdout.readline())
        assert first[-1], one.communicate()[1]
    lines = []
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one, line in zip(processes, first, strict=True):
        out, err = one.communicate(timeout=HANGING)
        assert one.returncode == 0, err
        lines.append([line.strip(), *out.splitlines()])
    return lines


def test_two_writers_never_train_the_same_group(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'gains.db'}"
    with GainStore.open(url) as store:
        number = store.register(experiment(5))
        lines = finish(*(start(url, number, owner) for owner in "ab"))
        assert all(lines), "one of them did all the work, so nothing was shown"
        together = lines[0] + lines[1]
        assert len(together) == len(set(together)) == RUNS
        assert sum(map(len, store.done(number).values())) == RUNS
        assert store.tensor(number).n_groups == 31


def test_two_processes_open_a_new_store_at_once(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'gains.db'}"
    failures = []
    gate = threading.Barrier(8)

    def open_one() -> None:
        try:
            gate.wait()
            with GainStore.open(url) as store:
                store.register(experiment())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
    with GainStore.open(url) as store:
        assert len(store.experiments()) == 1


def test_a_killed_writer_loses_only_what_was_in_flight(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'gains.db'}"
    with GainStore.open(url) as store:
        number = store.register(experiment(5))
        first = start(url, number, "first", hold=11)
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdin.write("\n")
        first.stdin.flush()
        begun = [first.stdout.readline() for _ in range(11)]
        first.kill()
        first.communicate(timeout=HANGING)
        done = sum(map(len, store.done(number).values()))
        assert len(begun) - 1 == done < RUNS
        assert store.experiments()[0].leased == 2
        before = store.results(number)
        store.renew(number, "first", -1.0)  # the lease ends
        (trained_by_second,) = finish(start(url, number, "second"))
        assert len(trained_by_second) == RUNS - done
        assert store.experiments()[0].leased == 0
        after = store.results(number)
        known = np.isfinite(before.dense)
        place = [after.membership.tolist().index(row) for row in before.membership.tolist()]
        np.testing.assert_array_equal(after.dense[: len(before.seeds), place][known], before.dense[known])


def test_a_writer_killed_in_the_middle_of_saving_leaves_nothing_half_written(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'gains.db'}"
    program = """
import os, signal, sys
from sqlalchemy import event
from engine import GainStore
from tests.engine.store.made import groups, trained
store = GainStore.open(sys.argv[1])
@event.listens_for(store._database.engine, "before_cursor_execute", named=True)
def before(statement, **_):
    if statement.startswith("INSERT INTO results") and os.path.exists(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
chunk = groups("1000", "0100", "0010", "0001", "1100")
store.claim(1, [(row, 0) for row in chunk] + [(row, 1) for row in chunk], "me", 3600.0)
store.save(1, trained(chunk, 0), "me")
open(sys.argv[2], "w").close()
store.save(1, trained(chunk, 1), "me")
"""
    with GainStore.open(url) as store:
        store.register(experiment())
        killed = subprocess.run(
            [sys.executable, "-c", program, url, str(tmp_path / "now")],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -9, killed.stderr
        assert list(store.done(1)) == [0]
        assert store.tensor(1).n_groups == 5
        store.renew(1, "me", -1.0)  # the lease ends
        chunk = groups("1000", "0100", "0010", "0001", "1100")
        assert len(store.claim(1, [(row, 1) for row in chunk], "other", 60)) == 5
        assert store.save(1, trained(chunk, 1), "other") == 5


def test_a_reader_sees_one_state_while_another_writes(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'gains.db'}"
    chunk = groups("1000", "0100", "0010", "0001", "1100")
    with GainStore.open(url) as store:
        number = store.register(experiment())
        store.save(number, trained(chunk, 0))
        over = threading.Event()

        def write() -> None:
            for seed in itertools.count(1):
                if over.is_set():
                    return
                store.save(number, trained(chunk, seed))

        thread = threading.Thread(target=write)
        thread.start()
        seen: list[int] = []
        try:
            while len(set(seen)) < 20:
                read = store.results(number)
                assert np.isfinite(read.values).all()  # a chunk is there as a whole or not at all
                seen.append(len(read.seeds))
                assert thread.is_alive()
        finally:
            over.set()
            thread.join()
        assert seen == sorted(seen)


def test_a_lease_of_an_unknown_experiment_is_refused(tmp_path) -> None:
    with (
        GainStore.open(f"sqlite:///{tmp_path / 'gains.db'}") as store,
        pytest.raises(DataError, match="FOREIGN KEY"),
    ):
        store.claim(7, [(np.ones(4, dtype=bool), 0)], "me", 60)
