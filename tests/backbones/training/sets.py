"""Small data sets, and a plain training loop to compare with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from backbones import Batches, DeviceData, build_group_model, key
from backbones.testing import group_loss, member_losses
from engine.data import MultiTaskData, Task
from engine.data.metrics import evaluate
from engine.training.experiment import Experiment
from engine.training.settings import TrainingSettings

BINARY = (Task("a", "binary"), Task("b", "binary"), Task("c", "binary"))
MIXED = (
    Task("a", "binary", metric="auroc"),
    Task("level", loss="huber", weight=0.5),
    Task("b", "binary", positive_weight=3.0),
    Task("pair", outputs=2, loss="squared-error", metric="r2"),
    Task("three", "multiclass", outputs=3, metric="accuracy"),
    Task("c", "binary", weight=2.0),
    Task("four", "multiclass", outputs=4),
    Task("gap", loss="absolute-error"),
)


def data(tasks=BINARY, shape=(4,), *, separate=False, missing=0.0, rows=60, seed=0):
    """Return data whose targets follow the inputs, with some labels missing."""
    random = np.random.default_rng(seed)
    sets = len(tasks) if separate else 1
    inputs, splits, targets = [], {"train": [], "valid": [], "test": []}, []
    for index in range(sets):
        count = rows + 7 * index
        inputs.append(random.normal(size=(count, *shape)))
        order = random.permutation(count)
        for name, part in zip(splits, np.split(order, [count // 2, 3 * count // 4]), strict=True):
            splits[name].append(part)
    for index, task in enumerate(tasks):
        mine = inputs[index if separate else 0].reshape(len(inputs[index if separate else 0]), -1)
        score = mine @ random.normal(size=(mine.shape[1], max(task.outputs, 1))) + 0.3 * random.normal(
            size=(len(mine), max(task.outputs, 1))
        )
        if task.kind == "binary":
            target = (score[:, 0] > 0).astype(float)
        elif task.kind == "multiclass":
            target = score.argmax(axis=1).astype(float)
        else:
            target = score if task.outputs > 1 else score[:, 0]
        if missing:
            target = np.where(random.random(target.shape) < missing, np.nan, target)
        targets.append(target)
    return MultiTaskData(tasks, tuple(inputs), tuple(targets), splits)


def experiment(of=None, backbone="mlp", options=None, **settings):
    """Return a short experiment in double precision."""
    defaults = {
        "epochs": 3,
        "patience": 0,
        "batch_size": 8,
        "learning_rate": 0.02,
        "precision": "float64",
    }
    chosen = options if options is not None else ({"hidden": 6} if backbone == "mlp" else {})
    return Experiment(of or data(), backbone, chosen, TrainingSettings(**{**defaults, **settings}))


def changed(one, **settings):
    """Return the experiment with other settings."""
    return replace(one, settings=replace(one.settings, **settings))


def groups(n_tasks, *members):
    """Return a membership matrix."""
    found = np.zeros((len(members), n_tasks), dtype=bool)
    for row, of in enumerate(members):
        found[row, list(of)] = True
    return found


def some_groups(n_tasks, count=9, seed=0):
    """Return different random groups of several sizes, in no order."""
    random = np.random.default_rng(seed)
    codes = random.choice(np.arange(1, 2**n_tasks), size=min(count, 2**n_tasks - 1), replace=False)
    return (codes[:, None] >> np.arange(n_tasks)) & 1 == 1


def trained_plainly(one, members, seed):
    """Return (curve, best epoch, losses, metrics) by the plainest loop there is."""
    settings, tasks = one.settings, one.data.tasks
    device = DeviceData(one)
    model = build_group_model(one, members, seed)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if settings.optimiser == "sgd":
        optimiser = torch.optim.SGD(
            parameters,
            settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
    else:
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimiser]
        optimiser = kind(parameters, settings.learning_rate, weight_decay=settings.weight_decay)
    batches, curve, scores, kept = Batches(one, seed), [], [], None
    for epoch in range(settings.epochs):
        model.train()
        for step, rows in enumerate(batches.epoch(epoch)):
            if not one.data.shared:
                model.forward_member = _seeded(model, one, (seed, "noise", epoch, step))  # type: ignore[method-assign]
            torch.manual_seed(key(seed, "noise", epoch, step))
            optimiser.zero_grad()
            group_loss(model, device, list(rows)).backward()
            if settings.clip_norm:
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimiser.step()
        model.__dict__.pop("forward_member", None)
        curve.append(member_losses(model, device, "valid"))
        weights = [tasks[task].weight for task in members]
        scores.append(np.mean(np.multiply(weights, curve[-1])))
        if np.argmin(scores) == epoch:
            kept = {name: value.clone() for name, value in model.state_dict().items()}
        if settings.patience and epoch - np.argmin(scores) >= settings.patience:
            break
    model.load_state_dict(kept)
    model.eval()
    losses = {split: member_losses(model, device, split) for split in ("valid", "test")}
    metrics = {split: _metrics(model, device, split) for split in losses}
    return np.array(curve), int(np.argmin(scores)), losses, metrics


def _seeded(model, one, purpose):
    plain = type(model).forward_member

    def forward_member(inputs, position):
        torch.manual_seed(key(*purpose, one.tasks[model.members[position]]))
        return plain(model, inputs, position)

    return forward_member


def _metrics(model, device, split):
    found = []
    for position, task in enumerate(model.members):
        rows = device.rows(split, task)
        with torch.no_grad():
            outputs = model.forward_member(device.input(rows, task), position).numpy()
        target = device.targets[task][rows].numpy()
        known = ~np.isnan(target.reshape(len(target), -1)).any(axis=1)
        found.append(evaluate(device.data.tasks[task].metric, outputs[known], target[known]))
    return np.array(found)
