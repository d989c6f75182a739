"""Gradients of every task's loss, all from one run of the encoder where tasks share their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gain_sources.gradients.shared_training import SharedTraining, Step
    from gain_sources.gradients.task_heads import TaskHeads

Stack = Mapping[str, "Tensor"]
"""Name of a parameter → as many values of it as there are members of the stack, along the first axis."""


@dataclass(frozen=True, eq=False)
class TaskGradients:
    """Losses and gradients of N tasks at one step, without the weights of the tasks.

    Attributes
    ----------
    losses
        Shape (N,).
    shared
        The shared parameters' gradients, shape (N, …) each.
    heads
        Per task, its head's gradients, none where they were not asked for.
    """

    losses: Tensor
    shared: Stack
    heads: tuple[Mapping[str, Tensor], ...]


def task_gradients(
    training: SharedTraining, heads: TaskHeads, step: Step, *, of_heads: bool = False
) -> TaskGradients:
    """Return the gradients of all tasks at a step; those of each task are of its own batch.

    Parameters
    ----------
    training, heads, step
        Network and batch.
    of_heads
        Whether gradients of the heads are wanted too.
    """
    import torch

    owned = [
        {name: value for name, value in head.named_parameters() if value.requires_grad} if of_heads else {}
        for head in training.model.heads
    ]
    parameters = list(training.shared.values())
    flat = [value for of_task in owned for value in of_task.values()]
    if len(step.inputs) == 1:
        features = training.encode(step, step.inputs[0])
        # Every task reads a copy of the features of its own, so that one pass gives every cotangent.
        copies = features.detach().expand(len(owned), 1, *features.shape).clone().requires_grad_()
        losses = heads.losses(step, copies)[:, 0]
        cotangents, *found = torch.autograd.grad(losses.sum(), [copies, *flat], materialize_grads=True)
        shared = batched_gradients(features, parameters, cotangents[:, 0], together=training.plain)
    else:
        of_tasks = [
            _own_gradients(training, heads, step, task, [*parameters, *owned[task].values()])
            for task in range(len(owned))
        ]
        losses = torch.stack([loss for loss, _ in of_tasks])
        count = len(parameters)
        shared = tuple(torch.stack([own[one] for _, own in of_tasks]) for one in range(count))
        found = [gradient for _, own in of_tasks for gradient in own[count:]]
    left = iter(found)
    return TaskGradients(
        losses.detach(),
        dict(zip(training.shared, shared, strict=True)),
        tuple({name: next(left) for name in of_task} for of_task in owned),
    )


def _own_gradients(
    training: SharedTraining, heads: TaskHeads, step: Step, task: int, parameters: list[Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    import torch

    features = training.encode(step, step.inputs[task])
    loss = heads.loss(step, task, features.unsqueeze(0))[0]
    return loss.detach(), torch.autograd.grad(loss, parameters, materialize_grads=True)


def batched_gradients(
    outputs: Tensor, inputs: Sequence[Tensor], cotangents: Tensor, *, together: bool, axis: int = 0
) -> tuple[Tensor, ...]:
    """Return gradients of several weightings of the same outputs, shape (N, …) per input.

    Parameters
    ----------
    outputs
        What is differentiated.
    inputs
        By what.
    cotangents
        N weightings of the outputs, stacked along the first axis.
    together
        All in one pass: for layers that gain from it and can.
    axis
        Where the N gradients lie in memory when they are taken one by one.
    """
    import torch

    if together:
        found = torch.autograd.grad(
            outputs, inputs, cotangents, is_grads_batched=True, allow_unused=True, retain_graph=False
        )
        return tuple(
            one.new_zeros(len(cotangents), *one.shape) if gradient is None else gradient
            for one, gradient in zip(inputs, found, strict=True)
        )
    rows = [
        torch.autograd.grad(outputs, inputs, one, retain_graph=True, materialize_grads=True)
        for one in cotangents
    ]
    return tuple(torch.stack(column, dim=axis).movedim(axis, 0) for column in zip(*rows, strict=True))


def inner_products(first: Stack, second: Stack) -> Tensor:
    """Return ⟨first[i], second[j]⟩ over all parameters, shape (members of first, members of second)."""
    import torch

    products = [one.flatten(1) @ second[name].flatten(1).T for name, one in first.items()]
    return torch.stack(products).sum(dim=0)
