"""What a real step of the optimiser would subtract from parameters, for many gradients, without a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from engine.training.settings import TrainingSettings
    from gain_sources.gradients.task_gradients import Stack


def optimiser_updates(
    optimiser: Optimizer,
    settings: TrainingSettings,
    parameters: Mapping[str, Tensor],
    gradients: Stack,
) -> dict[str, Tensor]:
    """Return the decreases of parameters in one step from the optimiser's present state.

    Momentum, both moments of Adam with their correction of bias, and weight decay count as in the step
    that the optimiser would take.

    Parameters
    ----------
    optimiser
        Its state is read, not changed.
    settings
        Its hyper-parameters.
    parameters
        Name → parameter.
    gradients
        Shape (S, …) each: S steps to choose from.

    Returns
    -------
    dict
        Name → shape (S, …).
    """
    compute = _sgd if settings.optimiser == "sgd" else _adam
    return {
        name: compute(
            parameters[name].detach(), gradient, optimiser.state.get(parameters[name], {}), settings
        )
        for name, gradient in gradients.items()
    }


def clip_factors(norms: Tensor, largest: float) -> Tensor:
    """Return what gradients of these norms are multiplied by, as ``torch.nn.utils.clip_grad_norm_`` does."""
    factors: Tensor = (largest / (norms + 1e-6)).clamp(max=1.0)
    return factors


def scaled(stack: Stack, factors: Tensor) -> dict[str, Tensor]:
    """Return a stack with every member multiplied by its factor, shape (S,)."""
    return {name: one * factors.view(-1, *[1] * (one.dim() - 1)) for name, one in stack.items()}


def squared_norms(stack: Stack) -> Tensor:
    """Return the squared norm of every member over all parameters, shape (S,)."""
    import torch

    return torch.stack([one.flatten(1).square().sum(dim=1) for one in stack.values()]).sum(dim=0)


def _sgd(
    parameter: Tensor, gradient: Tensor, state: Mapping[str, Tensor], settings: TrainingSettings
) -> Tensor:
    direction = gradient + settings.weight_decay * parameter if settings.weight_decay else gradient
    buffer = state.get("momentum_buffer")
    if buffer is not None:
        direction = direction + settings.momentum * buffer
    return settings.learning_rate * direction


def _adam(
    parameter: Tensor, gradient: Tensor, state: Mapping[str, Tensor], settings: TrainingSettings
) -> Tensor:
    first_decay, second_decay, epsilon = 0.9, 0.999, 1e-8
    decay, direction = settings.weight_decay, gradient
    if decay and settings.optimiser == "adam":
        direction = direction + decay * parameter
    first = (1 - first_decay) * direction
    second = (1 - second_decay) * direction.square()
    taken = 1
    if state:
        first = first + first_decay * state["exp_avg"]
        second = second + second_decay * state["exp_avg_sq"]
        taken += int(state["step"])
    corrected = (second.sqrt() / (1 - second_decay**taken) ** 0.5).add_(epsilon)
    update: Tensor = settings.learning_rate / (1 - first_decay**taken) * first / corrected
    if decay and settings.optimiser == "adamw":
        update = update + settings.learning_rate * decay * parameter
    return update
