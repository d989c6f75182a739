"""A solution with what is known about it: the instance, other gains, and its worth as a selection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engine.gains.tensor import GainTensor
from engine.problem.kinds import Kind
from engine.solving.certificate import Status
from engine.solving.judgement import Judgement, judgement
from engine.solving.pair_graph import PairGraph, Selection
from engine.solving.scores import Scores
from engine.solving.solution import Solution


@dataclass(frozen=True, kw_only=True)
class Result:
    """One solution, judged.

    Attributes
    ----------
    instance
        Name of the instance.
    solution
        The certified solution.
    budget
        The budget, None where there is none.
    origin, note
        Where the data of the instance come from, and what a reader must know about them.
    kind
        What groups it was chosen from.
    judgement
        The same serving decisions on the evaluation gains, None where there are no such gains.
    graph, selection
        Where the solution is the partition of a graph: the graph, and what the partition is worth as
        a selection.
    """

    instance: str
    solution: Solution
    budget: float | None = None
    origin: str = ""
    note: str = ""
    kind: Kind = Kind.TABLE
    judgement: Judgement | None = None
    graph: PairGraph | None = None
    selection: Selection | None = None

    @property
    def valued(self) -> Solution:
        """The grouping with a gain or loss for each task: of a graph, as a selection."""
        return self.solution if self.selection is None else self.selection.solution

    @property
    def scores(self) -> Scores | None:
        """The grouping on the evaluation gains, None where a task cannot be judged."""
        return None if self.judgement is None else self.judgement.scores

    @property
    def shown_scores(self) -> Scores | None:
        """The scores or, failing that, those of the tasks that can be judged."""
        return None if self.judgement is None else self.judgement.best

    @property
    def not_evaluated(self) -> str:
        """Why there are no scores although there are evaluation gains; empty otherwise."""
        return "" if self.judgement is None else self.judgement.explanation

    @property
    def proven(self) -> bool:
        """Whether the answer, a grouping or that there is none, is proven."""
        return self.solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    @property
    def candidates(self) -> int:
        """How many groups there were to choose from."""
        return int(self.solution.gains["groups"])

    @property
    def predicted_groups(self) -> int:
        """How many of the chosen groups are predicted."""
        return sum(not group.measured for group in self.solution.groups)

    @property
    def predicted_servings(self) -> int:
        """How many serving decisions rest on predictions."""
        solution = self.solution
        return sum(not solution.groups[group].measured for group in solution.serving.values())

    def judged(self, evaluation: GainTensor | None) -> Result:
        """Return this result with what other gains say about it.

        Parameters
        ----------
        evaluation
            The gains to judge on; None for none.
        """
        if evaluation is None or not self.solution.found:
            return self
        return replace(self, judgement=judgement(self.valued, evaluation, "evaluation"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        judged = self.judgement or Judgement()
        return {
            "instance": self.instance,
            "note": self.note,
            "kind": self.kind.word,
            "candidate_groups": self.candidates,
            "predicted_groups": self.predicted_groups,
            "budget": self.budget,
            **self.solution.to_dict(),
            "proven": self.proven,
            "graph": None if self.graph is None else self.graph.to_dict(),
            "selection": None if self.selection is None else self.selection.to_dict(),
            "evaluation": _scores(judged.scores),
            "partial_evaluation": _scores(judged.partial),
            "not_evaluated": judged.why,
            "not_evaluated_tasks": list(judged.unjudged),
        }


def _scores(scores: Scores | None) -> dict[str, Any] | None:
    return (
        None
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
        }
    )
