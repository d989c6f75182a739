"""Losses of one task, with missing labels left out."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.data import Task


def sample_losses(task: Task, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the loss of every sample, 0 where its label is missing.

    Parameters
    ----------
    task
        Kind and loss.
    outputs
        Shape (…, batch, outputs).
    targets
        Shape (…, batch), or (…, batch, outputs) for regression with several outputs; NaN: no label.

    Returns
    -------
    Tensor
        Shape (…, batch).
    """
    if task.kind == "multiclass":
        known = ~torch.isnan(targets)
        index = torch.nan_to_num(targets).long()
        losses = -functional.log_softmax(outputs, dim=-1).gather(-1, index.unsqueeze(-1)).squeeze(-1)
        return torch.where(known, losses, 0.0)
    wanted = targets.unsqueeze(-1) if targets.dim() < outputs.dim() else targets
    known = ~torch.isnan(wanted)
    # Missing labels are replaced before the loss, since a NaN times 0 would be NaN in the gradient.
    wanted = torch.where(known, wanted, 0.0).expand_as(outputs)
    if task.loss == "binary-cross-entropy":
        weight = None if task.positive_weight == 1 else outputs.new_tensor(task.positive_weight)
        losses = functional.binary_cross_entropy_with_logits(
            outputs, wanted, reduction="none", pos_weight=weight
        )
    elif task.loss == "squared-error":
        losses = (outputs - wanted) ** 2
    elif task.loss == "absolute-error":
        losses = (outputs - wanted).abs()
    else:
        losses = functional.huber_loss(outputs, wanted, reduction="none")
    return torch.where(known, losses, 0.0).mean(dim=-1)


def labelled(targets: torch.Tensor, task: Task) -> torch.Tensor:
    """Return where a sample has a label, shape (…, batch)."""
    known = ~torch.isnan(targets)
    return known.any(dim=-1) if task.kind == "regression" and task.outputs > 1 else known


def task_loss(task: Task, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean loss over the labelled samples, shape (…), 0 where there are none."""
    count = labelled(targets, task).sum(dim=-1).clamp(min=1)
    return sample_losses(task, outputs, targets).sum(dim=-1) / count
