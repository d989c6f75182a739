"""A frontier: a line per budget, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.cli.telling.rows import CaseRows
from engine.cli.telling.view import Lines, View
from engine.cli.telling.words import solver_line
from engine.solving.comparison_table import Case
from engine.solving.result import Result
from engine.solving.row import Row

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class FrontierView(View):
    """The results of one problem at several budgets.

    Attributes
    ----------
    case
        What was solved.
    results
        One per budget.
    """

    case: Case
    results: Sequence[Result]

    @property
    def rows(self) -> list[Row]:
        """The results as rows."""
        return [Row.of(result, self.case.source_name) for result in self.results]

    def table(self) -> Iterator[RenderableType]:
        """Yield the table; nothing where no budget was reached."""
        if self.results:
            first = self.results[0]
            solver = solver_line(first.solution.certificate)
            yield from CaseRows(self.case, self.rows, first.origin, first.note, solver).table()

    def data(self) -> dict[str, Any]:
        """Return the results."""
        return {"solutions": [result.to_dict() for result in self.results]}

    def lines(self) -> Lines:
        """Return a line per budget."""
        return [asdict(row) for row in self.rows]
