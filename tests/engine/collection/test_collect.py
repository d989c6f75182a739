"""The collection loop, over a real store and real executors, with a source that trains nothing."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import DataError, GainStore, Plan, UsageError, collect, parse_groups
from engine.collection.collect import Collected
from engine.collection.progress import CollectionProgress
from engine.executors import make_executor
from engine.training.trained_groups import TrainedGroups
from tests.engine.collection.fakes import Fake, end_leases, experiment
from tests.waiting import HANGING, wait_until

TASKS = ("t0", "t1", "t2", "t3")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gains.db'}"


def run(url: str, plan: Plan, source: Fake, executor: str = "in-process", **given: object) -> Collected:
    with GainStore.open(url) as store, make_executor(executor) as where:
        return collect(experiment(), plan, source=source, store=store, executor=where, **given)  # type: ignore[arg-type]


def plan(text: str = "pairs,full", **given: object) -> Plan:
    return Plan(parse_groups(text, TASKS), **given)  # type: ignore[arg-type]


def test_the_tensor_holds_what_the_source_measured(url: str) -> None:
    collected = run(url, plan(), Fake(noise=0.0))
    gains = collected.gains
    assert gains is not None
    assert collected.complete
    assert not collected.interrupted
    assert (gains.n_groups, collected.trained, collected.seeds) == (4 + 6 + 1, 11, 1)
    effect = np.random.default_rng(0).uniform(-0.05, 0.1, (4, 4))
    np.fill_diagonal(effect, 0.0)
    expected = np.where(gains.membership, gains.membership @ effect, np.nan)
    np.testing.assert_allclose(gains.gains, expected, atol=1e-12)
    assert gains.measured.all()
    assert gains.split == "valid"


def test_nothing_is_trained_twice(url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(url, plan("pairs"), Fake(log=str(log)))
    again = run(url, plan("pairs,triples", seeds=2), Fake(log=str(log)))
    assert again.trained == 4 + 2 * 4 + 6
    assert max(Counter(log.read_text().splitlines()).values()) == 1
    assert run(url, plan("pairs,triples", seeds=2), Fake(log=str(log))).trained == 0


def test_seeds_are_added_until_the_gains_are_reliable(url: str) -> None:
    collected = run(url, plan("pairs,triples", until_reliable=0.9), Fake(noise=0.05))
    assert collected.complete
    assert collected.reliability is not None
    assert collected.reliability.value >= 0.9
    assert collected.seeds > 2
    assert collected.gains is not None
    assert collected.gains.std is not None


def test_the_number_of_seeds_is_bounded(url: str) -> None:
    collected = run(url, plan("pairs", until_reliable=0.99, most_seeds=5), Fake(noise=5.0))
    assert not collected.complete
    assert collected.seeds == 5


def test_the_time_is_bounded_and_the_rest_follows(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    class Slow(Fake):
        def measure(self, *given: Any) -> TrainedGroups:
            now[0] += 1.0
            return super().measure(*given)

    collected = run(url, plan("all", time_limit=2.5), Slow())
    assert not collected.complete
    assert (collected.trained, collected.seconds) == (12, 3.0)
    rest = run(url, plan("all"), Fake())
    assert rest.complete
    assert rest.trained == 15 - collected.trained


@pytest.mark.parametrize("executor", ["in-process", "processes:2"])
def test_every_executor_gives_the_same(url: str, tmp_path: Path, executor: str) -> None:
    reference = run(f"sqlite:///{tmp_path / 'other.db'}", plan("all", seeds=2), Fake()).gains
    gains = run(url, plan("all", seeds=2), Fake(), executor).gains
    assert reference is not None
    assert gains is not None
    assert gains.digest == reference.digest


def test_progress_is_told_after_every_chunk(url: str) -> None:
    seen: list[CollectionProgress] = []
    run(url, plan("all"), Fake(), observers=[seen.append])
    assert [one.done for one in seen] == [0, 4, 8, 12, 15]
    assert all(one.wanted == 15 for one in seen)
    assert seen[-1].groups_per_second > 0


def test_an_interrupt_keeps_what_was_trained(url: str) -> None:
    class Interrupt:
        def __call__(self, progress: CollectionProgress) -> None:
            if progress.trained >= 8:
                raise KeyboardInterrupt

    collected = run(url, plan("all"), Fake(), observers=[Interrupt()])
    assert collected.interrupted
    assert collected.trained == 8
    with GainStore.open(url) as store:
        assert store.experiments()[0].leased == 0
    assert run(url, plan("all"), Fake()).trained == 7


COLLECTOR = """
import json, sys
from tests.engine.collection.fakes import Fake
from tests.engine.collection.test_collect import plan, run
import engine.collection.collect as module
module.POLL_SECONDS = 0.1
print(run(sys.argv[1], plan("all", seeds=3), Fake(**json.loads(sys.argv[2]))).trained)
"""


def start(url: str, log: Path, **options: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, url, json.dumps({"log": str(log), **options})],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for one in started:
        one.kill()
        one.communicate()


def test_two_collectors_never_train_the_same_group(
    url: str, tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    pytest.importorskip("sqlalchemy")
    log = tmp_path / "log"
    processes += [start(url, log, meet=2), start(url, log, meet=2)]
    counts = [int(one.communicate(timeout=HANGING)[0]) for one in processes]
    assert sum(counts) == 45
    assert min(counts) > 0
    assert max(Counter(log.read_text().splitlines()).values()) == 1


def test_a_killed_collector_loses_only_the_chunk_in_flight(
    url: str, tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    pytest.importorskip("sqlalchemy")
    log = tmp_path / "log"
    processes.append(start(url, log, hold=12))
    wait_until(lambda: log.exists() and len(log.read_text().splitlines()) >= 12, *processes)
    processes[0].send_signal(signal.SIGKILL)
    processes[0].wait()
    end_leases(log.parent / "gains.db")
    before = Counter(log.read_text().splitlines())
    processes.append(start(url, log))
    trained = int(processes[1].communicate(timeout=HANGING)[0])
    after = Counter(log.read_text().splitlines())
    assert len(after) == 45
    twice = sum(count > 1 for count in after.values())
    assert twice == 4, "the chunk in flight is trained again, and no other"
    assert trained == 45 - len(before) + twice


def test_waiting_for_another_collector_is_told_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.append(now.pop() + seconds))
    with GainStore.open(url) as store:
        # One that died.
        store.claim(store.register(experiment()), [(np.ones(4, dtype=bool), 0)], "other", 1.5)
    seen: list[CollectionProgress] = []
    assert run(url, plan("pairs,full"), Fake(), observers=[seen.append]).trained == 11
    assert [(one.done, one.waiting) for one in seen] == [
        (0, False),
        (4, False),
        (8, False),
        (10, False),
        (10, True),
        (11, False),
    ]


def test_a_store_that_is_away_for_a_while_ends_no_lease(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.collection.collect.LEASE_SECONDS", 0.4)
    renewed: list[bool] = []
    renew = GainStore.renew

    def renew_later(self: GainStore, *given: object) -> None:
        renewed.append(len(renewed) > 0)
        if len(renewed) == 1:
            raise DataError("The store is away.")
        renew(self, *given)  # type: ignore[arg-type]

    class Long(Fake):
        def measure(self, *given: Any) -> TrainedGroups:
            wait_until(lambda: sum(renewed) > 2)
            return super().measure(*given)

    monkeypatch.setattr(GainStore, "renew", renew_later)
    assert run(url, plan("pairs"), Long()).complete


def test_the_first_error_is_told_where_leases_cannot_be_given_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise DataError("The store is gone.")

    monkeypatch.setattr(GainStore, "release", fail)

    def observer(progress: CollectionProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(url, plan("pairs"), Fake(), observers=[observer])


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("pairs", {"most_seeds": 1}, "2 seeds at least, so 1 cannot"),
        ("pairs", {"most_seeds": 4, "seeds": 5}, "5 seeds at least, so 4 cannot"),
        ("t0|t1,t0|t2", {}, "from 4 gains of groups, 6 are needed"),
        ("singles", {}, "from 0 gains"),
    ],
)
def test_a_reliability_that_cannot_be_reached_is_refused(text: str, given: dict[str, int], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        plan(text, until_reliable=0.9, **given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seeds": 0},
        {"until_reliable": 1.0},
        {"until_reliable": 0.0},
        {"until_reliable": math.nan},
        {"time_limit": 0.0},
        {"time_limit": math.nan},
    ],
)
def test_a_plan_checks_itself(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        plan(**wrong)
