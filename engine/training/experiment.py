"""What is trained: data, backbone and training settings, by name and numbers only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from engine.data.multi_task_data import MultiTaskData
from engine.errors import MissingDependencyError
from engine.plugins import BACKBONES
from engine.training.settings import TrainingSettings


@dataclass(frozen=True, eq=False)
class Experiment:
    """Everything that the result of training a group depends on, but for the group and the seed.

    Attributes
    ----------
    data
        The tasks and their data.
    backbone
        A registered backbone, or ``"module:Class"``.
    backbone_options
        Options of the backbone, by name.
    settings
        How it is trained.
    source
        A label of the gains that come of it: ``measured``, the default, where groups are trained to the
        end. A gain source that trains otherwise puts a label of its own, as another experiment.
    """

    data: MultiTaskData
    backbone: str
    backbone_options: Mapping[str, Any] = field(default_factory=dict)
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    source: str = "measured"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the N tasks."""
        return self.data.task_names

    @cached_property
    def description(self) -> dict[str, Any]:
        """What identifies the experiment, as JSON can hold it."""
        return {
            "name": self.data.name,
            "source": self.source,
            "data": self.data.digest,
            "backbone": self.backbone,
            "backbone_options": self._identified_options(),
            "settings": asdict(self.settings),
            "tasks": [asdict(task) for task in self.data.tasks],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the description."""
        return hashlib.sha256(json.dumps(self.description, sort_keys=True).encode()).hexdigest()

    def _identified_options(self) -> dict[str, Any]:
        """Return the options of the backbone; where they name files, what these hold."""
        options = dict(sorted(self.backbone_options.items()))
        # A file is named by a text: without one, the backbone and torch with it need not be loaded.
        if any(isinstance(value, str) and value for value in options.values()):
            content = getattr(BACKBONES.load(self.backbone), "content", None)
            options |= content(options) if content else {}
        return options


def choose_backbone() -> str:
    """Return the name of the preferred installed backbone, the one of the least rank.

    Imports every backbone, and with them what they are made of.

    Raises
    ------
    MissingDependencyError
        If none can be imported: networks are made with PyTorch.
    """
    ranked = [(cls.info.rank, name) for name, cls in BACKBONES.loaded()]
    if not ranked:
        raise MissingDependencyError(
            "No backbone can be imported; they train with PyTorch: pip install 'task-grouping-engine[train]'."
        )
    return min(ranked)[1]
