"""What a gain store holds: its experiments, and one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.cli.telling.tables import Column, Fitted, facts
from engine.cli.telling.view import Lines, View
from engine.store import StoredExperiment

if TYPE_CHECKING:
    from rich.console import RenderableType

COUNTS = ("tasks", "groups", "seeds", "done", "diverged", "leased")
SEEDS_SHOWN = 8


def _line(experiment: StoredExperiment) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "name": experiment.name,
        "tasks": len(experiment.tasks),
        "groups": experiment.groups,
        "seeds": experiment.seeds,
        "done": experiment.done,
        "diverged": experiment.diverged,
        "leased": experiment.leased,
        "backbone": experiment.description["backbone"],
        "source": experiment.description["source"],
        "created": datetime.fromtimestamp(experiment.created, UTC).isoformat("T", "seconds"),
        "digest": experiment.digest,
    }


@dataclass(frozen=True)
class ExperimentsView(View):
    """The experiments of a store.

    Attributes
    ----------
    experiments
        All of them.
    """

    experiments: Sequence[StoredExperiment]

    def table(self) -> Iterator[RenderableType]:
        """Yield a line per experiment."""
        lines = self.lines()
        if not lines:
            yield "no experiments yet: engine collect makes one."
            return
        counts = [Column(name, [str(line[name]) for line in lines]) for name in COUNTS]
        yield Fitted(
            [
                Column("id", [str(line["id"]) for line in lines]),
                Column("name", [line["name"] for line in lines], right=False),
                *counts,
                Column("backbone", [line["backbone"] for line in lines], right=False, spare=1),
                Column("created", [line["created"] for line in lines], right=False, spare=2),
                Column("digest", [line["digest"][:12] for line in lines], right=False, spare=3),
            ]
        )

    def data(self) -> dict[str, Any]:
        """Return what is known of each experiment."""
        return {"experiments": self.lines()}

    def columns(self) -> Sequence[str]:
        """Return the columns, also of an empty store."""
        return ["id", "name", *COUNTS, "backbone", "source", "created", "digest"]

    def lines(self) -> Lines:
        """Return a line per experiment."""
        return [_line(experiment) for experiment in self.experiments]


@dataclass(frozen=True)
class ExperimentView(View):
    """One experiment: settings, seeds, and groups by size; as CSV the groups by size.

    Attributes
    ----------
    experiment
        What the store knows.
    done
        Seed → membership of the groups that are trained, shape (G, N).
    url
        The store.
    """

    experiment: StoredExperiment
    done: Mapping[int, NDArray[np.bool_]]
    url: str

    @property
    def runs(self) -> dict[int, int]:
        """How many runs there are of each seed."""
        return {seed: len(membership) for seed, membership in sorted(self.done.items())}

    def table(self) -> Iterator[RenderableType]:
        """Yield the facts, and the groups by size."""
        yield facts(self._facts())
        yield ""
        lines = self.lines()
        yield Fitted([Column(name, [str(line[name]) for line in lines]) for name in self.columns()])

    def data(self) -> dict[str, Any]:
        """Return everything that is known."""
        experiment = self.experiment
        return {
            **_line(experiment),
            "tasks": experiment.tasks,
            "description": experiment.description,
            "runs_by_seed": self.runs,
            "sizes": self.lines(),
        }

    def columns(self) -> Sequence[str]:
        """Return the columns, also where nothing is trained."""
        return ["size", "groups", "runs"]

    def lines(self) -> Lines:
        """Return a line per size of group."""
        runs = np.concatenate([*self.done.values(), np.zeros((0, len(self.experiment.tasks)), dtype=bool)])
        groups = np.unique(runs, axis=0)
        count, size = (np.bincount(rows.sum(axis=1)) for rows in (groups, runs))
        return [
            {"size": int(at), "groups": int(count[at]), "runs": int(size[at])} for at in np.flatnonzero(size)
        ]

    def _facts(self) -> Iterator[tuple[str, str]]:
        experiment, about = self.experiment, self.experiment.description
        options = ", ".join(f"{key}={value}" for key, value in about["backbone_options"].items())
        seeds = ", ".join(f"{seed} ({count} runs)" for seed, count in list(self.runs.items())[:SEEDS_SHOWN])
        more = f" and {len(self.runs) - SEEDS_SHOWN} more" if len(self.runs) > SEEDS_SHOWN else ""
        tasks = (f"{one['name']} ({one['metric']}, {one['direction']})" for one in about["tasks"])
        yield "experiment", f"{experiment.id}: {experiment.name}, digest {experiment.digest[:12]}"
        yield "store", self.url
        yield "created", datetime.fromtimestamp(experiment.created, UTC).isoformat(" ", "seconds")
        yield "source", str(about["source"])
        yield "backbone", f"{about['backbone']}{f' ({options})' if options else ''}"
        yield "settings", ", ".join(f"{key}={value}" for key, value in about["settings"].items())
        yield "tasks", ", ".join(tasks)
        yield "seeds", f"{seeds}{more}" or "none yet"
        yield "runs", f"{experiment.done} done, {experiment.diverged} diverged, {experiment.leased} leased"
