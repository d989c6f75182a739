"""The table of a comparison: cases go in, rows come out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from engine.gains.model import GainModel
from engine.gains.tensor import GainTensor
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem

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
    selection_model
        By which groupings are worth something as a selection, where the problem does not say it: for
        the partition of a graph, the pair-mean model of the same affinity.
    """

    instance: str
    problem: Problem | LatticeProblem
    evaluation: GainTensor | None = None
    budgets: tuple[float, ...] = ()
    source: str = ""
    selection_model: GainModel | None = None

    @property
    def source_name(self) -> str:
        """The gain source in the table."""
        return self.source or self.problem.source

    def to_dict(self) -> dict[str, Any]:
        """Return what was solved, without the gains themselves, ready for JSON."""
        gains, evaluation = self.problem.told_gains(), self.evaluation
        return {
            "instance": self.instance,
            "source": self.source_name,
            "problem": self.problem.describe(),
            "kind": self.problem.kind.name.lower(),
            "split": gains["split"],
            "evaluation_split": None if evaluation is None else evaluation.split,
            "groups": gains["groups"],
            "measured_groups": gains["measured_groups"],
            "provenance": gains["provenance"]["text"],
        }


@dataclass(frozen=True)
class Row:
    """One solver on one problem at one budget.

    Attributes
    ----------
    instance, source, solver, budget
        What was solved, and by whom.
    status
        A :class:`~engine.Status`, or ``"UNSUPPORTED"``.
    value, bound, gap
        As certified; the gap is relative (fraction).
    seconds, load_seconds
        Wall time of this budget, given what the solver kept from larger ones; and what its libraries
        took to load and compile, which comes on top and falls to its first budget.
    groups
        Number of chosen groups.
    mean, evaluation_mean
        Mean over tasks on the source and on the evaluation split; of a graph, as a selection.
    optimism
        Mean promised minus kept; positive is a promise not kept.
    agreement
        Share of tasks served by the same group as in the best verified grouping of this problem and budget.
    quantity
        ``"gain"`` or ``"loss"``: what the means are.
    predicted_servings, evaluation_predicted_servings
        How many tasks are served on predictions, and for how many the evaluation is a prediction.
    termination
        Why the solver stopped.
    flag
        What another verified value says against this row's claim; empty if nothing does.
    reason
        Why there is no result, in words.
    selection_value
        Total by the selection model of the case, None where it has none.
    presolve
        Whether an exact solver was allowed the shared presolve.
    method
        How a heuristic came to its grouping, where it says so.
    """

    instance: str
    source: str
    solver: str
    budget: float
    status: str
    value: float | None = None
    bound: float | None = None
    gap: float | None = None
    seconds: float | None = None
    load_seconds: float | None = None
    groups: int | None = None
    mean: float | None = None
    evaluation_mean: float | None = None
    optimism: float | None = None
    agreement: float | None = None
    quantity: str = "gain"
    predicted_servings: int = 0
    evaluation_predicted_servings: int | None = None
    termination: str = ""
    flag: str = ""
    reason: str = ""
    selection_value: float | None = None
    presolve: bool = True
    method: str = ""


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

    def of(self, case: Case) -> tuple[Row, ...]:
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
