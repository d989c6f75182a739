"""A solution with its scores: what solve and frontier print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.cli.telling.graphs import PairGraph, Selection
from engine.cli.telling.judging import Judgement, judgement
from engine.cli.telling.messages import FAILED
from engine.gains.tensor import GainTensor
from engine.problem.table import Kind
from engine.solving.scores import Scores
from engine.solving.solution import Certificate, Solution, Status

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
    kind
        What groups it was chosen from.
    judgement
        The same serving decisions on the evaluation gains, None where there are no such gains.
    graph, selection
        Where the solution is the partition of a graph: the graph, and what the partition is worth as
        a selection.
    """

    instance: str
    origin: str
    budget: float | None
    solution: Solution
    kind: Kind = Kind.TABLE
    judgement: Judgement | None = None
    note: str = ""
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
        return "" if self.judgement is None else self.judgement.told

    @property
    def proven(self) -> bool:
        """Whether the answer, a grouping or that there is none, is proven."""
        return self.solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    @property
    def told_origin(self) -> str:
        """Where the gains come from, each thing said once."""
        provenance = self.solution.provenance.text
        if self.origin in provenance:
            return provenance or "unknown"
        return self.origin if provenance in self.origin else f"{provenance}; {self.origin}"

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
        return told_gains(self.kind, self.solution.gains) if self.graph is None else self.graph.describe()

    @property
    def told_groups(self) -> str:
        """How many groups were chosen from how many, and how many of them are predicted."""
        chosen = len(self.solution.groups)
        told = f"{chosen} of all {self.candidates} groups of {len(self.solution.tasks)} tasks"
        return f"{told} ({basis(self.predicted_groups, chosen, 'chosen groups')})"

    @property
    def judged_on(self) -> str:
        """What it was judged on, in words; empty without scores."""
        scores = self.shown_scores
        if scores is None:
            return ""
        told = origin_of(scores.source, scores.split)
        count, all_tasks = len(scores.task_values), len(self.solution.tasks)
        return told if count == all_tasks else f"{told}: {count} of {all_tasks} tasks"

    def judged(self, evaluation: GainTensor) -> Result:
        """Return this result with what other gains say about it.

        Parameters
        ----------
        evaluation
            The gains to judge on.
        """
        if not self.solution.found:
            return self
        return replace(self, judgement=judgement(self.valued, evaluation, "evaluation"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        judged = self.judgement or Judgement()
        return {
            "instance": self.instance,
            "note": self.note,
            "kind": kind_name(self.kind),
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


def stopped(termination: str) -> str:
    """Say why a solver stopped."""
    return str(termination).lower().replace("_", " ")


def solver_line(certificate: Certificate) -> str:
    """Say what solved a problem, and how it was told to."""
    words = [certificate.solver, f"seed {certificate.seed}", f"threads {certificate.threads}"]
    words += [] if certificate.presolve else ["no presolve"]
    words += [f"{name} {value}" for name, value in certificate.options.items()]
    return ", ".join(words)


def kind_name(kind: Kind) -> str:
    """Return a kind of problem in one word: ``table``, ``lattice`` or ``graph``."""
    return kind.name.lower()


def basis(predicted: int, count: int, things: str) -> str:
    """Say what values are: measured, predicted, or how many of them are predicted."""
    if not predicted:
        return "measured"
    return "predicted" if predicted == count else f"{predicted} of {count} {things} predicted"


def told_gains(kind: Kind, gains: Mapping[str, Any]) -> str:
    """Say what a problem is solved on.

    Parameters
    ----------
    kind
        Of the problem.
    gains
        As its ``told_gains`` returns it.
    """
    count = gains["measured_groups"]
    if kind is Kind.TABLE:
        return origin_of(gains["source"], gains["split"], gains["groups"], count)
    fitted = f"fitted on {count} measured groups" if count else "fitted on predictions"
    return f"model {gains['source']!r}, split {gains['split'] or 'unnamed'}, {fitted}"


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
