"""A comparison: a table per problem, and what its rows do not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.catalogue.instance import InstanceInfo
from engine.cli.telling.rows import CaseRows
from engine.cli.telling.view import Lines, View
from engine.solving.comparison import Comparison

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class ComparisonView(View):
    """Several solvers on several problems.

    Attributes
    ----------
    comparison
        What was found.
    infos
        What the instances declare, by their names.
    """

    comparison: Comparison
    infos: Mapping[str, InstanceInfo]

    def table(self) -> Iterator[RenderableType]:
        """Yield a table per problem."""
        for index, case in enumerate(self.comparison.cases):
            rows = self.comparison.rows_of(case)
            if rows:
                if index:
                    yield "\n"
                yield f"{case.instance}, {case.source_name}\n"
                info = self.infos[case.instance]
                yield from CaseRows(case, rows, info.origin, info.note).table()

    def data(self) -> dict[str, Any]:
        """Return problems and rows."""
        return self.comparison.to_dict()

    def lines(self) -> Lines:
        """Return the rows."""
        rows: Lines = self.comparison.to_dict()["rows"]
        return rows
