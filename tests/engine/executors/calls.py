"""What the tests run in workers."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError


def solve(context: tuple[NDArray[np.float64], float], chunk: int) -> NDArray[np.float64]:
    """Fit a ridge regression whose target and rows depend on the chunk."""
    inputs, penalty = context
    random = np.random.default_rng(chunk)
    rows = random.permutation(len(inputs))[: len(inputs) // 2]
    target = random.standard_normal(len(rows))
    chosen = inputs[rows]
    return np.linalg.solve(chosen.T @ chosen + penalty * np.eye(chosen.shape[1]), chosen.T @ target)  # type: ignore[return-value]


def context(rows: int = 200) -> tuple[NDArray[np.float64], float]:
    return np.random.default_rng(7).standard_normal((rows, 6)), 0.1


def slow_solve(context: tuple[Any, ...], chunk: int) -> NDArray[np.float64]:
    """Leave a file that tells who runs the chunk, take a while, and solve it."""
    folder, seconds, inputs, penalty = context
    begun(folder, chunk)
    time.sleep(seconds)
    (Path(folder) / f"{chunk}.ended").touch()
    return solve((inputs, penalty), chunk)


def wait_then_solve(context: tuple[Any, ...], chunk: int) -> NDArray[np.float64]:
    """Take as many seconds as the number of the chunk where that is large."""
    folder, _, *rest = context
    return slow_solve((folder, chunk if chunk > 60 else 0, *rest), chunk)


def solve_or_hang(context: tuple[Any, ...], chunk: int) -> NDArray[np.float64]:
    """Never end the second chunk on the node whose name is in the file ``doomed``."""
    folder, *_ = context
    mine = begun(folder, chunk)
    there = [one for one, _, node in starts(folder) if node == mine]
    doomed = mine == (Path(folder) / "doomed").read_text()
    time.sleep(600 if doomed and there[1:2] == [chunk] else 0.4)
    return solve(context[1:], chunk)


def begun(folder: Path, chunk: int) -> str:
    """Leave a file that tells who runs the chunk, and return the Ray node."""
    whole = Path(folder) / f"{chunk}-{time.time_ns()}.part"
    ray = sys.modules.get("ray")
    node = ray.get_runtime_context().get_node_id() if ray and ray.is_initialized() else ""
    whole.write_text(f"{os.getpid()} {node}")
    whole.rename(whole.with_suffix(".begun"))
    return str(node)


def ended(folder: Path, chunk: int) -> bool:
    """Whether a slow chunk has taken all the time that it takes."""
    return (folder / f"{chunk}.ended").exists()


def starts(folder: Path) -> Iterator[tuple[int, int, str]]:
    """Yield chunk, process and Ray node of every start, in order."""
    for file in sorted(folder.glob("*.begun"), key=lambda one: int(one.stem.partition("-")[2])):
        process, _, node = file.read_text().partition(" ")
        yield int(file.stem.partition("-")[0]), int(process), node


def die_on_first(context: Path, chunk: int) -> int:
    """Kill the own process the first time that chunk 3 is run."""
    begun(context, chunk)
    if chunk == 3 and sum(one == 3 for one, _, _ in starts(context)) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk * chunk


def die_always(context: Path, chunk: int) -> int:
    begun(context, chunk)
    if chunk == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk


def fail(context: type[Exception] | None, chunk: int) -> int:
    if chunk == 2:
        raise DataError("row 17 of 'task a' is missing") if context is None else context("odd", 3)
    return chunk


class Unportable(Exception):
    """Cannot be made anew from its arguments."""

    def __init__(self, left: str, right: int) -> None:
        super().__init__(f"{left} and {right}")


def unportable_result(context: None, chunk: int) -> Any:
    return lambda: chunk


def environment(context: NDArray[np.float64], chunk: int) -> dict[str, Any]:
    """Tell about the worker, and write into the context, which is the worker's own."""
    context[0] += 1
    return {
        "process": os.getpid(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "calls": float(context[0]),
    }


def say(context: None, chunk: int) -> int:
    print("from the worker", flush=True)  # noqa: T201
    return chunk


def child_processes(process: int) -> set[int]:
    """Return the processes whose parent is this one, from Linux's /proc."""
    children = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            children.add(int(stat.parent.name))
    return children


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
