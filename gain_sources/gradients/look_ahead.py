"""Features after each of many updates of the shared parameters, none of which is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gain_sources.gradients.shared_training import SharedTraining, Step
    from gain_sources.gradients.task_gradients import Stack


def features_after(training: SharedTraining, step: Step, inputs: Tensor, updates: Stack) -> Tensor:
    """Return the features of these inputs after each of S updates, shape (S, batch, d).

    Parameters
    ----------
    training
        The network.
    step
        Whose noise is drawn, the same for every update.
    inputs
        Shape (batch, …).
    updates
        What is subtracted from the shared parameters, shape (S, …) each.
    """
    import torch
    from torch.func import vmap

    def features(parameters: dict[str, Tensor]) -> Tensor:
        return training.encode(step, inputs, parameters)

    moved = {name: training.shared[name].detach() - update for name, update in updates.items()}
    if training.plain:
        found: Tensor = vmap(features)(moved)
        return found
    count = len(next(iter(moved.values())))
    return torch.stack(
        [features({name: values[one] for name, values in moved.items()}) for one in range(count)]
    )
