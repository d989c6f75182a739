"""One result as a line of a table, for people and for machines."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.solving.result import Result

LOADING = ("load", "compile")
"""Stages of a solver that are paid once, whatever the problem."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One solver on one problem at one budget.

    Attributes
    ----------
    instance, source, solver, budget
        What was solved, and by whom; the budget is NaN where there is none.
    kind
        Kind of the problem in one word.
    status
        A :class:`~engine.Status`, or ``"UNSUPPORTED"``.
    termination
        Why the solver stopped.
    value, bound, gap
        As certified; the gap is relative (fraction).
    quantity
        ``"gain"`` or ``"loss"``: what the means are.
    mean, evaluation_mean
        Mean over tasks on the source and on the evaluation split; of a graph, as a selection.
    optimism
        Mean promised minus kept; positive is a promise not kept.
    selection_value, recorded_value
        Of the partition of a graph: its total as a selection by the pair-mean rule, and on the recorded
        gains where those hold its groups.
    groups, predicted_groups, candidate_groups, cost
        Number of chosen groups, how many of them are predicted, how many there were to choose from, and
        what the chosen ones cost.
    predicted_servings, evaluation_predicted_servings
        How many tasks are served on predictions, and for how many the evaluation is a prediction.
    unevaluated_tasks, not_evaluated
        How many tasks cannot be judged, and why.
    agreement
        Share of tasks served by the same group as in the best verified grouping of this problem and budget.
    seconds, load_seconds
        Wall time of this budget, given what the solver kept from larger ones; and what its libraries
        took to load and compile, which comes on top and falls to its first budget.
    presolve
        Whether an exact solver was allowed the shared presolve.
    method
        How a heuristic came to its grouping, where it says so.
    flag
        What another verified value says against this row's claim; empty if nothing does.
    reason
        Why there is no result, in words.
    """

    instance: str
    source: str
    solver: str
    budget: float
    kind: str
    status: str
    termination: str = ""
    value: float | None = None
    bound: float | None = None
    gap: float | None = None
    quantity: str = "gain"
    mean: float | None = None
    evaluation_mean: float | None = None
    optimism: float | None = None
    selection_value: float | None = None
    recorded_value: float | None = None
    groups: int | None = None
    predicted_groups: int | None = None
    candidate_groups: int | None = None
    cost: float | None = None
    predicted_servings: int = 0
    evaluation_predicted_servings: int | None = None
    unevaluated_tasks: int | None = None
    not_evaluated: str = ""
    agreement: float | None = None
    seconds: float | None = None
    load_seconds: float | None = None
    presolve: bool = True
    method: str = ""
    flag: str = ""
    reason: str = ""

    @classmethod
    def of(cls, result: Result, source: str, *, agreement: float | None = None, flag: str = "") -> Row:
        """Return a result as a row.

        Parameters
        ----------
        result
            Holds the solution.
        source
            Name of the gain source.
        agreement, flag
            What other solvers say.
        """
        solution, scores, selection = result.solution, result.scores, result.selection
        certificate, found = solution.certificate, solution.found
        recorded = None if selection is None or selection.recorded is None else selection.recorded.scores
        load = math.fsum(certificate.seconds.get(stage, 0.0) for stage in LOADING)
        return cls(
            instance=result.instance,
            source=source,
            solver=certificate.solver,
            budget=math.nan if result.budget is None else result.budget,
            kind=result.kind.word,
            status=solution.status.value,
            termination=certificate.termination.value,
            value=solution.value,
            bound=solution.bound,
            gap=solution.gap,
            quantity=solution.quantity,
            mean=result.valued.mean,
            evaluation_mean=None if scores is None else scores.mean,
            optimism=None if scores is None else scores.optimism,
            selection_value=None if selection is None else selection.value,
            recorded_value=None if recorded is None else recorded.total,
            groups=len(solution.groups) if found else None,
            predicted_groups=result.predicted_groups if found else None,
            candidate_groups=result.candidates,
            cost=solution.cost if found else None,
            predicted_servings=result.predicted_servings,
            evaluation_predicted_servings=None if scores is None else scores.predicted,
            unevaluated_tasks=None if result.judgement is None else len(result.judgement.unjudged),
            not_evaluated=result.not_evaluated,
            agreement=agreement,
            seconds=max(0.0, certificate.seconds["total"] - load),
            load_seconds=load,
            presolve=certificate.presolve,
            method=str(solution.details.get("method", "")),
            flag=flag,
            reason="; ".join((*certificate.problems, *solution.conflict, *solution.reasons)),
        )
