"""One group trained alone, by autograd: the plain loop, which every stack must equal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backbones.network.behaviour import observe
from backbones.network.group_model import GroupModel, build_group_model
from backbones.network.task_losses import task_loss
from backbones.stacked.families import families_of
from backbones.stacked.losses import loss_gradients, losses
from backbones.training.batches import DeviceData
from backbones.training.feed import EVALUATION_ROWS, Feed, Portion
from backbones.training.group_results import SPLITS, Course, GroupResult
from backbones.training.noise import seed_noise
from backbones.training.optimisers import make_optimiser
from backbones.training.split_metric import split_metric
from engine.training.experiment import Experiment


@dataclass(frozen=True, eq=False)
class TrainedGroup(GroupResult):
    """One trained group.

    Attributes
    ----------
    model
        The network with the weights of the best epoch.
    """

    model: GroupModel


def train_group(
    experiment: Experiment, members: Sequence[int], seed: int, device_data: DeviceData
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
    training = _GroupTraining(experiment, list(members), seed, device_data)
    course = training.run()
    judged = {split: training.judged(split) for split in SPLITS}
    course.seconds = time.perf_counter() - begin
    result = course.result(
        members,
        {split: of[0] for split, of in judged.items()},
        {split: of[1] for split, of in judged.items()},
    )
    return TrainedGroup(**vars(result), model=training.model)


class _GroupTraining:
    """The training of one group; heads of one kind are one product, as their losses are."""

    def __init__(self, experiment: Experiment, members: list[int], seed: int, data: DeviceData) -> None:
        self._experiment, self._members, self._seed, self._data = experiment, members, seed, data
        self.model = build_group_model(experiment, members, seed).to(data.device)
        tasks = [experiment.data.tasks[task] for task in members]
        self._families = families_of(tasks, self.model)
        self._feed = Feed(
            experiment,
            seed,
            data,
            self._families,
            [[members[position] for position in family.tasks] for family in self._families],
            aligned=False,
        )
        few = data.rows("train", members[0])[: min(2, self._feed.batch)]
        self._noisy = observe(self.model, data.input(few, members[0])).noisy
        self._positive = [
            torch.tensor(family.positive_weights, dtype=data.dtype, device=data.device).view(1, -1, 1, 1)
            if set(family.positive_weights) != {1.0}
            else None
            for family in self._families
        ]
        self._course = Course(np.array([task.weight for task in tasks]), experiment.settings.patience)
        self._joined = [_as_one(family.heads) if self._feed.shared else None for family in self._families]
        parts: list[nn.Module] = [self.model.encoder]
        for family, one in zip(self._families, self._joined, strict=True):
            parts += family.heads if one is None else [one]
        self._trained = [one for part in parts for one in part.parameters() if one.requires_grad]

    def run(self) -> Course:
        """Train, and leave the network with the weights of the best epoch."""
        settings, model = self._experiment.settings, self.model
        optimiser = make_optimiser(self._trained, settings)
        kept = {name: value.clone() for name, value in model.state_dict().items()}
        for epoch in range(settings.epochs):
            model.train()
            for step, portion in enumerate(self._feed.epoch(epoch)):
                optimiser.zero_grad()
                self._differentiate(portion, (epoch, step) if self._noisy else None)
                if settings.clip_norm:
                    nn.utils.clip_grad_norm_(self._trained, settings.clip_norm)
                optimiser.step()
            if self._course.add(self._split_losses("valid")):
                kept = {name: value.clone() for name, value in model.state_dict().items()}
            if self._course.done:
                break
        model.load_state_dict(kept)
        return self._course

    def judged(self, split: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return losses and metrics on a split, shape (members,) each."""
        with torch.no_grad():
            self.model.eval()
            portions = [self._outputs(portion, None) for portion in self._feed.split(split)]
        metrics = np.empty(len(self._members))
        for family, outputs in zip(self._families, zip(*portions, strict=True), strict=True):
            for slot, position in enumerate(family.tasks):
                task = self._members[position]
                of = torch.cat([one[0, slot] for one in outputs], -1)[:, : self._feed.rows_of(split, task)]
                metrics[position] = split_metric(self._data, task, of.T.double().cpu().numpy()[None], split)[
                    0
                ]
        return self._split_losses(split), metrics

    def _differentiate(self, portion: Portion, moment: tuple[int, int] | None) -> None:
        """Add the gradient of the training loss, the mean over the members of their weighted losses."""
        lower = self._experiment.settings.precision == "bfloat16"
        with torch.autocast(self._data.device.type, torch.bfloat16, enabled=lower):
            every = self._outputs(portion, moment)
        with torch.no_grad():
            gradients = [
                loss_gradients(family.first.loss, outputs, labels.targets.unsqueeze(0), positive)
                .mul_(labels.weights)
                .div_(len(self._members))
                for family, outputs, positive, labels in zip(
                    self._families, every, self._positive, portion.labels, strict=True
                )
            ]
        torch.autograd.backward(every, gradients)

    def _outputs(self, portion: Portion, moment: tuple[int, int] | None) -> list[torch.Tensor]:
        """Return the outputs per family, shape (1, slots, outputs, samples)."""
        if self._feed.shared:
            if moment:
                seed_noise(self._seed, *moment)
            features = self.model.encoder(portion.inputs)
            return [
                _of_heads(family.heads, one, features).to(self._data.dtype)
                for family, one in zip(self._families, self._joined, strict=True)
            ]
        found: dict[int, torch.Tensor] = {}
        for index, task in enumerate(self._feed.union):
            if moment:
                seed_noise(self._seed, *moment, self._experiment.tasks[task])
            position = self._members.index(task)
            found[position] = self.model.forward_member(portion.inputs[index], position)
        return [
            torch.stack([found[position].T for position in family.tasks]).unsqueeze(0).to(self._data.dtype)
            for family in self._families
        ]

    @torch.no_grad()
    def _split_losses(self, split: str) -> NDArray[np.float64]:
        self.model.eval()
        totals = [
            torch.zeros(len(family.tasks), dtype=self._data.dtype, device=self._data.device)
            for family in self._families
        ]
        for portion in self._feed.split(split):
            for index, outputs in enumerate(self._outputs(portion, None)):
                labels = portion.labels[index]
                of = losses(
                    self._families[index].first.loss,
                    outputs,
                    labels.targets.unsqueeze(0),
                    self._positive[index],
                )
                totals[index] += torch.where(labels.weights > 0, of * labels.weights, 0.0)[0].sum((1, 2))
        found = np.empty(len(self._members))
        for family, total in zip(self._families, totals, strict=True):
            found[list(family.tasks)] = total.double().cpu().numpy()
        return found


def _as_one(heads: Sequence[nn.Module]) -> nn.Linear | None:
    """Return one linear layer whose weights are those of the heads, in shared memory, or None."""
    linear = [one for one in heads if type(one) is nn.Linear]
    if len(linear) < len(heads):
        return None
    first = linear[0]
    joined: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear,
        first.in_features,
        len(linear) * first.out_features,
        bias=first.bias is not None,
        device=first.weight.device,
        dtype=first.weight.dtype,
    )
    for name, whole in joined.named_parameters():
        whole.requires_grad_(getattr(first, name).requires_grad)
        for place, head in zip(torch.split(whole.data, first.out_features), linear, strict=True):
            place.copy_(getattr(head, name).data)
            getattr(head, name).data = place
    return joined


def _of_heads(heads: Sequence[nn.Module], joined: nn.Linear | None, features: torch.Tensor) -> torch.Tensor:
    """Return the outputs of heads of one structure, shape (1, heads, outputs, samples)."""
    if joined is None:
        return torch.stack([head(features).T for head in heads]).unsqueeze(0)
    return torch.reshape(joined(features).T, (1, len(heads), -1, len(features)))


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
    found = [
        tasks[task].weight * task_loss(tasks[task], output, data.targets[task][rows[task]])
        for task, output in zip(model.members, outputs, strict=True)
    ]
    return torch.stack(found).sum() / len(found)


@torch.no_grad()
def member_losses(model: GroupModel, data: DeviceData, split: str) -> NDArray[np.float64]:
    """Return every member's loss on a split, shape (members,), in evaluation mode."""
    model.eval()
    found = []
    for position, task in enumerate(model.members):
        rows = data.rows(split, task)
        outputs = [
            model.forward_member(data.input(part, task), position)
            for part in torch.split(rows, EVALUATION_ROWS)
        ]
        found.append(float(task_loss(data.data.tasks[task], torch.cat(outputs), data.targets[task][rows])))
    return np.array(found)
