"""The human view of an instance in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.cli.telling.description import Description
from engine.cli.telling.output import amount, percent, unit
from engine.cli.telling.results import basis
from engine.cli.telling.tables import Column, Fitted, facts

if TYPE_CHECKING:
    from rich.console import RenderableType


def description_table(described: Description) -> Iterator[RenderableType]:
    """Yield what to print.

    Parameters
    ----------
    described
        The numbers.
    """
    what = unit(described.quantity)
    yield facts(_facts(described))
    yield f"\n{what} of the members of groups of two or more\n"
    yield Fitted(list(_distribution(described)))
    yield ""
    coverage = described.coverage
    yield Fitted(
        [
            Column("task", [one.task for one in coverage], right=False),
            Column("groups", [str(one.groups) for one in coverage]),
            Column(f"mean {what}", [amount(one.mean, described.quantity) for one in coverage]),
            Column(f"best {what}", [amount(one.best, described.quantity) for one in coverage]),
        ]
    )


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
