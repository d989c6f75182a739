"""Gains of one's own as an instance."""

from __future__ import annotations

import math
import os.path
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import UsageError
from engine.gains import GainTensor
from engine.instance import Instance, InstanceInfo, load_instance
from engine.plugins import INSTANCES
from engine.readers import read_gains
from engine.readers.gains_file import GainsPath, split_pair


class FileInstance(Instance):
    """An instance read from files; everything about it is computed from the gains.

    The default budget is a quarter of the number of tasks, rounded up; the frontier goes from 1 to
    the number of tasks.

    Parameters
    ----------
    path
        Gains that the solver sees, as in :func:`~engine.readers.gains_file.read_gains`.
    evaluation_path
        Gains that the result is judged on, for the same tasks.
    tasks, merge_duplicates, single_task_baseline
        As in :func:`~engine.readers.gains_file.read_gains`.

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
        *,
        tasks: Sequence[str] | None = None,
        merge_duplicates: bool = False,
        single_task_baseline: bool = True,
    ) -> None:
        parts = split_pair(path)
        super().__init__(parts[0].stem)
        gains = read_gains(
            path, tasks=tasks, merge_duplicates=merge_duplicates, single_task_baseline=single_task_baseline
        )
        source_split, evaluation_split = gains.split, ""
        self._recorded = {source_split: gains}
        if evaluation_path is not None:
            judged = read_gains(
                evaluation_path,
                tasks=gains.tasks,
                merge_duplicates=merge_duplicates,
                single_task_baseline=single_task_baseline,
            )
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
        self.info = InstanceInfo(
            summary=f"{gains.n_groups} groups of {count} tasks from {parts[0].name}",
            tasks=gains.tasks,
            n_groups=gains.n_groups,
            sources=(gains.source,),
            source_split=source_split,
            evaluation_split=evaluation_split,
            budgets=tuple(float(budget) for budget in range(1, count + 1)),
            default_budget=float(min(count, max(1, math.ceil(count / 4)))),
            quantity=gains.quantity,
            origin=" and ".join(map(str, parts)),
            licence="one's own",
        )

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


def open_instance(
    name_or_path: str | Path,
    *,
    data_dir: Path | None = None,
    evaluation: GainsPath | None = None,
    tasks: Sequence[str] | None = None,
    merge_duplicates: bool = False,
    single_task_baseline: bool = True,
) -> Instance:
    """Return an instance of the catalogue, or one read from a file.

    Parameters
    ----------
    name_or_path
        A name of the catalogue, which wins; else a path, which is what has a suffix, a folder, a
        comma, or exists.
    data_dir
        Folder with the data of the catalogue, to be looked in before the usual places.
    evaluation
        Gains that the result is judged on, for a path.
    tasks, merge_duplicates, single_task_baseline
        As in :func:`~engine.readers.gains_file.read_gains`, for a path.

    Raises
    ------
    DataError
        If a file is missing or malformed.
    UsageError
        If there is no such instance, or an option does not fit it.
    """
    text = str(name_or_path)
    if text in INSTANCES.names() or not _is_path(text):
        instance = load_instance(text, data_dir)
        if evaluation is not None or tasks is not None or merge_duplicates or not single_task_baseline:
            raise UsageError(
                f"The instance {text!r} comes from the catalogue: evaluation gains, task names, merging of "
                "duplicates and another baseline can only be given with a file of your own."
            )
        return instance
    return FileInstance(
        text,
        evaluation,
        tasks=tasks,
        merge_duplicates=merge_duplicates,
        single_task_baseline=single_task_baseline,
    )


def _is_path(text: str) -> bool:
    if ":" in text and "/" not in text and not os.path.exists(text):
        return bool(
            os.path.splitext(text.partition(":")[2])[1]
        )  # "module:Class" is a name, "C:my.csv" is not
    looks = any(mark in text for mark in ("/", os.sep, ",")) or bool(os.path.splitext(text)[1])
    return looks or os.path.exists(text)
