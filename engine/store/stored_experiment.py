"""Experiments as a store lists them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError


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
        return np.where([task["direction"] == "higher" for task in self.description["tasks"]], 1.0, -1.0)

    @classmethod
    def of(cls, number: int, digest: str, text: str, created: float, **counts: int) -> StoredExperiment:
        """Return an experiment from its description as it is stored.

        Parameters
        ----------
        number, digest, created, counts
            As the attributes.
        text
            The description as JSON.

        Raises
        ------
        DataError
            If the description is not that of the digest, or tells no experiment.
        """
        try:
            if hashlib.sha256(text.encode()).hexdigest() != digest:
                raise ValueError("it is not what was written")
            about = json.loads(text)
            tasks = tuple(task["name"] for task in about["tasks"])
            named = (about["name"], about["backbone"], about["source"], *tasks)
            ways = {task["direction"] for task in about["tasks"]}
            if not (tasks and all(isinstance(one, str) for one in named) and ways <= {"higher", "lower"}):
                raise ValueError("names are missing")
            dict(about["backbone_options"]), dict(about["settings"])
            datetime.fromtimestamp(created, UTC)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
            raise DataError(
                f"The description of experiment {number} is damaged ({error!r}): restore a copy of the store."
            ) from error
        return cls(number, digest, about["name"], tasks, about, created, **counts)


def list_experiments(connection: Any) -> list[StoredExperiment]:
    """Return every experiment, in the order they were made.

    Raises
    ------
    DataError
        If the description of one is damaged.
    """
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
        StoredExperiment.of(
            row.id,
            row.digest,
            row.description,
            row.created,
            groups=counts.get((row.id, DONE), nothing)[1],
            seeds=counts.get((row.id, DONE), nothing)[2],
            done=counts.get((row.id, DONE), nothing)[0],
            diverged=counts.get((row.id, DIVERGED), nothing)[0],
            leased=counts.get((row.id, LEASED), nothing)[0],
        )
        for row in connection.execute(select(experiments).order_by(experiments.c.id))
    ]
