"""Against a real Ray cluster of two nodes on this machine."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from engine.errors import DataError, EngineError
from engine.executors import make_executor
from engine.executors.ray_cluster import QUIET, RayExecutor, room
from tests.engine.executors import calls
from tests.waiting import wait_until

slow = pytest.mark.slow
SECONDS = 1800
NODE = {"num_cpus": 1, "object_store_memory": 100_000_000}


@pytest.mark.parametrize(
    ("resources", "cpus", "gpus", "chunks"),
    [
        ({"CPU": 8.0}, 1.0, 0.0, 8),
        ({"CPU": 8.0}, 3.0, 0.0, 2),
        ({"CPU": 1.0}, 1 / 3, 0.0, 3),
        ({"CPU": 8.0}, 1.0, 0.5, 0),
        ({"CPU": 8.0, "GPU": 2.0}, 1.0, 0.25, 8),
        ({"CPU": 8.0, "GPU": 2.0}, 0.5, 0.4, 4),
        ({"CPU": 8.0, "GPU": 2.0}, 1.0, 1.0, 2),
        ({"GPU": 1.0}, 0.0, 1 / 3, 3),
        ({}, 1.0, 0.0, 0),
    ],
)
def test_room_on_a_node(resources: dict[str, float], cpus: float, gpus: float, chunks: int) -> None:
    """A chunk never spans two GPUs: two GPUs hold four chunks of 0.4, not five."""
    assert room(resources, cpus, gpus) == chunks


def ray_processes() -> set[int]:
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes()
        except OSError:
            continue
        if b"raylet" in command or b"gcs_server" in command or command.startswith(b"ray::"):
            found.add(int(file.parent.name))
    return found


def too_late(*_: object) -> None:
    raise TimeoutError(f"The tests of Ray are not done after {SECONDS} seconds.")


@pytest.fixture(scope="module", autouse=True)
def _bounded() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module", autouse=True)
def _ray_is_quiet(_bounded: None) -> Iterator[None]:
    # Ray listens on the network, so nobody else may send anything to this cluster.
    guarded = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
    with mock.patch.dict(os.environ, {**QUIET, **guarded}):
        pytest.importorskip("ray", reason="Ray is not installed", exc_type=ImportError)
        yield


@pytest.mark.parametrize("address", ["ray:auto", "ray:127.0.0.1:1", "ray:ray://127.0.0.1:1"])
def test_where_nothing_listens_the_message_says_so_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A cluster that crashed has left its address."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(EngineError, match=r"nothing answers at 127\.0\.0\.1:1 \(Connection refused\)"):
        make_executor(address)


def test_without_a_cluster_the_message_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if ray_processes():
        pytest.skip("a Ray cluster runs on this machine")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(EngineError, match="ray start --head"):
        make_executor("ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Give a cluster whose first node has one CPU."""
    before = ray_processes()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()
    wait_until(lambda: not ray_processes() - before)


@pytest.fixture
def executor(cluster: Any) -> Iterator[RayExecutor]:
    with make_executor(f"ray:{cluster.address}") as executor:
        assert isinstance(executor, RayExecutor)
        yield executor


@slow
def test_results_equal_those_of_this_process_and_chunks_are_taken_as_slots_are_free(
    executor: RayExecutor,
) -> None:
    taken = 0

    def chunks() -> Iterator[int]:
        nonlocal taken
        for one in range(6):
            taken += 1
            yield one

    assert executor.slots == 1
    done = 0
    for done, (chunk, result) in enumerate(executor.run(calls.solve, calls.context(), chunks()), start=1):
        assert taken <= done + executor.slots
        np.testing.assert_array_equal(result, calls.solve(calls.context(), chunk))
    assert done == 6


@slow
def test_a_worker_gets_the_context_once_as_data_of_its_own(executor: RayExecutor) -> None:
    told = [result for _, result in executor.run(calls.environment, np.zeros(1000), iter(range(4)))]
    assert {one["threads"] for one in told} == {"1"}
    assert [one["calls"] for one in told] == [1.0, 2.0, 3.0, 4.0]
    assert len({one["process"] for one in told}) == 1


@slow
def test_errors_keep_type_and_message(executor: RayExecutor) -> None:
    results = executor.run(calls.fail, None, iter(range(5)))
    assert [next(results)[0], next(results)[0]] == [0, 1]
    with pytest.raises(DataError) as caught:
        next(results)
    assert str(caught.value) == "row 17 of 'task a' is missing"
    with pytest.raises(EngineError, match="Unportable: odd and 3"):
        list(executor.run(calls.fail, calls.Unportable, iter([2])))


@slow
def test_a_killed_worker_is_replaced_and_a_chunk_that_kills_all_is_named(
    cluster: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with make_executor(f"ray:{cluster.address}", retries=1) as executor:
        results = dict(executor.run(calls.die_on_first, tmp_path, iter(range(5))))
        assert results == {one: one * one for one in range(5)}
        with pytest.raises(EngineError, match="lost chunk 3, run up to 2 times"):
            list(executor.run(calls.die_always, tmp_path, iter([3])))
    assert sorted(chunk for chunk, _, _ in calls.starts(tmp_path)) == [0, 1, 2, 3, 3, 3, 3, 4]
    assert capfd.readouterr() == ("", "")


@slow
def test_closing_the_run_ends_the_tasks(executor: RayExecutor, tmp_path: Path) -> None:
    results = executor.run(calls.wait_then_solve, (tmp_path, 0.0, *calls.context()), iter([0, 600]))
    assert next(results)[0] == 0
    results.close()
    assert dict(executor.run(calls.fail, None, iter([1]))) == {1: 1}
    assert not any(calls.is_alive(process) for chunk, process, _ in calls.starts(tmp_path) if chunk == 600)


@slow
def test_where_no_node_has_room_the_message_says_so(cluster: Any) -> None:
    with pytest.raises(EngineError, match=r"has 1 CPUs and 0\.5 GPUs for a chunk"):
        make_executor(f"ray:{cluster.address}", gpus_per_chunk=0.5)


@slow
def test_a_node_that_dies_costs_no_result(
    cluster: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chunks = range(12)
    with make_executor(f"ray:{cluster.address}") as executor:
        assert executor.slots == 1
        second = cluster.add_node(**NODE)
        cluster.wait_for_nodes()
        assert executor.slots == 2
        (tmp_path / "doomed").write_text(second.node_id)
        hanging: list[int] = []
        results = {}
        for chunk, result in executor.run(calls.solve_or_hang, (tmp_path, *calls.context()), iter(chunks)):
            results[chunk] = result
            if not hanging:
                hanging = [one for one, _, node in calls.starts(tmp_path) if node == second.node_id][1:]
                if hanging:
                    cluster.remove_node(second, allow_graceful=False)
        assert len(hanging) == 1
        wait_until(lambda: executor.slots == 1)  # the cluster notices in its own time
    begun = [chunk for chunk, _, _ in calls.starts(tmp_path)]
    assert sorted(begun) == sorted([*chunks, *hanging])
    assert sorted(results) == list(chunks)
    with make_executor("in-process") as serial:
        for chunk, expected in serial.run(calls.solve, calls.context(), iter(chunks)):
            np.testing.assert_array_equal(results[chunk], expected)
    assert capfd.readouterr() == ("", "")
