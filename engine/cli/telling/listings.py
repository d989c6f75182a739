"""Lists of plug-ins: what they declare, without anything being loaded for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from engine.cli.telling.output import joined
from engine.cli.telling.tables import Column, Fitted
from engine.cli.telling.view import Lines, View
from engine.problem.kinds import Kind

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Listing(View):
    """A list of plug-ins.

    Attributes
    ----------
    plugins
        What each declares; a ``problem`` that is not empty says why it cannot be used.
    """

    plugins: Sequence[dict[str, Any]]
    name: ClassVar[str]
    fields: ClassVar[Sequence[str]]

    def data(self) -> dict[str, Any]:
        """Return what they declare."""
        return {self.name: self.plugins}

    def columns(self) -> Sequence[str]:
        """Return the columns, the same whatever is installed."""
        return self.fields

    def lines(self) -> Lines:
        """Return a line per plug-in; several things in one cell are joined by bars."""
        return [{key: joined(value) for key, value in plugin.items()} for plugin in self.plugins]


@dataclass(frozen=True)
class SolverListing(Listing):
    """The solvers."""

    name = "solvers"
    fields = (
        *("name", "exact", "installed", "rank", "features", "kinds", "options", "requires"),
        *("missing", "summary", "reference", "problem"),
    )

    def table(self) -> Iterator[RenderableType]:
        """Yield a line per solver, and the kinds of problem."""
        every = {feature for plugin in self.plugins for feature in plugin.get("features", ())}
        exact = ["yes" if plugin.get("exact") else "no" for plugin in self.plugins]
        installed = ["yes" if plugin["installed"] else "no" for plugin in self.plugins]
        about = [_about_solver(plugin, every) + "\n" for plugin in self.plugins]
        yield Fitted(
            [
                Column("solver", [plugin["name"] for plugin in self.plugins], right=False),
                Column("exact", exact, right=False),
                Column("installed", installed, right=False),
                Column("about", about, right=False, whole=False),
            ]
        )
        yield "Kinds of problem: " + "; ".join(f"{kind.word}: {kind}" for kind in Kind) + "."


def _about_solver(plugin: dict[str, Any], every: set[str]) -> str:
    if plugin["problem"]:
        return str(plugin["problem"])
    lacking = sorted(every.difference(plugin["features"]))
    needs = [f"{name} (missing)" if name in plugin["missing"] else name for name in plugin["requires"]]
    lines = [
        plugin["summary"],
        "takes: " + ", ".join(plugin["kinds"]),
        "solves: every problem" if not lacking else "does not solve: " + ", ".join(lacking),
        "options: " + ", ".join(f"{key}={value}" for key, value in plugin["options"].items()),
        "needs: " + ", ".join(needs),
        "from: " + plugin["reference"],
    ]
    return "\n".join(line for line in lines if not line.endswith(": "))


@dataclass(frozen=True)
class InstanceListing(Listing):
    """The instances.

    Attributes
    ----------
    fitted
        Gain sources that can be fitted on recorded gains.
    """

    fitted: Sequence[str]
    name = "instances"
    fields = (
        *("name", "tasks", "n_groups", "quantity", "sources", "source_split", "evaluation_split"),
        *("budgets", "default_budget", "summary", "origin", "licence", "note", "bundled", "problem"),
    )

    def table(self) -> Iterator[RenderableType]:
        """Yield a line per instance, and the sources."""
        about = [_about_instance(plugin) + "\n" for plugin in self.plugins]
        yield Fitted(
            [
                Column("instance", [plugin["name"] for plugin in self.plugins], right=False),
                Column("tasks", [str(len(plugin.get("tasks", ()))) for plugin in self.plugins]),
                Column("groups", [_groups(plugin) for plugin in self.plugins]),
                Column("about", about, right=False, whole=False),
            ]
        )
        sources = ", ".join(self.fitted) or "none"
        yield f"Gain sources fitted on the measured gains, where those hold what it takes: {sources}."


def _groups(plugin: dict[str, Any]) -> str:
    """Return the number of groups; an instance that trains has none until they are collected."""
    return "–" if plugin["problem"] else str(plugin["n_groups"] or "trains")


def _about_instance(plugin: dict[str, Any]) -> str:
    if plugin["problem"]:
        return str(plugin["problem"])
    lines = (
        plugin["summary"],
        f"{'gains' if plugin['quantity'] == 'gain' else 'losses'}, splits: "
        f"{' → '.join(plugin['splits']) or 'unnamed'}",
        f"sources: {', '.join(plugin['sources'])}",
        f"default budget: {plugin['default_budget']:g}",
        f"from: {plugin['origin']}",
        f"where those cannot be had: {plugin['bundled']}" if plugin["bundled"] else "",
    )
    return "\n".join(filter(None, lines))
