"""Losses of many heads at once, and their gradients in closed form."""

from __future__ import annotations

import torch
from torch.nn import functional


def losses(
    loss: str, outputs: torch.Tensor, targets: torch.Tensor, positive: torch.Tensor | None
) -> torch.Tensor:
    """Return the loss of every output of every sample; cross-entropy has one for all outputs.

    Parameters
    ----------
    loss
        A name of :data:`engine.data.task.LOSSES`.
    outputs
        Shape (members, slots, outputs, samples).
    targets
        Shape (members, slots, outputs or 1, samples), without NaN.
    positive
        Shape (members, slots, 1, 1): the factor of positive samples in a binary loss; None: 1.

    Returns
    -------
    Tensor
        Shape (members, slots, outputs or 1, samples).
    """
    if loss == "cross-entropy":
        return -functional.log_softmax(outputs, dim=2).gather(2, targets.long())
    if loss == "binary-cross-entropy":
        weight = 1.0 if positive is None else 1 + (positive - 1) * targets
        return (1 - targets) * outputs - weight * functional.logsigmoid(outputs)
    gap = outputs - targets
    if loss == "squared-error":
        return gap * gap
    if loss == "absolute-error":
        return gap.abs()
    return functional.huber_loss(outputs, targets.expand_as(outputs), reduction="none")


def loss_gradients(
    loss: str, outputs: torch.Tensor, targets: torch.Tensor, positive: torch.Tensor | None
) -> torch.Tensor:
    """Return the derivative of each loss by its outputs, shape (members, slots, outputs, samples).

    Parameters
    ----------
    loss, outputs, targets, positive
        As in :func:`losses`.
    """
    if loss == "cross-entropy":
        shares = torch.softmax(outputs, dim=2)
        return shares.scatter_add_(2, targets.long(), shares.new_full((1,), -1.0).expand(targets.shape))
    if loss == "binary-cross-entropy":
        if positive is None:
            return torch.sigmoid(outputs) - targets
        return (1 + (positive - 1) * targets) * torch.sigmoid(outputs) - positive * targets
    gap = outputs - targets
    if loss == "squared-error":
        return 2 * gap
    if loss == "absolute-error":
        return gap.sign()
    return gap.clamp(-1, 1)
