"""Memory and time of the gain store against the number of groups, with synthetic results.

Every stage runs in a process of its own, so that its peak is its own: the peak of what Python and
NumPy allocate in that stage (tracemalloc) in one run, the time and the resident memory in another
one, which tracing does not slow down.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.common import print_header, print_table
from engine import Experiment, GainStore, MultiTaskData, Task, TrainedGroups
from engine.data.splits import random_splits

TASKS, MEMBERS, CHUNK, EPOCHS = 40, 10, 500, 25


def experiment() -> Experiment:
    """Return an experiment of 40 tasks."""
    random = np.random.default_rng(0)
    return Experiment(
        MultiTaskData(
            tuple(Task(f"task{index}") for index in range(TASKS)),
            (random.standard_normal((20, 3)),),
            tuple(random.standard_normal((TASKS, 20))),
            random_splits(20),
            name="synthetic",
        ),
        "mlp",
    )


def trained(membership: np.ndarray, seed: int) -> TrainedGroups:
    """Return random results of some groups, curves included."""
    random = np.random.default_rng([seed, len(membership)])
    count = len(membership)

    def values() -> np.ndarray:
        return np.where(membership, random.uniform(0.5, 1.5, membership.shape), np.nan)

    curves = random.random((count, EPOCHS, TASKS))
    return TrainedGroups(
        membership,
        0,
        {"valid": values(), "test": values()},
        {"valid": values(), "test": values()},
        {"valid": tuple(np.where(row, curve, np.nan) for row, curve in zip(membership, curves, strict=True))},
        np.full(count, EPOCHS),
        np.full(count, EPOCHS - 1),
        np.full(count, 0.1),
    )


def write(url: str, count: int) -> None:
    """Claim and save all tasks alone and ``count`` distinct groups of 10, in chunks of 500."""
    random = np.random.default_rng(0)
    with GainStore.open(url) as store:
        number = store.register(experiment())
        store.save(number, trained(np.eye(TASKS, dtype=bool), 1))
        left = count
        while left:
            size = min(CHUNK, left)
            membership = np.zeros((size, TASKS), dtype=bool)
            drawn = random.random((size, TASKS)).argsort(axis=1)[:, :MEMBERS]
            membership[np.arange(size)[:, None], drawn] = True
            granted = store.claim(number, [(row, 0) for row in membership], "benchmark", 60)
            left -= store.save(number, trained(np.array([row for row, _ in granted]), left), "benchmark")


def read(url: str, count: int) -> None:
    """Read the gain tensor of one split."""
    with GainStore.open(url, create=False) as store:
        tensor = store.tensor(store.find("synthetic"))
    assert tensor.n_groups >= count


def done(url: str, count: int) -> None:
    """Read which groups are done."""
    with GainStore.open(url, create=False) as store:
        found = store.done(store.find("synthetic"))
    assert len(found[0]) >= count


STAGES: dict[str, Callable[[str, int], None]] = {"write": write, "read": read, "done": done}


def stage(name: str, url: str, count: int, traced: bool) -> None:
    """Run one stage, and print its seconds and its peak of memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        GainStore.open(f"sqlite:///{folder}/other.db").close()  # so that imports do not count
    before = peak_resident()
    if traced:
        tracemalloc.start()
    begin = time.perf_counter()
    STAGES[name](url, count)
    seconds = time.perf_counter() - begin
    print(seconds, tracemalloc.get_traced_memory()[1] if traced else peak_resident() - before)


def peak_resident() -> int:
    """Return the largest resident memory of this process so far, in bytes.

    Not from getrusage, where Linux goes on from the peak of the process that started this one.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell the peak of resident memory")


def measure(name: str, url: str, count: int, *, traced: bool) -> tuple[float, float]:
    """Return seconds and peak of memory of a stage, which runs in a process of its own."""
    command = [sys.executable, __file__, "--stage", name, "--url", url, "--groups", str(count)]
    out = subprocess.run(
        [*command, *["--traced"] * traced],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    ).stdout
    seconds, peak = map(float, out.split())
    return seconds, peak


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--stage", choices=sorted(STAGES))
    parser.add_argument("--url")
    parser.add_argument("--traced", action="store_true")
    given = parser.parse_args()
    if given.stage:
        stage(given.stage, given.url, given.groups[0], given.traced)
        return
    print_header("Memory and time of the gain store", "sqlalchemy")
    rows = []
    for count in given.groups:
        for name in STAGES:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "gains.db"
                url = f"sqlite:///{path}"
                if name != "write":
                    write(url, count)
                seconds, resident = measure(name, url, count, traced=False)
                size = path.stat().st_size
                if name == "write":
                    path.unlink()
                _, peak = measure(name, url, count, traced=True)
            entries = count * MEMBERS
            rows.append(
                [
                    name,
                    f"{count:,}",
                    seconds,
                    count / seconds,
                    f"{peak / 2**20:.1f}",
                    f"{resident / 2**20:.1f}",
                    f"{peak / entries:.0f}",
                    f"{size / 2**20:.0f}",
                ]
            )
    print_table(
        [
            "stage",
            f"groups of {MEMBERS}",
            "seconds",
            "groups/s",
            "peak MiB",
            "resident MiB",
            "peak bytes/entry",
            "file MiB",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
