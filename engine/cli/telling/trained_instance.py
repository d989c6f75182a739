"""An instance that trains: what is known before any gain is collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.catalogue.trainable import TrainableInstance
from engine.cli.telling.tables import facts

if TYPE_CHECKING:
    from rich.console import RenderableType


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


def training_table(described: TrainingDescription) -> Iterator[RenderableType]:
    """Yield what to print.

    Parameters
    ----------
    described
        The instance.
    """
    yield facts(_facts(described))


def _facts(described: TrainingDescription) -> Iterator[tuple[str, str]]:
    options = ", ".join(f"{name}={value}" for name, value in described.backbone_options.items())
    settings = described.settings
    shown = ("epochs", "patience", "batch_size", "optimiser", "learning_rate")
    budgets = ", ".join(f"{budget:g}" for budget in described.budgets)
    yield "instance", f"{described.name}: {described.summary}"
    yield "from", described.origin
    yield "licence", described.licence
    if described.note:
        yield "note", described.note
    yield f"{len(described.tasks)} tasks", ", ".join(described.tasks)
    yield "budgets", f"{budgets or '–'} (default {described.default_budget:g})"
    yield "backbone", described.backbone + (f" ({options})" if options else "")
    yield "training", ", ".join(f"{name.replace('_', ' ')} {settings[name]}" for name in shown)
    yield "gains", f"none are recorded; engine collect --instance {described.name} makes them"
    yield "", f"what was collected: engine gains show {described.name}"
