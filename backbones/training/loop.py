"""One group trained alone: the plain loop, and the reference that every stack must equal."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from backbones.batches import Batches, DeviceData
from backbones.group_model import GroupModel, build_group_model
from backbones.losses import task_loss
from backbones.randomness import key
from backbones.training.optimisers import make_optimiser
from engine.data.metrics import evaluate
from engine.experiment import Experiment

EVALUATION_BATCH = 4096
"""Samples that go through a network at once when it is evaluated."""


@dataclass(frozen=True, eq=False)
class TrainedGroup:
    """One trained group: its network at the best epoch, and what it scored.

    Attributes
    ----------
    model
        The network with the weights of the best epoch.
    curve
        Shape (epochs, members): validation loss after each epoch.
    best_epoch
        From 0.
    losses, metrics
        Split → shape (members,).
    seconds
        Time of training.
    """

    model: GroupModel
    curve: NDArray[np.float64]
    best_epoch: int
    losses: dict[str, NDArray[np.float64]]
    metrics: dict[str, NDArray[np.float64]]
    seconds: float


def train_group(
    experiment: Experiment, members: list[int], seed: int, device_data: DeviceData
) -> TrainedGroup:
    """Train one group.

    Parameters
    ----------
    experiment
        Data, backbone, settings.
    members
        Task indices.
    seed
        Of initial weights, batches and dropout.
    device_data
        The data on the device to train on.
    """
    begin = time.perf_counter()
    settings = experiment.settings
    model = build_group_model(experiment, members, seed).to(device_data.device)
    noisy = any(isinstance(one, torch.nn.modules.dropout._DropoutNd) for one in model.modules())
    optimiser = make_optimiser((one for one in model.parameters() if one.requires_grad), settings)
    batches = Batches(experiment, seed)
    curve: list[NDArray[np.float64]] = []
    best, best_epoch = np.inf, 0
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    for epoch in range(settings.epochs):
        model.train()
        for step, rows in enumerate(batches.epoch(epoch)):
            if noisy:
                torch.manual_seed(key(seed, "noise", epoch, step))
            optimiser.zero_grad()
            with torch.autocast(
                device_data.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"
            ):
                loss = group_loss(model, device_data, [one.to(device_data.device) for one in rows])
            loss.backward()  # type: ignore[no-untyped-call]
            if settings.clip_norm:
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimiser.step()
        losses = member_losses(model, device_data, "valid")
        curve.append(losses)
        score = weighted_mean(experiment, members, losses)
        if score < best:
            best, best_epoch = score, epoch
            kept = {name: value.clone() for name, value in model.state_dict().items()}
        if settings.patience and epoch - best_epoch >= settings.patience:
            break
    model.load_state_dict(kept)
    return TrainedGroup(
        model,
        np.array(curve),
        best_epoch,
        {split: member_losses(model, device_data, split) for split in ("valid", "test")},
        {split: member_metrics(model, device_data, split) for split in ("valid", "test")},
        time.perf_counter() - begin,
    )


def weighted_mean(experiment: Experiment, members: list[int], losses: NDArray[np.float64]) -> float:
    """Return the validation score of a group, the mean of its members' weighted losses."""
    weights = [experiment.data.tasks[task].weight for task in members]
    return float(np.dot(weights, losses) / len(members))


def group_loss(model: GroupModel, data: DeviceData, rows: list[torch.Tensor]) -> torch.Tensor:
    """Return the training loss of a group: the mean over its members of their weighted losses.

    Parameters
    ----------
    model
        The group's network.
    data
        The data on its device.
    rows
        The batch: rows that all tasks share, or rows per task.
    """
    tasks = data.data.tasks
    if data.data.shared:
        outputs = model(data.input(rows[0]))
        rows = [rows[0]] * len(tasks)
    else:
        outputs = [
            model.forward_member(data.input(rows[task], task), position)
            for position, task in enumerate(model.members)
        ]
    losses = [
        tasks[task].weight * task_loss(tasks[task], output, data.targets[task][rows[task]])
        for task, output in zip(model.members, outputs, strict=True)
    ]
    return torch.stack(losses).sum() / len(losses)


@torch.no_grad()
def outputs_on(model: GroupModel, data: DeviceData, split: str) -> list[torch.Tensor]:
    """Return every member's outputs on a split, shape (rows, outputs) each, in evaluation mode."""
    model.eval()
    found: list[list[torch.Tensor]] = [[] for _ in model.members]
    if data.data.shared:
        for rows in torch.split(data.rows(split), EVALUATION_BATCH):
            for position, output in enumerate(model(data.input(rows))):
                found[position].append(output)
    else:
        for position, task in enumerate(model.members):
            for rows in torch.split(data.rows(split, task), EVALUATION_BATCH):
                found[position].append(model.forward_member(data.input(rows, task), position))
    return [torch.cat(parts) for parts in found]


def member_losses(model: GroupModel, data: DeviceData, split: str) -> NDArray[np.float64]:
    """Return every member's loss on a split, shape (members,)."""
    return np.array(
        [
            float(task_loss(data.data.tasks[task], output, data.targets[task][data.rows(split, task)]))
            for task, output in zip(model.members, outputs_on(model, data, split), strict=True)
        ]
    )


def member_metrics(model: GroupModel, data: DeviceData, split: str) -> NDArray[np.float64]:
    """Return every member's metric on the labelled rows of a split, shape (members,)."""
    found = []
    for task, output in zip(model.members, outputs_on(model, data, split), strict=True):
        found.append(float(split_metric(data, task, output.double().cpu().numpy(), split)))
    return np.array(found)


def split_metric(
    data: DeviceData, task: int, outputs: NDArray[np.float64], split: str
) -> NDArray[np.float64]:
    """Return a task's metric on the labelled rows of a split.

    Parameters
    ----------
    data, task, split
        What is judged.
    outputs
        Shape (…, rows, outputs).

    Returns
    -------
    ndarray
        Shape (…).
    """
    targets = data.data.targets[task][data.data.rows(split, task)]
    known = np.isfinite(targets if targets.ndim == 1 else targets.sum(axis=1))
    return evaluate(data.data.tasks[task].metric, outputs[..., known, :], targets[known])
