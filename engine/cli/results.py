"""A solution with its scores: what solve and frontier print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from engine.cli.main import FAILED
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
    instance, origin
        Name of the instance and where its data come from.
    budget
        The budget, None where there is none.
    solution
        The certified solution.
    scores
        The same serving decisions on the evaluation gains, None where there are none.
    evaluation_measured
        Whether every number in ``scores`` was measured.
    not_evaluated
        Why there are no scores although there are evaluation gains.
    """

    instance: str
    origin: str
    budget: float | None
    solution: Solution
    scores: Scores | None = None
    evaluation_measured: bool = True
    not_evaluated: str = ""

    @property
    def proven(self) -> bool:
        """Whether the answer, a grouping or that there is none, is proven."""
        return self.solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    @property
    def told_origin(self) -> str:
        """Where the gains come from, each thing said once."""
        provenance = str(self.solution.gains["provenance"])
        if self.origin in provenance or not self.origin:
            return provenance or "unknown"
        return f"{provenance}; {self.origin}" if provenance else self.origin

    @property
    def predicted_servings(self) -> int:
        """How many serving decisions rest on predictions."""
        solution = self.solution
        return sum(not solution.groups[group].measured for group in solution.serving.values())

    @property
    def basis(self) -> str:
        """What the source gains of the serving groups are: measured, predicted, or how many are."""
        predicted, tasks = self.predicted_servings, len(self.solution.serving)
        if not predicted:
            return "measured"
        return "predicted" if predicted == tasks else f"{predicted} of {tasks} predicted"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        scores = self.scores
        return {
            "instance": self.instance,
            "budget": self.budget,
            **self.solution.to_dict(),
            "proven": self.proven,
            "evaluation": None
            if scores is None
            else {
                "split": scores.split,
                "source": scores.source,
                "measured": self.evaluation_measured,
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
        scores = solution.evaluate(evaluation)
    except DataError as error:
        return replace(result, not_evaluated=str(error))
    serving = {solution.groups[index].tasks for index in solution.serving.values()}
    measured = all(evaluation.measured[row] for tasks in serving for row in evaluation.find(tasks)[:1])
    return replace(result, scores=scores, evaluation_measured=measured)


def exit_code(statuses: Iterable[Status]) -> int:
    """Return the exit code of several results: a refuted claim counts most, then any success."""
    codes = {EXIT_CODES[status] for status in statuses}
    for code in (FAILED, 0, NO_SOLUTION):
        if code in codes:
            return code
    return max(codes, default=NO_SOLUTION)
