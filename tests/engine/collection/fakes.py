"""A source that trains nothing, quickly, and counts what it was asked for."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import Experiment, MultiTaskData, Task
from engine.data.splits import random_splits
from engine.gains.source import GainSourceInfo
from engine.training.collector import Collector
from engine.training.trained_groups import TrainedGroups
from tests.waiting import wait_until


@dataclass(frozen=True)
class Fake(Collector):
    """Loss of task t in group g: 1 minus a fixed effect of every other member, plus noise by seed.

    Attributes
    ----------
    noise
        Of one seed.
    log
        A file that gets one line per trained run.
    meet
        So many processes must have begun to train before any of them goes on.
    hold
        Training never ends once the log has so many lines; 0 for no hold.
    """

    noise: float = 0.1
    log: str = ""
    meet: int = 0
    hold: int = 0
    info: ClassVar[GainSourceInfo] = GainSourceInfo(summary="fake")

    def chunk_size(self, experiment: Experiment) -> int:
        return 4

    def measure(self, experiment: Experiment, membership: NDArray[np.bool_], seed: int) -> TrainedGroups:
        count = membership.shape[1]
        effect = np.random.default_rng(0).uniform(-0.05, 0.1, (count, count))
        np.fill_diagonal(effect, 0.0)
        loss = 1 - membership @ effect
        for row, member in enumerate(membership):
            key = [seed, *np.flatnonzero(member).tolist()]
            loss[row] += self.noise * np.random.default_rng(key).standard_normal(count) * (member.sum() > 1)
        loss = np.where(membership, loss, np.nan)
        if self.log:
            with Path(self.log).open("a", encoding="utf-8") as file:
                for member in membership:
                    file.write(f"{seed} {''.join(map(str, member.astype(int)))}\n")
        self._wait()
        ones = np.ones(len(membership), dtype=np.int64)
        return TrainedGroups(
            membership,
            seed,
            {"valid": loss, "test": loss + 0.01},
            {"valid": loss, "test": loss + 0.01},
            {"valid": tuple(row[None] for row in loss)},
            ones,
            ones - 1,
            np.zeros(len(membership)),
        )

    def _wait(self) -> None:
        log = Path(self.log)
        if self.meet:
            Path(f"{log}.{os.getpid()}").touch()
            wait_until(lambda: len(list(log.parent.glob(f"{log.name}.*"))) >= self.meet)
        if self.hold and len(log.read_text().splitlines()) >= self.hold:
            wait_until(lambda: False)


def end_leases(file: Path) -> None:
    """Let all leases of a SQLite store be over, as if nobody had been heard of for long."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("update runs set expires = 0 where status = 'leased'")


def lose(file: Path, how: str) -> None:
    """Let something happen to the file of a store."""
    if how in ("delete", "replace"):
        for one in file.parent.glob(f"{file.name}*"):
            one.unlink()
    if how == "replace":
        file.write_bytes(b"something else")
    if how == "move":
        file.rename(file.with_suffix(".moved"))
    if how == "empty":
        file.write_bytes(b"")
    if how == "text":
        file.write_bytes(b"no database at all, but long enough to be looked at\n" * 1000)
    if how == "log":
        Path(f"{file}-wal").unlink()


@dataclass(frozen=True)
class Losing(Fake):
    """Lose the file of the store while the eighth run is trained.

    Attributes
    ----------
    file, how
        What is lost, and how.
    """

    file: str = ""
    how: str = "delete"

    def measure(self, experiment: Experiment, membership: NDArray[np.bool_], seed: int) -> TrainedGroups:
        lost = Path(f"{self.log}.lost")
        assert not lost.exists(), "trained on although the store is gone"
        trained = super().measure(experiment, membership, seed)
        if len(Path(self.log).read_text().splitlines()) >= 8:
            lost.touch()
            lose(Path(self.file), self.how)
        return trained


def experiment(n_tasks: int = 4) -> Experiment:
    random = np.random.default_rng(0)
    return Experiment(
        MultiTaskData(
            tuple(Task(f"t{one}") for one in range(n_tasks)),
            (random.standard_normal((20, 3)),),
            tuple(random.standard_normal((n_tasks, 20))),
            random_splits(20),
            name="fake",
        ),
        "mlp",
    )
