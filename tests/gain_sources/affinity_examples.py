"""Small experiments, and networks of which it is known who helps whom."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backbones import (
    Backbone,
    BackboneInfo,
    Batches,
    DeviceData,
    GroupModel,
    build_group_model,
    key,
    task_loss,
)
from engine import Experiment, TrainingSettings
from engine.data import MultiTaskData, Task

TASKS = (
    Task("price", "regression", weight=2.0),
    Task("sold", "binary", positive_weight=3.0),
    Task("colour", "multiclass", outputs=3),
    Task("place", "regression", outputs=2, loss="huber"),
    Task("rented", "binary", positive_weight=3.0),
)


def splits(rows: int, count: int = 1) -> dict[str, tuple[NDArray[np.int64], ...]]:
    third = rows // 5
    parts = {
        "train": np.arange(3 * third),
        "valid": np.arange(3 * third, 4 * third),
        "test": np.arange(4 * third, rows),
    }
    return {name: (part,) * count for name, part in parts.items()}


def targets_of(task: Task, latent: NDArray[np.float64], random: np.random.Generator, missing: float) -> Any:
    noisy = latent + random.normal(0, 0.5, latent.shape)
    if task.kind == "binary":
        values = (noisy[:, 0] > 0).astype(float)
    elif task.kind == "multiclass":
        values = np.digitize(noisy[:, 0], (-0.5, 0.5)).astype(float)
    else:
        values = noisy[:, : task.outputs]
    values[random.random(len(values)) < missing] = np.nan
    return values


def experiment(
    *,
    shared: bool = True,
    shape: tuple[int, ...] = (6,),
    tasks: tuple[Task, ...] = TASKS,
    missing: float = 0.2,
    rows: int = 120,
    backbone: str = "mlp",
    backbone_options: dict[str, Any] | None = None,
    **settings: Any,
) -> Experiment:
    """Return an experiment in float64 on random targets of every kind."""
    random = np.random.default_rng(0)
    inputs, targets = [], []
    mixing = random.normal(0, 1, (int(np.prod(shape)), len(tasks), 2)) / np.sqrt(np.prod(shape))
    for index, task in enumerate(tasks):
        if not (shared and inputs):
            inputs.append(random.normal(0, 1, (rows, *shape)))
        latent = inputs[-1].reshape(rows, -1) @ mixing[:, index]
        targets.append(targets_of(task, latent, random, missing))
    chosen = {"epochs": 2, "patience": 0, "batch_size": 16, "precision": "float64", **settings}
    return Experiment(
        MultiTaskData(tasks, tuple(inputs), tuple(targets), splits(rows, len(inputs)), name="example"),
        backbone,
        backbone_options if backbone_options is not None else {"hidden": 5, "layers": 2},
        TrainingSettings(**chosen),
    )


def permuted(one: Experiment, order: list[int]) -> Experiment:
    """Return the experiment with its tasks in another order."""
    data = one.data
    assert data.shared
    return replace(
        one,
        data=replace(
            data,
            tasks=tuple(data.tasks[task] for task in order),
            targets=tuple(data.targets[task] for task in order),
        ),
    )


@dataclass(frozen=True)
class NormalisedConvolutions(Backbone):
    """Layers that need care: batch normalisation, in-place activations, a layer used twice, strides."""

    dropout: float = 0.0
    info = BackboneInfo(summary="", inputs="image")

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        twice = nn.Conv2d(4, 4, 3, padding=1)
        return nn.Sequential(
            nn.Conv2d(shape[0], 4, (3, 2), stride=2, padding=(1, 0)),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            twice,
            nn.Tanh(),
            twice,
            nn.Conv2d(4, 4, 3, groups=2, padding=1),
            nn.AdaptiveAvgPool2d((3, 1)),
            nn.Flatten(2),
            nn.Conv1d(4, 3, 2, dilation=2),
            nn.Flatten(),
            nn.Linear(3, 4, bias=False),
            nn.LayerNorm(4),
            nn.Dropout(self.dropout),
        ), 4


@dataclass(frozen=True)
class PerPosition(Backbone):
    """A linear map on every position of a series, then their mean."""

    info = BackboneInfo(summary="", inputs="series")

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        return nn.Sequential(nn.Linear(shape[1], 5), nn.Tanh(), nn.Linear(5, 4), Mean()), 4


class Mean(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values.mean(dim=1)


@dataclass(frozen=True)
class TwoNumbers(Backbone):
    """Two shared numbers, from 0, of which each task reads a fixed sum; no input counts."""

    info = BackboneInfo(summary="")
    sums: ClassVar[dict[str, tuple[float, float]]] = {}

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        return Numbers(), 2

    def head(self, width: int, task: Task) -> nn.Module:
        head = nn.Linear(2, 1, bias=False)
        head.weight.requires_grad_(False)[0] = torch.tensor(self.sums[task.name])
        return head


class Numbers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.zeros(2))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.numbers.expand(len(inputs), 2)


def two_tasks(sums: dict[str, tuple[float, float]], wanted: dict[str, float], **settings: Any) -> Experiment:
    """Return an experiment with one step, on tasks with squared error that read these sums."""
    TwoNumbers.sums.update(sums)
    rows = 20
    return Experiment(
        MultiTaskData(
            tuple(Task(name) for name in sums),
            (np.zeros((rows, 1)),),
            tuple(np.full(rows, wanted[name]) for name in sums),
            splits(rows),
        ),
        f"{__name__}:TwoNumbers",
        settings=TrainingSettings(epochs=1, batch_size=12, precision="float64", **settings),
    )


def helper_and_brute(**settings: Any) -> Experiment:
    """A task with a small gradient and one with a large, both towards larger numbers.

    Losses (θ − 1)² and 100 (θ − 10)² at θ = 0: a step on the first helps the second, a step on the
    second goes far beyond what the first wants.
    """
    return two_tasks(
        {"helper": (1.0, 0.0), "brute": (10.0, 0.0)},
        {"helper": 1.0, "brute": 100.0},
        optimiser="sgd",
        learning_rate=0.002,
        **settings,
    )


def signs() -> Experiment:
    """Two tasks whose first step of Adam, the sign of the gradient, helps the other in one direction.

    Gradients are −2 (1, 2) and −2 (3, −1): (1, 1) · (3, −1) > 0, but (1, −1) · (1, 2) < 0.
    """
    return two_tasks(
        {"helper": (1.0, 2.0), "brute": (3.0, -1.0)}, {"helper": 1.0, "brute": 1.0}, learning_rate=1e-3
    )


@dataclass(eq=False)
class Moment:
    """A step of plain training that may be played with."""

    one: Experiment
    model: GroupModel
    optimiser: torch.optim.Optimizer
    inputs: list[torch.Tensor]
    targets: list[torch.Tensor]
    noise: int

    @property
    def labelled(self) -> list[bool]:
        return [bool((~torch.isnan(target)).any()) for target in self.targets]

    def copy(self) -> Moment:
        model, optimiser = copy.deepcopy((self.model, self.optimiser))
        return replace(self, model=model, optimiser=optimiser)

    def loss(self, task: int) -> torch.Tensor:
        torch.manual_seed(self.noise)
        output = self.model.forward_member(self.inputs[task], task)
        return task_loss(self.one.data.tasks[task], output, self.targets[task])

    def weighted_loss(self, task: int) -> torch.Tensor:
        return self.one.data.tasks[task].weight * self.loss(task)

    def shared_gradient(self, task: int) -> torch.Tensor:
        gradients = torch.autograd.grad(self.loss(task), list(self.model.encoder.parameters()))
        return torch.cat([gradient.flatten() for gradient in gradients])

    def step(self, loss: torch.Tensor, *, heads: bool) -> None:
        self.optimiser.zero_grad()
        loss.backward()
        if not heads:
            for parameter in self.model.heads.parameters():
                parameter.grad = None
        if self.one.settings.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.one.settings.clip_norm)
        self.optimiser.step()


def optimiser_of(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    trained = [one for one in model.parameters() if one.requires_grad]
    if settings.optimiser == "sgd":
        return torch.optim.SGD(trained, lr=rate, momentum=settings.momentum, weight_decay=decay)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimiser]
    return kind(trained, lr=rate, weight_decay=decay)


def moments(one: Experiment, seed: int, every: int) -> Iterator[Moment]:
    """Train all tasks in the plainest way, and yield every so many steps before they are taken."""
    count = one.data.n_tasks
    model = build_group_model(one, range(count), seed).train()
    optimiser = optimiser_of(model, one.settings)
    batches, data = Batches(one, seed), DeviceData(one)
    taken = 0
    for epoch in range(one.settings.epochs):
        for number, rows in enumerate(batches.epoch(epoch)):
            of_task = list(rows) * count if one.data.shared else list(rows)
            moment = Moment(
                one,
                model,
                optimiser,
                [data.input(own, task) for task, own in enumerate(of_task)],
                [data.targets[task][own] for task, own in enumerate(of_task)],
                key(seed, "noise", epoch, number),
            )
            if taken % every == 0:
                yield moment.copy()
            taken += 1
            if one.data.shared:
                torch.manual_seed(moment.noise)
                losses = [
                    one.data.tasks[task].weight
                    * task_loss(one.data.tasks[task], output, moment.targets[task])
                    for task, output in enumerate(model(moment.inputs[0]))
                ]
            else:
                losses = [moment.weighted_loss(task) for task in range(count)]
            moment.step(torch.stack(losses).mean(), heads=True)


def mean_effect(
    one: Experiment,
    seed: int,
    every: int,
    effects: Callable[[Moment], dict[tuple[int, int], float]],
) -> NDArray[np.float64]:
    """Return the mean over the steps of effects, source by recipient, where both have labels."""
    count = one.data.n_tasks
    total, times = np.zeros((count, count)), np.zeros((count, count))
    for moment in moments(one, seed, every):
        for (source, recipient), effect in effects(moment).items():
            if moment.labelled[source] and moment.labelled[recipient]:
                total[source, recipient] += effect
                times[source, recipient] += 1
    return total / times
