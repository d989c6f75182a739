"""The updates of the shared parameters that a step on each task alone would make."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gain_sources.gradients.shared_training import SharedTraining
    from gain_sources.gradients.task_gradients import TaskGradients


def single_task_updates(training: SharedTraining, gradients: TaskGradients) -> dict[str, Tensor]:
    """Return what a step on the weighted loss of each task would subtract, shape (N, …) per parameter.

    Where the settings clip gradients, the norm that is clipped is that of the shared ones, since heads
    do not move.
    """
    from gain_sources.gradients.optimiser_updates import (
        clip_factors,
        optimiser_updates,
        scaled,
        squared_norms,
    )

    settings = training.experiment.settings
    factors = gradients.losses.new_tensor([task.weight for task in training.tasks])
    if settings.clip_norm:
        norms = squared_norms(gradients.shared).sqrt() * factors
        factors = factors * clip_factors(norms, settings.clip_norm)
    return optimiser_updates(training.optimiser, settings, training.shared, scaled(gradients.shared, factors))
