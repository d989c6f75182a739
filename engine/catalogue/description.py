"""An instance in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.catalogue.instance import Instance
from engine.catalogue.trainable import TrainableInstance
from engine.gains.tensor import GainTensor

QUANTILES = {
    "least": 0.0,
    "5 %": 0.05,
    "25 %": 0.25,
    "median": 0.5,
    "75 %": 0.75,
    "95 %": 0.95,
    "largest": 1.0,
}


@dataclass(frozen=True)
class SplitNumbers:
    """The values of one split, over the members of groups of two tasks or more.

    Attributes
    ----------
    role, split
        ``"source"`` or ``"evaluation"``, and the name of the split.
    quantiles, mean
        Of the values.
    positive
        Share of gains above 0; None for losses.
    """

    role: str
    split: str
    quantiles: Mapping[str, float]
    mean: float
    positive: float | None


@dataclass(frozen=True)
class TaskCoverage:
    """How often a task occurs, and its values on the source split in groups of two or more."""

    task: str
    groups: int
    mean: float | None
    best: float | None


@dataclass(frozen=True)
class Description:
    """What ``engine instances show`` tells.

    Attributes
    ----------
    name, summary, origin, licence, note, quantity, tasks, sources, budgets, default_budget
        As declared.
    groups, measured_groups
        Number of groups, and how many are measured.
    sizes, costs
        Number of groups by size and by cost.
    splits
        The source split, and the evaluation split where it is another one.
    correlation
        Between the two splits, over members of the groups of two or more that both hold.
    coverage
        One record per task.
    """

    name: str
    summary: str
    origin: str
    licence: str
    note: str
    quantity: str
    tasks: tuple[str, ...]
    sources: tuple[str, ...]
    budgets: tuple[float, ...]
    default_budget: float
    groups: int
    measured_groups: int
    sizes: Mapping[int, int]
    costs: Mapping[str, int]
    splits: tuple[SplitNumbers, ...]
    correlation: float | None
    coverage: tuple[TaskCoverage, ...]


def describe(instance: Instance) -> Description:
    """Load an instance and sum it up.

    Parameters
    ----------
    instance
        An instance of the catalogue or a file.
    """
    info, gains = instance.info, instance.gains()
    evaluation = instance.evaluation() if info.evaluation_split != info.source_split else None
    sizes, size_counts = np.unique(gains.sizes, return_counts=True)
    costs, cost_counts = np.unique(gains.cost, return_counts=True)
    splits = [_numbers("source", gains)]
    if evaluation is not None:
        splits.append(_numbers("evaluation", evaluation))
    return Description(
        name=instance.name,
        summary=info.summary,
        origin=info.origin,
        licence=info.licence,
        note=info.note,
        quantity=gains.quantity,
        tasks=gains.tasks,
        sources=info.sources,
        budgets=info.budgets,
        default_budget=info.default_budget,
        groups=gains.n_groups,
        measured_groups=int(gains.measured.sum()),
        sizes={int(size): int(count) for size, count in zip(sizes, size_counts, strict=True)},
        costs={f"{cost:g}": int(count) for cost, count in zip(costs, cost_counts, strict=True)},
        splits=tuple(splits),
        correlation=None if evaluation is None else _correlation(gains, evaluation),
        coverage=tuple(_coverage(gains)),
    )


def _shared(gains: GainTensor) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which entries belong to groups of two or more; all, where there is no such group."""
    several = gains.sizes[gains.entry_rows] > 1
    return several if several.any() else np.ones_like(several)


def _numbers(role: str, gains: GainTensor) -> SplitNumbers:
    values = gains.values[_shared(gains)]
    quantiles = np.quantile(values, list(QUANTILES.values())).tolist()
    return SplitNumbers(
        role,
        gains.split,
        dict(zip(QUANTILES, quantiles, strict=True)),
        float(values.mean()),
        float((values > 0).mean()) if gains.quantity == "gain" else None,
    )


def _correlation(gains: GainTensor, evaluation: GainTensor) -> float | None:
    if gains.tasks != evaluation.tasks:
        return None
    there = {
        (evaluation.packed[row].tobytes(), float(evaluation.cost[row])): row
        for row in range(evaluation.n_groups)
    }
    pairs: list[tuple[float, float]] = []
    for row in np.flatnonzero(gains.sizes > 1):
        other = there.get((gains.packed[row].tobytes(), float(gains.cost[row])))
        if other is not None:
            ours, theirs = gains.values[gains.row(int(row))], evaluation.values[evaluation.row(other)]
            pairs += zip(ours.tolist(), theirs.tolist(), strict=True)
    both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    if len(both) < 2 or both[:, 0].std() == 0 or both[:, 1].std() == 0:
        return None
    return float(np.corrcoef(both[:, 0], both[:, 1])[0, 1])


def _coverage(gains: GainTensor) -> list[TaskCoverage]:
    best = np.max if gains.quantity == "gain" else np.min
    shared, found = _shared(gains), []
    for column, task in enumerate(gains.tasks):
        holds = gains.members == column
        values = gains.values[holds & shared]
        mean, top = (float(values.mean()), float(best(values))) if len(values) else (None, None)
        found.append(TaskCoverage(task, int(holds.sum()), mean, top))
    return found


@dataclass(frozen=True)
class TrainingDescription:
    """What ``engine instances show`` tells of an instance that trains; nothing is loaded for it.

    Attributes
    ----------
    name, summary, origin, licence, note, tasks, budgets, default_budget
        As declared.
    backbone, backbone_options, settings
        How its groups are trained unless told otherwise.
    """

    name: str
    summary: str
    origin: str
    licence: str
    note: str
    tasks: tuple[str, ...]
    budgets: tuple[float, ...]
    default_budget: float
    backbone: str
    backbone_options: Mapping[str, Any]
    settings: Mapping[str, Any]


def describe_training(instance: TrainableInstance) -> TrainingDescription:
    """Sum up what an instance declares."""
    info = instance.info
    return TrainingDescription(
        instance.name,
        info.summary,
        info.origin,
        info.licence,
        info.note,
        info.tasks,
        info.budgets,
        info.default_budget,
        instance.backbone,
        dict(instance.backbone_options),
        asdict(instance.settings),
    )
