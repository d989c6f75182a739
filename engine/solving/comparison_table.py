"""The table of a comparison: cases go in, rows come out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from engine.gains.tensor import GainTensor
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.pair_graph import PairGraph
from engine.solving.result import Result
from engine.solving.row import Row
from engine.solving.solution import Solution

if TYPE_CHECKING:
    import pandas

UNSUPPORTED = "UNSUPPORTED"
"""Status of a row whose solver cannot express the problem."""


@dataclass(frozen=True, eq=False)
class Case:
    """One problem of a comparison.

    Attributes
    ----------
    instance
        Its name in the table.
    problem
        What to solve; its own budget, if any, is replaced.
    evaluation
        The gains to judge the results on.
    budgets
        Its budgets, where they differ from those of the comparison.
    source
        The gain source in the table; by default that of the gains.
    graph
        The pairwise graph, where the problem is to partition one.
    """

    instance: str
    problem: Problem | LatticeProblem
    evaluation: GainTensor | None = None
    budgets: tuple[float, ...] = ()
    source: str = ""
    graph: PairGraph | None = None

    @property
    def source_name(self) -> str:
        """The gain source in the table."""
        return self.source or self.problem.source

    def result(self, budget: float | None, solution: Solution) -> Result:
        """Return a solution of this problem, judged.

        Parameters
        ----------
        budget
            The budget it was solved at, None for none.
        solution
            As :func:`engine.solve` returned it.
        """
        return Result(
            instance=self.instance,
            solution=solution,
            budget=budget,
            kind=self.problem.kind,
            graph=self.graph,
            selection=None if self.graph is None else self.graph.selection(solution),
        ).judged(self.evaluation)

    def to_dict(self) -> dict[str, Any]:
        """Return what was solved, without the gains themselves, ready for JSON."""
        gains, evaluation = self.problem.gains_record(), self.evaluation
        return {
            "instance": self.instance,
            "source": self.source_name,
            "problem": self.problem.describe(),
            "kind": self.problem.kind.word,
            "split": gains["split"],
            "evaluation_split": None if evaluation is None else evaluation.split,
            "groups": gains["groups"],
            "measured_groups": gains["measured_groups"],
            "provenance": gains["provenance"]["text"],
        }


@dataclass(frozen=True)
class Comparison:
    """The table of a comparison.

    Attributes
    ----------
    rows
        By problem, then solver, then budget.
    interrupted
        Whether an interrupt cut it short.
    cases
        What was solved.
    """

    rows: tuple[Row, ...]
    interrupted: bool = False
    cases: tuple[Case, ...] = ()

    @property
    def flagged(self) -> tuple[Row, ...]:
        """The rows whose claims are refuted, by another solver or by the independent check."""
        return tuple(row for row in self.rows if row.flag)

    def rows_of(self, case: Case) -> tuple[Row, ...]:
        """Return the rows of one problem."""
        key = (case.instance, case.source_name)
        return tuple(row for row in self.rows if (row.instance, row.source) == key)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "interrupted": self.interrupted,
            "problems": [case.to_dict() for case in self.cases],
            "rows": [asdict(row) for row in self.rows],
        }

    def to_frame(self) -> pandas.DataFrame:
        """Return the table, one line per row."""
        import pandas

        columns = [one.name for one in fields(Row)]
        return pandas.DataFrame([asdict(row) for row in self.rows], columns=columns)
