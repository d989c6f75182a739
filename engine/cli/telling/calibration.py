"""``engine predict --calibrate``: how far a predictor is off on known groups that were left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.telling.output import amount, emit_csv, emit_json, emit_table, number, percent, unit
from engine.cli.telling.tables import Column, Fitted, facts
from engine.gains.calibration import Calibration, PredictionScores, calibrate

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.gains.source import Predictor
    from engine.gains.tensor import GainTensor

FOLDS = 5
ALL_TASKS = "all tasks"


def write_calibration(
    predictor: Predictor, known: GainTensor, least_size: int, seed: int, kind: str, output: Path | None
) -> Calibration:
    """Measure the calibration of a predictor on known gains, and print it.

    Parameters
    ----------
    predictor
        What to judge.
    known
        The gains.
    least_size
        Smaller groups are not left out.
    seed
        Of the folds.
    kind
        ``"table"``, ``"json"`` or ``"csv"``.
    output
        A file, or None for stdout.
    """
    found = calibrate(predictor, known, FOLDS, seed, least_size=least_size)
    if kind == "json":
        emit_json(asdict(found), output)
    elif kind == "csv":
        rows = [_row(one, found.levels) for one in (*found.tasks, found.overall)]
        emit_csv(list(rows[0]), rows, output)
    else:
        emit_table(calibration_table(found), output)
    return found


def calibration_table(found: Calibration) -> Iterator[RenderableType]:
    """Yield what to print.

    Parameters
    ----------
    found
        The numbers.
    """
    lines = [*found.tasks, found.overall]
    what = unit(found.quantity).removeprefix("gain ")
    columns = [
        Column("task", [one.task or ALL_TASKS for one in lines], right=False),
        Column("entries", [str(one.entries) for one in lines], spare=2),
        Column(f"mean error {what}", [amount(one.error, found.quantity) for one in lines]),
        Column(f"mean std {what}", [amount(one.std, found.quantity) for one in lines]),
        Column("rank correlation", [number(one.spearman, 3) for one in lines]),
    ]
    columns += [
        Column(f"within {100 * level:g} %", [percent(one.coverage[index], 1) for one in lines])
        for index, level in enumerate(found.levels)
    ]
    columns.append(Column("surprise", [number(one.surprise, 3) for one in lines], spare=1))
    yield Fitted(columns)
    if found.quantiles:
        yield "\nvalues below a quantile of their prediction\n"
        shown = found.quantiles[1::2]
        yield Fitted(
            [
                Column("predicted %", [percent(one, 0) for one, _ in shown]),
                Column("observed %", [percent(other, 1) for _, other in shown]),
            ]
        )
    yield ""
    yield facts([("source", found.source), ("judged on", f"{found.groups} groups in {found.folds} folds")])


def _row(scores: PredictionScores, levels: tuple[float, ...]) -> dict[str, Any]:
    row = asdict(scores)
    coverage = row.pop("coverage")
    return row | {f"within_{level:g}": share for level, share in zip(levels, coverage, strict=True)}
