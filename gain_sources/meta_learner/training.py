"""Training of many networks at once: as published, and with groups held out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gain_sources.meta_learner.network import Weights, predicted

if TYPE_CHECKING:
    from torch import Tensor

PUBLISHED_RATE, PUBLISHED_DECAY = 0.007, 5e-4
PUBLISHED_EPOCHS, PUBLISHED_PATIENCE = 10_000, 5

RATE, DECAY = 0.003, 0.01
EPOCHS, PATIENCE = 1000, 20
BATCH, BLOCK = 32, 512


def train_as_published(weights: Weights, membership: Tensor, targets: Tensor) -> Weights:
    """Train each network on all groups until its error has not fallen for five epochs.

    Full batches, L1 over the member entries, Adam with L2 decay.

    Parameters
    ----------
    weights
        R networks.
    membership, targets
        Shape (M, N): the groups, and their values, 0 off the membership.

    Returns
    -------
    dict
        2 R networks: as they were in the two epochs of least error, the best of all R first.
    """
    import torch

    trained = {name: value.clone().requires_grad_() for name, value in weights.items()}
    optimiser = torch.optim.Adam(trained.values(), lr=PUBLISHED_RATE, weight_decay=PUBLISHED_DECAY)
    first = {name: value.clone() for name, value in weights.items()}
    second = {name: value.clone() for name, value in weights.items()}
    restarts = len(weights["head_bias"])
    errors = torch.full((2, restarts), math.inf, dtype=targets.dtype, device=targets.device)
    since = torch.zeros(restarts, device=targets.device)
    running = torch.ones(restarts, dtype=torch.bool, device=targets.device)
    for _ in range(PUBLISHED_EPOCHS):
        away = torch.where(membership, predicted(trained, membership) - targets, 0.0)
        error = away.abs().sum((1, 2)) / membership.sum()
        told = error.detach()
        best, other = running & (told < errors[0]), running & (told >= errors[0]) & (told < errors[1])
        _keep(second, first, best)
        _keep(second, trained, other)
        _keep(first, trained, best)
        errors[1] = torch.where(best, errors[0], torch.where(other, told, errors[1]))
        errors[0] = torch.where(best, told, errors[0])
        since = torch.where(best, 0, since + 1)
        running = running & (since < PUBLISHED_PATIENCE)
        if not running.any():
            break
        optimiser.zero_grad()
        error.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return {name: torch.cat([first[name], second[name]]) for name in first}


def _keep(kept: Weights, new: Weights, which: Tensor) -> None:
    for name, value in kept.items():
        value[which] = new[name].detach()[which]


def train_held_out(
    weights: Weights,
    membership: Tensor,
    targets: Tensor,
    held_out: Tensor,
    *,
    seed: int,
    epochs: int = EPOCHS,
    patience: int = PATIENCE,
    rate: float = RATE,
) -> Weights:
    """Train each network without the groups it holds out, and stop all where those fit best on average.

    The epoch is common: chosen for each network by its own few groups, these would look better predicted
    than groups that nobody has seen. Small batches, Huber's loss, AdamW.

    Parameters
    ----------
    weights
        R networks.
    membership
        Shape (M, N): the groups.
    targets
        Shape (R, M, N): their values in units of the scale of each task, 0 off the membership.
    held_out
        Shape (R, M): which groups each network must not see.
    seed
        Fixes the batches.
    epochs, patience
        At most so many, and so many without improvement.
    rate
        Learning rate.

    Returns
    -------
    dict
        R networks, as they were in the best epoch.
    """
    import torch
    from torch.nn.functional import huber_loss

    trained = {name: value.clone().requires_grad_() for name, value in weights.items()}
    optimiser = torch.optim.AdamW(trained.values(), lr=rate, weight_decay=DECAY)
    unseen = (held_out[:, :, None] & membership).to(targets.dtype)
    seen = (~held_out[:, :, None] & membership).to(targets.dtype)
    seen = seen / seen.sum((1, 2), keepdim=True).clamp(min=1)
    random = np.random.default_rng(seed)
    count = len(membership)
    kept, best, since = weights, math.inf, 0
    for _ in range(epochs):
        with torch.no_grad():
            losses = huber_loss(predicted_in_blocks(trained, membership), targets, reduction="none")
            error = float((losses * unseen).sum() / unseen.sum())
        if error < best - 1e-5:
            kept = {name: value.detach().clone() for name, value in trained.items()}
            best, since = error, 0
        else:
            since += 1
            if since >= patience:
                break
        for part in np.array_split(random.permutation(count), max(1, round(count / BATCH))):
            rows = torch.from_numpy(part).to(targets.device)
            found = predicted(trained, membership[rows])
            losses = huber_loss(found, targets[:, rows], reduction="none") * seen[:, rows]
            optimiser.zero_grad()
            (losses.sum() * (count / len(part))).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return kept


def predicted_in_blocks(weights: Weights, membership: Tensor) -> Tensor:
    """Return what R networks predict for M groups, shape (R, M, N), of no meaning off the membership."""
    import torch

    return torch.cat([predicted(weights, part) for part in torch.split(membership, BLOCK)], dim=1)
