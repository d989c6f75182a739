from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError, EngineError, UsageError
from engine.executors import make_executor
from engine.executors.processes import ProcessExecutor
from tests.engine.executors import calls
from tests.waiting import HANGING, running, wait_until

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")


def test_results_equal_those_of_this_process_and_workers_are_kept_between_runs() -> None:
    before = calls.child_processes(os.getpid())
    with make_executor("processes:2") as executor:
        inputs, penalty = calls.context()
        for chunks in (range(9), range(9, 12)):
            results = dict(executor.run(calls.solve, (inputs, penalty), iter(chunks)))
            assert sorted(results) == list(chunks)
            for chunk, result in results.items():
                np.testing.assert_array_equal(result, calls.solve((inputs, penalty), chunk))
        first = calls.child_processes(os.getpid()) - before
        assert len(first) == 2
        other = dict(executor.run(calls.solve, (2 * inputs, penalty), iter(range(2))))
        np.testing.assert_array_equal(other[1], calls.solve((2 * inputs, penalty), 1))
        assert not first & calls.child_processes(os.getpid())
    assert calls.child_processes(os.getpid()) == before


def test_no_chunk_is_taken_before_a_worker_is_free_for_it() -> None:
    taken = 0

    def chunks() -> Iterator[int]:
        nonlocal taken
        for one in range(8):
            taken += 1
            yield one

    with make_executor("processes:2") as executor:
        results = executor.run(calls.solve, calls.context(), chunks())
        assert taken == 0
        for done, _ in enumerate(results, start=1):
            assert taken <= done + executor.slots


def test_without_chunks_no_worker_is_started() -> None:
    before = calls.child_processes(os.getpid())
    with make_executor("processes:2") as executor:
        assert not list(executor.run(calls.solve, calls.context(), iter(())))
        assert calls.child_processes(os.getpid()) == before


def test_a_worker_has_one_thread_one_gpu_and_data_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-7")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    zeros = np.zeros(1000)
    with ProcessExecutor(gpus=2) as executor:
        assert executor.slots == 2
        told = [result for _, result in executor.run(calls.environment, zeros, iter(range(8)))]
    assert {one["threads"] for one in told} == {"1"}
    assert all(one["interrupt"] for one in told)
    assert {one["gpu"] for one in told} <= {"4", "GPU-7"}
    by_process: dict[int, set[str]] = {}
    for one in told:
        by_process.setdefault(one["process"], set()).add(one["gpu"])
    assert all(len(gpus) == 1 for gpus in by_process.values())
    assert len({gpu for gpus in by_process.values() for gpu in gpus}) == len(by_process)
    for process in by_process:
        counted = sorted(one["calls"] for one in told if one["process"] == process)
        assert counted == [float(number) for number in range(1, len(counted) + 1)]
    assert not zeros.any()


def test_more_gpus_than_are_visible_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UsageError, match="not 2 GPUs"):
        ProcessExecutor(gpus=2)


def test_an_error_of_the_engine_keeps_type_and_message_and_ends_the_run() -> None:
    with make_executor("processes:1") as executor:
        results = executor.run(calls.fail, None, iter(range(5)))
        assert [next(results)[0], next(results)[0]] == [0, 1]
        with pytest.raises(DataError) as caught:
            next(results)
        assert str(caught.value) == "row 17 of 'task a' is missing"
        assert "in fail" in caught.value.__notes__[0]
        assert dict(executor.run(calls.fail, None, iter([0, 1]))) == {0: 0, 1: 1}


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    with make_executor("processes:1") as executor, pytest.raises(EngineError, match="Unportable: odd and 3"):
        list(executor.run(calls.fail, calls.Unportable, iter([2])))


def test_a_result_that_cannot_travel_is_an_error() -> None:
    with (
        make_executor("processes:1") as executor,
        pytest.raises(TypeError, match="function cannot be sent"),
    ):
        list(executor.run(calls.unportable_result, None, iter([0])))


def test_what_cannot_be_imported_elsewhere_is_refused() -> None:
    with make_executor("processes:1") as executor, pytest.raises(UsageError, match="module of its own"):
        list(executor.run(lambda context, chunk: chunk, None, iter([0])))


def test_a_killed_worker_is_replaced_and_its_chunk_run_again(tmp_path: Path) -> None:
    with make_executor("processes:2") as executor:
        results = dict(executor.run(calls.die_on_first, tmp_path, iter(range(7))))
    assert results == {one: one * one for one in range(7)}
    begun = [chunk for chunk, _, _ in calls.starts(tmp_path)]
    assert sorted(begun) == [0, 1, 2, 3, 3, 4, 5, 6]


def test_a_chunk_that_kills_every_worker_is_named(tmp_path: Path) -> None:
    with ProcessExecutor(2, retries=1) as executor:
        with pytest.raises(EngineError, match=r"chunk 3 died 2 times, at last killed by SIGKILL\."):
            list(executor.run(calls.die_always, tmp_path, iter([3])))
        assert [chunk for chunk, _, _ in calls.starts(tmp_path)] == [3, 3]
        assert dict(executor.run(calls.die_always, tmp_path, iter([0]))) == {0: 0}


def test_closing_the_run_ends_busy_workers_at_once(tmp_path: Path) -> None:
    before = calls.child_processes(os.getpid())
    with make_executor("processes:2") as executor:
        context = (tmp_path, 0.0, *calls.context())
        results = executor.run(calls.wait_then_solve, context, iter([0, 600]))
        assert next(results)[0] == 0
        wait_until(lambda: len(list(calls.starts(tmp_path))) == 2)
        with pytest.raises(UsageError, match="running already"):
            next(executor.run(calls.solve, calls.context(), iter([0])))
        results.close()
        assert not calls.ended(tmp_path, 600), "the chunk was waited for"
        assert len(calls.child_processes(os.getpid()) - before) == 1
        assert [one for one, _ in executor.run(calls.wait_then_solve, context, iter([1]))] == [1]
    assert calls.child_processes(os.getpid()) == before


SCRIPT = """
import sys
from pathlib import Path
from engine.executors import make_executor
from tests.engine.executors import calls
folder = Path(sys.argv[1])
with make_executor("processes:2") as executor:
    try:
        for chunk, _ in executor.run(calls.slow_solve, (folder, 600.0, *calls.context()), iter(range(9))):
            pass
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent_and_say_nothing(tmp_path: Path, stop: signal.Signals) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    script = sys.executable, "-c", SCRIPT, str(tmp_path)
    with running(*script, cwd=ROOT, start_new_session=True, **pipes) as parent:
        wait_until(lambda: len(list(calls.starts(tmp_path))) == 2, parent)
        workers = {process for _, process, _ in calls.starts(tmp_path)}
        assert workers == calls.child_processes(parent.pid)
        if stop is signal.SIGINT:
            os.killpg(parent.pid, stop)  # as Ctrl-C in a terminal does
        else:
            parent.kill()
        out, err = parent.communicate(timeout=HANGING)
    assert err == ""
    assert out == ("interrupted\n" if stop is signal.SIGINT else "")
    wait_until(lambda: not any(map(calls.is_alive, workers)))


def test_what_a_worker_prints_is_not_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    with make_executor("processes:1") as executor:
        assert dict(executor.run(calls.say, None, iter([0]))) == {0: 0}
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == "from the worker\n"
