"""The optimiser that the settings name."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from engine.experiment import TrainingSettings


def make_optimiser(parameters: Iterable[torch.Tensor], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return an optimiser over these parameters."""
    chosen = list(parameters)
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            chosen,
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(chosen, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
