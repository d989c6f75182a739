"""An instance in numbers, and an instance that trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.catalogue.description import Description, TrainingDescription
from engine.cli.telling.output import amount, percent, unit
from engine.cli.telling.tables import Column, Fitted, facts
from engine.cli.telling.view import Lines, View
from engine.cli.telling.words import basis

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class DescriptionView(View):
    """An instance in numbers; as CSV the coverage of its tasks.

    Attributes
    ----------
    described
        The numbers.
    """

    described: Description

    def table(self) -> Iterator[RenderableType]:
        """Yield facts, the distribution of the gains, and the coverage of the tasks."""
        described = self.described
        what, coverage = unit(described.quantity), described.coverage
        yield facts(_facts(described))
        yield f"\n{what} of the members of groups of two or more\n"
        yield Fitted(list(_distribution(described)))
        yield ""
        yield Fitted(
            [
                Column("task", [one.task for one in coverage], right=False),
                Column("groups", [str(one.groups) for one in coverage]),
                Column(f"mean {what}", [amount(one.mean, described.quantity) for one in coverage]),
                Column(f"best {what}", [amount(one.best, described.quantity) for one in coverage]),
            ]
        )

    def data(self) -> dict[str, Any]:
        """Return the numbers."""
        return asdict(self.described)

    def lines(self) -> Lines:
        """Return a line per task."""
        return [asdict(task) for task in self.described.coverage]


@dataclass(frozen=True)
class TrainingView(View):
    """An instance that trains, before any gain is collected; as CSV its tasks.

    Attributes
    ----------
    described
        What it declares.
    """

    described: TrainingDescription

    def table(self) -> Iterator[RenderableType]:
        """Yield the facts."""
        yield facts(_training_facts(self.described))

    def data(self) -> dict[str, Any]:
        """Return what is declared."""
        return asdict(self.described)

    def lines(self) -> Lines:
        """Return a line per task."""
        return [{"task": task} for task in self.described.tasks]


def _distribution(described: Description) -> Iterator[Column]:
    names = [*described.splits[0].quantiles, "mean"]
    gain = described.quantity == "gain"
    yield Column("", [*names, "positive %"] if gain else names, right=False)
    for one in described.splits:
        numbers = [amount(x, described.quantity) for x in (*one.quantiles.values(), one.mean)]
        yield Column(one.split or one.role, [*numbers, percent(one.positive, 1)] if gain else numbers)


def _facts(described: Description) -> Iterator[tuple[str, str]]:
    budgets = ", ".join(f"{budget:g}" for budget in described.budgets)
    yield "instance", f"{described.name}: {described.summary}"
    yield "from", described.origin
    yield "licence", described.licence
    if described.note:
        yield "note", described.note
    yield "sources", ", ".join(described.sources)
    yield "budgets", f"{budgets or '–'} (default {described.default_budget:g})"
    kind = basis(described.groups - described.measured_groups, described.groups, "groups")
    yield "groups", f"{described.groups} over {len(described.tasks)} tasks ({kind})"
    yield "sizes", ", ".join(f"{count} of {size}" for size, count in described.sizes.items())
    yield "costs", ", ".join(f"{count} at {cost}" for cost, count in described.costs.items())
    if described.correlation is not None:
        names = " and ".join(one.split or one.role for one in described.splits)
        yield "correlation", f"{described.correlation:.3f} between {names} (groups of two or more)"


def _training_facts(described: TrainingDescription) -> Iterator[tuple[str, str]]:
    options = ", ".join(f"{name}={value}" for name, value in described.backbone_options.items())
    settings = described.settings
    shown = ("epochs", "patience", "batch_size", "optimiser", "learning_rate")
    budgets = ", ".join(f"{budget:g}" for budget in described.budgets)
    yield "instance", f"{described.name}: {described.summary}"
    yield "from", described.origin
    yield "licence", described.licence
    if described.note:
        yield "note", described.note
    yield f"{len(described.tasks)} tasks", ", ".join(described.tasks)
    yield "budgets", f"{budgets or '–'} (default {described.default_budget:g})"
    yield "backbone", described.backbone + (f" ({options})" if options else "")
    yield "training", ", ".join(f"{name.replace('_', ' ')} {settings[name]}" for name in shown)
    yield "gains", f"none are recorded; engine collect --instance {described.name} makes them"
    yield "", f"what was collected: engine gains show {described.name}"
