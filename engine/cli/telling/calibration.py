"""How far a predictor is off on known groups that were left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.cli.telling.output import amount, number, percent, unit
from engine.cli.telling.tables import Column, Fitted, facts
from engine.cli.telling.view import Lines, View
from engine.gains.calibration import Calibration, PredictionScores

if TYPE_CHECKING:
    from rich.console import RenderableType

ALL_TASKS = "all tasks"


@dataclass(frozen=True)
class CalibrationView(View):
    """A calibration: a line per task.

    Attributes
    ----------
    calibration
        The numbers.
    """

    calibration: Calibration

    @property
    def scores(self) -> list[PredictionScores]:
        """The scores of each task, then of all."""
        return [*self.calibration.tasks, self.calibration.overall]

    def table(self) -> Iterator[RenderableType]:
        """Yield errors, coverage, quantiles, and on what they were measured."""
        judged, scores = self.calibration, self.scores
        what = unit(judged.quantity).removeprefix("gain ")
        columns = [
            Column("task", [one.task or ALL_TASKS for one in scores], right=False),
            Column("entries", [str(one.entries) for one in scores], spare=2),
            Column(f"mean error {what}", [amount(one.error, judged.quantity) for one in scores]),
            Column(f"mean std {what}", [amount(one.std, judged.quantity) for one in scores]),
            Column("rank correlation", [number(one.spearman, 3) for one in scores]),
        ]
        columns += [
            Column(f"within {100 * level:g} %", [percent(one.coverage[index], 1) for one in scores])
            for index, level in enumerate(judged.levels)
        ]
        columns.append(Column("surprise", [number(one.surprise, 3) for one in scores], spare=1))
        yield Fitted(columns)
        if judged.quantiles:
            yield "\nvalues below a quantile of their prediction\n"
            shown = judged.quantiles[1::2]
            yield Fitted(
                [
                    Column("predicted %", [percent(predicted, 0) for predicted, _ in shown]),
                    Column("observed %", [percent(observed, 1) for _, observed in shown]),
                ]
            )
        yield ""
        groups = f"{judged.groups} groups in {judged.folds} folds"
        yield facts([("source", judged.source), ("judged on", groups)])

    def data(self) -> dict[str, Any]:
        """Return the numbers."""
        return asdict(self.calibration)

    def lines(self) -> Lines:
        """Return a line per task."""
        return [_row(one, self.calibration.levels) for one in self.scores]


def _row(scores: PredictionScores, levels: tuple[float, ...]) -> dict[str, Any]:
    row = asdict(scores)
    coverage = row.pop("coverage")
    return row | {f"within_{level:g}": share for level, share in zip(levels, coverage, strict=True)}
