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
from backbones.stacked.families import families_of
from backbones.stacked.losses import loss_gradients, losses
from backbones.training.batches import DeviceData
from backbones.training.feed import Feed, Portion
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
    losses_of, metrics_of = ({split: pair[at] for split, pair in judged.items()} for at in (0, 1))
    result = course.result(members, losses_of, metrics_of)
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
        for family, joined in zip(self._families, self._joined, strict=True):
            parts += family.heads if joined is None else [joined]
        self._trained = [weight for part in parts for weight in part.parameters() if weight.requires_grad]

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
                whole = torch.cat([part[0, slot] for part in outputs], -1)
                judged = whole[:, : self._feed.rows_of(split, task)].T.double().cpu().numpy()
                (metrics[position],) = split_metric(self._data, task, judged[None], split)
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
                _of_heads(family.heads, joined, features).to(self._data.dtype)
                for family, joined in zip(self._families, self._joined, strict=True)
            ]
        outputs: dict[int, torch.Tensor] = {}
        for index, task in enumerate(self._feed.union):
            if moment:
                seed_noise(self._seed, *moment, self._experiment.tasks[task])
            position = self._members.index(task)
            outputs[position] = self.model.forward_member(portion.inputs[index], position)
        return [
            torch.stack([outputs[position].T for position in family.tasks]).unsqueeze(0).to(self._data.dtype)
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
                each = losses(
                    self._families[index].first.loss,
                    outputs,
                    labels.targets.unsqueeze(0),
                    self._positive[index],
                )
                totals[index] += torch.where(labels.weights > 0, each * labels.weights, 0.0)[0].sum((1, 2))
        by_member = np.empty(len(self._members))
        for family, total in zip(self._families, totals, strict=True):
            by_member[list(family.tasks)] = total.double().cpu().numpy()
        return by_member


def _as_one(heads: Sequence[nn.Module]) -> nn.Linear | None:
    """Return one linear layer whose weights are those of the heads, in shared memory, or None."""
    linear = [head for head in heads if type(head) is nn.Linear]
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
