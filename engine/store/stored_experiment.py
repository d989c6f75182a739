"""Experiments as a store lists them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.task import Task


@dataclass(frozen=True)
class StoredExperiment:
    """An experiment in the store.

    Attributes
    ----------
    id, digest, name
        Its number, the SHA-256 of its description, and the name of its data.
    tasks
        Task names.
    description
        Data digest, backbone, settings, as :attr:`engine.Experiment.description`.
    created
        When, in seconds since 1970, UTC.
    groups, seeds, done, diverged, leased
        Distinct groups and seeds trained, and runs by status.
    """

    id: int
    digest: str
    name: str
    tasks: tuple[str, ...]
    description: dict[str, Any]
    created: float
    groups: int = 0
    seeds: int = 0
    done: int = 0
    diverged: int = 0
    leased: int = 0

    @property
    def signs(self) -> NDArray[np.float64]:
        """Shape (N,): 1 where a higher metric of the task is better, −1 where a lower one is."""
        return np.array([Task(**task).sign for task in self.description["tasks"]])


def list_experiments(connection: Any) -> list[StoredExperiment]:
    """Return every experiment, in the order they were made."""
    from sqlalchemy import func, select

    from engine.store.schema import DIVERGED, DONE, LEASED, experiments, runs

    counted = select(
        runs.c.experiment,
        runs.c.status,
        func.count(),
        func.count(runs.c.members.distinct()),
        func.count(runs.c.seed.distinct()),
    ).group_by(runs.c.experiment, runs.c.status)
    counts = {(row[0], row[1]): tuple(row)[2:] for row in connection.execute(counted)}
    nothing = (0, 0, 0)
    return [
        StoredExperiment(
            row.id,
            row.digest,
            row.name,
            tuple(json.loads(row.tasks)),
            json.loads(row.description),
            row.created,
            groups=counts.get((row.id, DONE), nothing)[1],
            seeds=counts.get((row.id, DONE), nothing)[2],
            done=counts.get((row.id, DONE), nothing)[0],
            diverged=counts.get((row.id, DIVERGED), nothing)[0],
            leased=counts.get((row.id, LEASED), nothing)[0],
        )
        for row in connection.execute(select(experiments).order_by(experiments.c.id))
    ]
