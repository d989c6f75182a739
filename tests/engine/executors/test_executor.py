from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.errors import MissingDependencyError, UsageError
from engine.executors import Executor, make_executor
from tests.engine.executors import calls


def test_in_process_runs_in_order_and_takes_chunks_one_by_one() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[int]:
        for one in range(4):
            taken.append(one)
            yield one

    with make_executor("in-process") as executor:
        assert isinstance(executor, Executor)
        assert executor.slots == 1
        for number, (chunk, result) in enumerate(executor.run(calls.solve, calls.context(), chunks())):
            assert chunk == number
            assert taken == list(range(number + 1))
            np.testing.assert_array_equal(result, calls.solve(calls.context(), chunk))


@pytest.mark.parametrize(("spec", "slots"), [("processes:3", 3), ("processes:1", 1)])
def test_the_number_of_processes_is_part_of_the_name(spec: str, slots: int) -> None:
    with make_executor(spec) as executor:
        assert executor.slots == slots


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("proceses", "Did you mean 'processes'"),
        ("", "Valid: in-process, processes, ray"),
        ("processes:0", "not a number of processes"),
        ("processes:two", "'two' is not a number of processes"),
        ("in-process:2", "processes:2"),
    ],
)
def test_an_unknown_executor_is_refused_with_the_valid_ones(spec: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make_executor(spec)


@pytest.mark.parametrize("spec", ["in-process", "processes"])
def test_an_unknown_option_is_refused_by_name(spec: str) -> None:
    with pytest.raises(UsageError, match="colour"):
        make_executor(spec, colour="red")


@pytest.mark.parametrize(
    "options",
    [{"cpus_per_chunk": -1.0}, {"cpus_per_chunk": 0.0}, {"gpus_per_chunk": 2.0}, {"retries": -1}],
)
def test_options_of_ray_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        make_executor("ray", **options)


def test_without_ray_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"task-grouping-engine\[ray\]"):
        make_executor("ray")
