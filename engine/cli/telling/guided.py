"""A guided collection that ended: its decisions, and how far they can be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.cli.telling.output import amount, unit
from engine.cli.telling.tables import Column, Fitted, facts
from engine.cli.telling.view import Lines, View
from engine.gains.tensor import GainTensor
from engine.guided.collection import GuidedResult
from engine.guided.decision import Decision
from engine.guided.study import Study
from engine.solving.judgement import judgement

if TYPE_CHECKING:
    from rich.console import RenderableType

REASONS = {
    "runs": "all runs are spent",
    "improvement": "nothing more is to be won",
    "exhausted": "every group that can be measured is measured",
    "interrupted": "interrupted: what was measured is kept",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class GuidedView(View):
    """A guided collection that ended, with its decisions: a line per budget.

    Attributes
    ----------
    name, store
        What was measured, and the store it went to; no store for recorded gains.
    predictor
        Name of what predicted.
    budgets_from
        Where the budgets of the decision come from, in words.
    study, result
        What is known now, and how it ended.
    decisions
        One per budget that leaves a choice.
    evaluation
        Gains to judge on, None where there are none.
    """

    name: str
    store: str
    predictor: str
    budgets_from: str
    study: Study
    result: GuidedResult
    decisions: tuple[Decision, ...]
    evaluation: GainTensor | None = None

    def table(self) -> Iterator[RenderableType]:
        """Yield a line per budget, and what holds for all."""
        quantity, lines = self.study.known.quantity, self.lines()
        what = unit(quantity)

        def column(heading: str, key: str, **how: Any) -> Column:
            return Column(heading, [amount(line[key], quantity) for line in lines], **how)

        yield Fitted(
            [
                Column("budget", [f"{line['budget']:g}" for line in lines]),
                Column("groups", [str(line["groups"]) for line in lines]),
                Column("predicted groups", [str(line["predicted_groups"]) for line in lines]),
                column(f"mean source {what}", "promised"),
                column("expected optimism", "expected_optimism"),
                *([] if self.evaluation is None else [column(f"mean evaluation {what}", "evaluated")]),
                column("plain optimum", "plain_promised", spare=1),
            ]
        )
        yield ""
        yield facts(self._facts(what))

    def _facts(self, what: str) -> Iterator[tuple[str, str]]:
        quantity, bound = self.study.known.quantity, self.result.improvement
        budgets = ", ".join(f"{budget:g}" for budget in self.study.question.budgets)
        yield "budget", f"{budgets} ({self.budgets_from})"
        yield "measured", f"{self.result.measured} groups of {len(self.study.tasks)} tasks of {self.name}"
        yield "stopped", REASONS[self.result.reason]
        if bound is not None:
            left = f"{amount(bound.bound, quantity)} ± {amount(bound.error, quantity)}"
            yield "left to win", f"at most {left}, mean {what}"
        yield "predictor", f"{self.predictor}, {self.study.acquisition.name}, seed {self.study.seed}"
        if self.store:
            yield "solve it", f"engine solve --instance '{self.store}'"

    def data(self) -> dict[str, Any]:
        """Return figures and solutions."""
        bound = self.result.improvement
        return {
            "name": self.name,
            "store": self.store,
            "measured_groups": self.result.measured,
            "stopped": self.result.reason,
            "improvement_bound": _finite(None if bound is None else bound.bound),
            "improvement_error": _finite(None if bound is None else bound.error),
            "quantity": self.study.known.quantity,
            "budgets": list(self.study.question.budgets),
            "budgets_from": self.budgets_from,
            "predictor": self.predictor,
            "acquisition": self.study.acquisition.name,
            "seed": self.study.seed,
            "decisions": [
                {
                    **self._line(decision),
                    "solution": decision.cautious.to_dict(),
                    "plain_solution": decision.plain.to_dict(),
                }
                for decision in self.decisions
            ],
        }

    def columns(self) -> Sequence[str]:
        """Return the columns, the budget alone where no budget leaves a choice."""
        return list(super().columns()) or ["budget"]

    def lines(self) -> Lines:
        """Return a line per budget."""
        return [self._line(decision) for decision in self.decisions]

    def _line(self, decision: Decision) -> dict[str, Any]:
        scores = None
        if self.evaluation is not None:
            scores = judgement(decision.cautious, self.evaluation, "evaluation").scores
        return {
            "budget": decision.budget,
            "groups": len(decision.cautious.groups),
            "predicted_groups": sum(not group.measured for group in decision.cautious.groups),
            "promised": decision.promised,
            "expected_optimism": decision.optimism,
            "evaluated": None if scores is None else scores.mean,
            "plain_promised": decision.plain.mean,
        }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
