"""Gains of one's own as an instance."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.catalogue.instance import Instance, InstanceInfo
from engine.errors import UsageError
from engine.gains.cover import cover_cost
from engine.gains.formats import read_gains
from engine.gains.formats.gains_file import DEFAULTS, GainsPath, split_pair
from engine.gains.formats.options import ReadOptions
from engine.gains.tensor import GainTensor


class ReadInstance(Instance):
    """Base of the instances that are read from files: one source, one tensor per split."""

    _recorded: dict[str, GainTensor]

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the gains that were read.

        Raises
        ------
        UsageError
            If there is nothing for this source and split.
        """
        found = self._recorded.get(split)
        if found is None or source not in self.info.sources:
            raise UsageError(f"Instance {self.name!r} has no gains of {source!r} on {split!r}.")
        return found


class FileInstance(ReadInstance):
    """An instance read from files; everything about it is computed from the gains.

    Budgets count in typical groups, of median cost (1 where no costs are given). The default budget
    pays for a quarter as many as there are tasks, rounded up, and always for groups that hold every
    task, as a greedy cover finds them; the frontier goes from one to as many as there are tasks.

    Parameters
    ----------
    path
        Gains that the solver sees, as in :func:`~engine.gains.formats.gains_file.read_gains`.
    evaluation_path
        Gains that the result is judged on, for the same tasks.
    options
        How both are read.

    Raises
    ------
    DataError
        If a file is missing or malformed.
    UsageError
        If the kind of file is not known.
    """

    def __init__(
        self,
        path: GainsPath,
        evaluation_path: GainsPath | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> None:
        parts = split_pair(path)
        super().__init__(parts[0].stem)
        gains = read_gains(path, options)
        source_split, evaluation_split = gains.split, ""
        self._recorded = {source_split: gains}
        if evaluation_path is not None:
            judged = read_gains(evaluation_path, replace(options, tasks=gains.tasks))
            if judged.quantity != gains.quantity:
                raise UsageError(
                    f"{path} holds the {gains.quantity} but {evaluation_path} the {judged.quantity}: "
                    "give the same quantity for both."
                )
            source_split, evaluation_split = gains.split or "source", judged.split or "evaluation"
            if source_split == evaluation_split:
                source_split, evaluation_split = "source", "evaluation"
            self._recorded = {
                source_split: replace(gains, split=source_split),
                evaluation_split: replace(judged, split=evaluation_split),
            }
        count = gains.n_tasks
        typical = float(np.median(gains.cost)) or 1.0
        budgets = [_clean(typical * groups) for groups in range(1, count + 1)]
        default = _clean(max(budgets[math.ceil(count / 4) - 1], cover_cost(gains)))
        self.info = InstanceInfo(
            summary=f"{gains.n_groups} groups of {count} tasks from {parts[0].name}",
            tasks=gains.tasks,
            n_groups=gains.n_groups,
            sources=(gains.source,),
            source_split=source_split,
            evaluation_split=evaluation_split,
            budgets=tuple(sorted({default, *budgets})),
            default_budget=default,
            quantity=gains.quantity,
            origin=" and ".join(map(str, parts)),
            licence="one's own",
        )


def _clean(budget: float) -> float:
    """Round to nine digits, within the tolerance of a budget, so that 3 × 0.1 is 0.3."""
    return float(f"{budget:.9g}")
