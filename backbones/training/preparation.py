"""What all stacks of one call share: data, initial weights, families, and how the encoder is stacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from backbones.network.backbone import make_backbone
from backbones.network.behaviour import Behaviour, observe
from backbones.network.group_model import GroupModel, build_group_model
from backbones.stacked.convert import (
    NoStack,
    frozen,
    is_frozen,
    layered,
    own,
    refuse_ties,
    vmapped,
)
from backbones.stacked.encoder import StackedEncoder
from backbones.stacked.families import Family, families_of, slots_of
from backbones.training.batches import Batches, DeviceData
from backbones.training.noise import dropout_widths
from backbones.training.stacked_network import StackedNetwork
from engine.training.experiment import Experiment


@dataclass(frozen=True, eq=False, kw_only=True)
class Preparation:
    """How groups of an experiment are stacked.

    Attributes
    ----------
    experiment, seed, data
        What is trained.
    model
        The untrained network of all tasks, on the device.
    families
        Of the tasks.
    make_encoder
        Makes the encoder of one stack.
    noisy
        Whether training draws random numbers.
    dropout_widths
        Of the dropout layers, where each task has its own samples.
    aligned
        Whether batches may be padded.
    lower
        Whether products are computed in bfloat16.
    least
        Fewest members of a stack. Products of matrices with one row or column round otherwise when there
        is one of them alone, so where there are such, two members are trained.
    """

    experiment: Experiment
    seed: int
    data: DeviceData
    model: GroupModel
    families: tuple[Family, ...]
    make_encoder: Callable[[], StackedEncoder]
    noisy: bool
    dropout_widths: tuple[tuple[int, float], ...]
    aligned: bool
    lower: bool
    least: int

    @property
    def separate(self) -> bool:
        """Whether each task has its own samples."""
        return not self.experiment.data.shared

    def counts_of(self, group: Sequence[int]) -> tuple[int, ...]:
        """Return how many slots of each family a group fills."""
        return slots_of(group, self.families, separate=self.separate)

    def network(self, counts: Sequence[int], groups: Sequence[Sequence[int]]) -> StackedNetwork:
        """Return the untrained networks of groups that fill these slots of the families."""
        return StackedNetwork(
            self.model, self.make_encoder, self.families, counts, groups, separate=self.separate
        )


def prepare(experiment: Experiment, seed: int, data: DeviceData, method: str) -> Preparation:
    """Return how groups are stacked by a method.

    Parameters
    ----------
    experiment, seed, data
        What is trained.
    method
        ``"stack"`` or ``"vmap"``.

    Raises
    ------
    NoStack
        If the network cannot be stacked so; the message says why.
    """
    model = build_group_model(experiment, range(experiment.data.n_tasks), seed).to(data.device)
    model.train()
    encoder, separate = model.encoder, not experiment.data.shared
    lower = experiment.settings.precision == "bfloat16"
    by_batch = any(isinstance(module, nn.modules.batchnorm._NormBase) for module in encoder.modules())
    if by_batch and Batches(experiment, seed).size == 1:
        raise NoStack("its encoder normalises by batch, and a batch is one sample")
    samples = _two_samples(data)
    seen = observe(encoder, samples)
    make = _maker(experiment, data, encoder, method, seen, lower=lower)
    make()
    families = families_of(experiment.data.tasks, model)
    _check_heads(families, encoder, samples)
    widths = dropout_widths(encoder, samples) if seen.noisy and separate else []
    return Preparation(
        experiment=experiment,
        seed=seed,
        data=data,
        model=model,
        families=families,
        make_encoder=make,
        noisy=seen.noisy,
        dropout_widths=tuple(widths),
        # What draws one random number per sample may not see more of them than there are.
        aligned=method == "stack",
        lower=lower,
        least=2 if any(weight.dim() > 1 and 1 in weight.shape for weight in encoder.parameters()) else 1,
    )


def _maker(
    experiment: Experiment,
    data: DeviceData,
    encoder: nn.Module,
    method: str,
    seen: Behaviour,
    *,
    lower: bool,
) -> Callable[[], StackedEncoder]:
    separate, kind = not experiment.data.shared, data.device.type
    if is_frozen(encoder):
        return lambda: frozen(encoder, kind, seen)
    refuse_ties(encoder)
    if method == "vmap":
        samples = _two_samples(data)
        vectorised = vmapped(encoder, samples, seen, separate=separate, lower=lower, device_type=kind)
        return lambda: vectorised
    try:
        layered(encoder, experiment.data.input_shape, separate=separate, lower=lower)
    except NoStack as reason:
        backbone = make_backbone(experiment.backbone, experiment.backbone_options)
        try:
            offered = own(backbone, encoder, kind, seen)
        except NoStack as second:
            raise NoStack(f"{reason}, and {second}") from None
        return lambda: offered
    return lambda: layered(encoder, experiment.data.input_shape, separate=separate, lower=lower)


@torch.no_grad()
def _check_heads(families: Sequence[Family], encoder: nn.Module, samples: torch.Tensor) -> None:
    """Check that heads can be stacked: one of each family stands for all."""
    encoder.eval()
    features = encoder(samples.clone())
    encoder.train()
    for family in families:
        head, whose = family.heads[0], f"the head of task {family.first.name!r}"
        if any(isinstance(module, nn.modules.batchnorm._NormBase) for module in head.modules()):
            raise NoStack(f"{whose} normalises by batch")
        seen = observe(head, features)
        if seen.noisy or seen.state:
            raise NoStack(f"{whose} has dropout or other noise, or a state that training changes")
        if not head.state_dict():
            raise NoStack(f"{whose} has no weights")
        try:
            refuse_ties(head)
        except NoStack as reason:
            raise NoStack(f"{reason} in {whose}") from None


def _two_samples(data: DeviceData) -> torch.Tensor:
    return data.input(data.rows("train")[:2])
