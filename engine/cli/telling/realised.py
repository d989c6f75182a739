"""What chosen groups gained when they were trained for good, beside what was promised."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.telling.output import percent
from engine.cli.telling.tables import Column, Fitted
from engine.cli.telling.view import Lines, View
from engine.collection.realised_gains import RealisedGains

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class RealisedView(View):
    """Realised gains: a line per task; what is not known stays empty.

    Attributes
    ----------
    realised
        The numbers.
    folder
        Where the networks are.
    """

    realised: RealisedGains
    folder: Path

    def table(self) -> Iterator[RenderableType]:
        """Yield the gains of every task and their mean, and what was trained."""
        realised, lines = self.realised, self.lines()
        keys = {"promised %": "promised", **{f"{split} gain %": f"{split}_gain" for split in realised.gains}}
        means = [realised.promised, *realised.gains.values()]
        columns = [
            Column("task", [*(line["task"] for line in lines), "mean"], right=False),
            Column("group", [*(line["group"] for line in lines), ""], right=False, whole=False),
        ]
        for (heading, key), values in zip(keys.items(), means, strict=True):
            mean = percent(_known(float(values.mean())))
            columns.append(Column(heading, [*(percent(line[key]) for line in lines), mean]))
        yield Fitted(columns)
        yield ""
        groups = f"{len(realised.groups)} group{'' if len(realised.groups) == 1 else 's'}"
        yield f"trained {groups} with seed {realised.seed}; saved in {self.folder}"
        yield "gains are over the same seed's single-task training: one seed, so noise is part of them"

    def data(self) -> dict[str, Any]:
        """Return groups, means and the lines."""
        realised = self.realised
        return {
            "folder": str(self.folder),
            "seed": realised.seed,
            "groups": [list(group) for group in realised.groups],
            "promised_mean": _known(float(realised.promised.mean())),
            **{f"{split}_mean": _known(float(gains.mean())) for split, gains in realised.gains.items()},
            "tasks": self.lines(),
        }

    def lines(self) -> Lines:
        """Return a line per task."""
        realised = self.realised
        lines = []
        for index, name in enumerate(realised.tasks):
            line: dict[str, Any] = {
                "task": name,
                "group": "|".join(realised.groups[int(realised.serving[index])]),
                "promised": _known(realised.promised[index]),
            }
            line |= {f"{split}_gain": _known(gains[index]) for split, gains in realised.gains.items()}
            for split in realised.gains:
                line[f"{split}_alone"] = _known(realised.alone[split][index])
                line[f"{split}_together"] = _known(realised.together[split][index])
            lines.append(line)
        return lines


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
