"""Closing the loop: the chosen groups are trained for good, and their gains held against the promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, unknown_name
from engine.solving.solution import Solution
from engine.store.seed_values import Form, gains_over
from engine.training.collector import Collector
from engine.training.experiment import Experiment
from engine.training.trained_groups import TrainedGroups

REPORTED = ("valid", "test")


@dataclass(frozen=True, eq=False)
class RealisedGains:
    """What each task gained from its group over being trained alone, with the same seed.

    Attributes
    ----------
    tasks
        The tasks served.
    groups
        The trained groups, as task names.
    serving
        Shape (T,): the group that answers for each task.
    promised
        Shape (T,): the gain that the solution promised, NaN where it promised none.
    gains
        Split → shape (T,): gain over training alone, NaN where the value alone is 0.
    alone, together
        Split → shape (T,): metric (or loss) of the task alone and in its group.
    seed
        The seed.
    """

    tasks: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    serving: NDArray[np.int64]
    promised: NDArray[np.float64]
    gains: Mapping[str, NDArray[np.float64]]
    alone: Mapping[str, NDArray[np.float64]]
    together: Mapping[str, NDArray[np.float64]]
    seed: int


def train_solution(
    solution: Solution,
    experiment: Experiment,
    source: Collector,
    folder: str | Path,
    *,
    seed: int = 0,
    of: Literal["metric", "loss"] = "metric",
    form: Form = "relative",
) -> RealisedGains:
    """Train the groups of a solution for good, save them, and compare each task with training alone.

    Parameters
    ----------
    solution
        The groups and who serves whom; its tasks are among those of the experiment.
    experiment
        Data, backbone, settings.
    source
        What trains and saves, ``measured`` for instance.
    folder
        Where the networks go: a new or empty folder.
    seed
        Of initial weights and batches, in groups and alone.
    of, form
        What is compared, and how: as the promised gains were made.

    Raises
    ------
    DataError
        If the solution holds no grouping or another's tasks, contradicts itself, or training diverges.
    """
    if not solution.found:
        raise DataError(
            f"The solution holds no grouping (status {solution.status}): there is nothing to train."
        )
    _check_serving(solution)
    ran = source.experiment(experiment)
    column = {name: index for index, name in enumerate(ran.tasks)}
    for name in (*solution.tasks, *(name for group in solution.groups for name in group.tasks)):
        if name not in column:
            raise DataError(
                f"The solution is for other data: {unknown_name(f'task of {ran.data.name!r}:', name, column)}"
            )
    membership = np.zeros((len(solution.groups), len(column)), dtype=bool)
    for row, group in enumerate(solution.groups):
        membership[row, [column[name] for name in group.tasks]] = True
    served = np.array([column[name] for name in solution.tasks])
    serving = np.array([solution.serving[name] for name in solution.tasks])
    together = source.train_for_good(ran, membership, dict(solution.serving), seed, Path(folder))
    alone = _alone(source, ran, membership, together, served, seed)
    kept = {split: _of(together, of)[split][serving, served] for split in REPORTED}
    signs = np.array([ran.data.tasks[task].sign if of == "metric" else -1.0 for task in served])
    base = {split: alone[of][split][served] for split in REPORTED}
    values = solution.task_values if solution.quantity == "gain" else {}
    return RealisedGains(
        solution.tasks,
        tuple(group.tasks for group in solution.groups),
        serving,
        np.array([values.get(name, np.nan) for name in solution.tasks]),
        {split: relative_gains(kept[split], base[split], signs, form) for split in REPORTED},
        base,
        kept,
        seed,
    )


def _check_serving(solution: Solution) -> None:
    """Refuse a solution that was edited such that it contradicts itself, before anything is trained."""
    for name in solution.tasks:
        index = solution.serving.get(name)
        if type(index) is not int or not 0 <= index < len(solution.groups):
            raise DataError(f"The solution serves task {name!r} by {index!r}, which is none of its groups.")
        if name not in solution.groups[index].tasks:
            group = "|".join(map(str, solution.groups[index].tasks))
            raise DataError(f"The solution serves task {name!r} by the group {group}, which lacks it.")
    if not all(group.tasks for group in solution.groups):
        raise DataError("The solution holds a group without tasks.")
    for name in solution.serving:
        if name not in solution.tasks:
            raise DataError(f"The solution serves {name!r}, which is none of its tasks.")
    for name, value in solution.task_values.items():
        if not isinstance(value, (int, float)):
            raise DataError(f"The solution promises {value!r} for task {name!r}, which is no number.")


def relative_gains(
    together: NDArray[np.float64], alone: NDArray[np.float64], signs: NDArray[np.float64], form: Form
) -> NDArray[np.float64]:
    """Return gains over training alone, NaN where they are not defined.

    Parameters
    ----------
    together, alone
        Shape (T,): values of each task in its group and alone.
    signs
        Shape (T,): 1 where a higher value is better, −1 where a lower one is.
    form
        ``"relative"`` or ``"log-ratio"``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = gains_over(together, alone, signs, form)
    return np.asarray(np.where(np.isfinite(gains), gains + 0.0, np.nan))


def _of(trained: TrainedGroups, of: str) -> Mapping[str, NDArray[np.float64]]:
    return trained.metrics if of == "metric" else trained.losses


def _alone(
    source: Collector,
    experiment: Experiment,
    membership: NDArray[np.bool_],
    together: TrainedGroups,
    served: NDArray[np.int64],
    seed: int,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return every served task's values alone; a group of one that was chosen is its own baseline."""
    count = membership.shape[1]
    chosen = {int(np.flatnonzero(row)[0]): at for at, row in enumerate(membership) if row.sum() == 1}
    others = [task for task in served.tolist() if task not in chosen]
    measured = source.measure(experiment, np.eye(count, dtype=bool)[others], seed) if others else None
    if measured is not None and measured.diverged.any():
        task = experiment.tasks[others[int(np.flatnonzero(measured.diverged)[0])]]
        raise DataError(
            f"Training of task {task!r} alone with seed {seed} diverged, so gains cannot be told; the groups "
            "are saved. Try a lower learning rate."
        )
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for of in ("metric", "loss"):
        found[of] = {}
        for split in REPORTED:
            values = np.full(count, np.nan)
            if measured is not None:
                values[others] = _of(measured, of)[split][np.arange(len(others)), others]
            for task, row in chosen.items():
                values[task] = _of(together, of)[split][row, task]
            found[of][split] = values
    return found
