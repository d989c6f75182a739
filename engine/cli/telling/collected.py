"""What a collection brought: gains, how far they can be trusted, and the command that uses them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.cli.telling.tables import facts
from engine.cli.telling.view import Lines, View
from engine.collection.collect import Collected, Plan
from engine.training.experiment import Experiment

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class CollectedView(View):
    """A collection that ended; as CSV one line.

    Attributes
    ----------
    experiment, plan
        What was trained.
    collected
        What it brought.
    url
        The store.
    """

    experiment: Experiment
    plan: Plan
    collected: Collected
    url: str

    def table(self) -> Iterator[RenderableType]:
        """Yield the facts."""
        yield facts(self._facts())

    def data(self) -> dict[str, Any]:
        """Return the figures."""
        collected, trust = self.collected, self.collected.reliability
        return {
            "experiment": collected.experiment,
            "name": self.experiment.data.name,
            "store": self.url,
            "groups": 0 if collected.gains is None else collected.gains.n_groups,
            "planned_groups": len(self.plan.groups),
            "seeds": collected.seeds,
            "trained": collected.trained,
            "seconds": collected.seconds,
            "reliability": None if trust is None else trust.value,
            "reliability_of_one_seed": None if trust is None else trust.one_seed,
            "complete": collected.complete,
            "interrupted": collected.interrupted,
        }

    def lines(self) -> Lines:
        """Return the figures as one line."""
        return [self.data()]

    def _facts(self) -> Iterator[tuple[str, str]]:
        collected, gains = self.collected, self.collected.gains
        yield "experiment", f"{collected.experiment}: {self.experiment.data.name}, {self.experiment.backbone}"
        yield "store", self.url
        if gains is None:
            yield "gains", "none yet: not every task has been trained alone"
        else:
            larger = gains.values[gains.sizes[gains.entry_rows] > 1]
            yield "gains", f"{gains.n_groups} groups of {gains.n_tasks} tasks on {gains.split} (measured)"
            if len(larger):
                better = 100 * float((larger > 0).mean())
                yield "", f"mean {100 * float(larger.mean()):.2f} %, {better:.0f} % of the entries gain"
        runs = f"{collected.trained} runs in {collected.seconds:.1f} s"
        yield "trained", f"{runs}; {collected.seeds} seeds complete"
        yield "reliability", _trust(collected)
        yield "solve it", f"engine solve --instance '{self.url}#{collected.experiment}'"


def _trust(collected: Collected) -> str:
    trust = collected.reliability
    if trust is None:
        seeds = "one seed" if collected.seeds else "no seed complete"
        return f"unknown with {seeds}: add --seeds or --until-reliable 0.9"
    if math.isnan(trust.value):
        return f"unknown: the {trust.entries} gains of groups are too few, or do not vary"
    return f"{trust.value:.2f} with {trust.seeds} seeds, {trust.one_seed:.2f} with one"
