"""A solution with its scores: what solve and frontier print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from engine.cli.commands import FAILED
from engine.evaluate import Scores
from engine.gains import GainTensor
from engine.solution import Solution, Status

NO_SOLUTION = 4
EXIT_CODES = {
    Status.OPTIMAL: 0,
    Status.FEASIBLE: 0,
    Status.INFEASIBLE: 3,
    Status.NONE: NO_SOLUTION,
    Status.ERROR: FAILED,
}
PROVEN = {
    Status.OPTIMAL: "proven optimal",
    Status.FEASIBLE: "not proven",
    Status.INFEASIBLE: "proven: no grouping meets the demands",
    Status.NONE: "not proven: no grouping found, and none excluded",
    Status.ERROR: "refuted: the independent check found the solver wrong",
}


@dataclass(frozen=True)
class Result:
    """One solution, judged.

    Attributes
    ----------
    instance, origin, note
        Name of the instance, where its data come from, and what a reader must know about them.
    budget
        The budget, None where there is none.
    solution
        The certified solution.
    scores
        The same serving decisions on the evaluation gains, None where there are none.
    not_evaluated
        Why there are no scores although there are evaluation gains.
    """

    instance: str
    origin: str
    budget: float | None
    solution: Solution
    scores: Scores | None = None
    not_evaluated: str = ""
    note: str = ""

    @property
    def proven(self) -> bool:
        """Whether the answer, a grouping or that there is none, is proven."""
        return self.solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    @property
    def told_origin(self) -> str:
        """Where the gains come from, each thing said once."""
        provenance = str(self.solution.gains["provenance"])
        if self.origin in provenance:
            return provenance or "unknown"
        return self.origin if provenance in self.origin else f"{provenance}; {self.origin}"

    @property
    def predicted_servings(self) -> int:
        """How many serving decisions rest on predictions."""
        solution = self.solution
        return sum(not solution.groups[group].measured for group in solution.serving.values())

    @property
    def basis(self) -> str:
        """What the source gains of the serving groups are: measured, predicted, or how many are."""
        return basis(self.predicted_servings, len(self.solution.serving), "tasks")

    @property
    def conflict(self) -> str:
        """The demands that cannot all be met and, where it shows, why; empty where there are none."""
        why = "; ".join(self.solution.reasons)
        return "; ".join(self.solution.conflict) + (f" ({why})" if why else "")

    @property
    def gains(self) -> str:
        """What was solved on, in words."""
        gains = self.solution.gains
        return origin_of(gains["source"], gains["split"], gains["groups"], gains["measured_groups"])

    @property
    def judged_on(self) -> str:
        """What it was judged on, in words; empty without scores."""
        scores = self.scores
        return "" if scores is None else origin_of(scores.source, scores.split)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        scores = self.scores
        return {
            "instance": self.instance,
            "note": self.note,
            "budget": self.budget,
            **self.solution.to_dict(),
            "proven": self.proven,
            "evaluation": None
            if scores is None
            else {
                "split": scores.split,
                "source": scores.source,
                "measured": dict(scores.measured),
                "predicted_servings": scores.predicted,
                "total": scores.total,
                "mean": scores.mean,
                "task_values": dict(scores.task_values),
                "optimism": scores.optimism,
            },
        }


def judge(result: Result, evaluation: GainTensor | None) -> Result:
    """Add the scores on the evaluation gains.

    Parameters
    ----------
    result
        A result without scores.
    evaluation
        The gains to judge on, None where there are none.
    """
    from engine.errors import DataError

    solution = result.solution
    if evaluation is None or not solution.found:
        return result
    try:
        return replace(result, scores=solution.evaluate(evaluation))
    except DataError as error:
        return replace(result, not_evaluated=str(error))


def basis(predicted: int, count: int, things: str) -> str:
    """Say what values are: measured, predicted, or how many of them are predicted."""
    if not predicted:
        return "measured"
    return "predicted" if predicted == count else f"{predicted} of {count} {things} predicted"


def origin_of(source: str, split: str, groups: int = 0, measured: int = 0) -> str:
    """Say where gains come from and, where a number of groups is given, what they are."""
    told = f"source {source!r}, split {split or 'unnamed'}"
    return f"{told}, {groups} groups ({basis(groups - measured, groups, 'groups')})" if groups else told


def exit_code(statuses: Iterable[Status]) -> int:
    """Return the exit code of several results: a refuted claim counts most, then any success."""
    codes = {EXIT_CODES[status] for status in statuses}
    for code in (FAILED, 0, NO_SOLUTION):
        if code in codes:
            return code
    return max(codes, default=NO_SOLUTION)
