"""The network of one group: the encoder and the heads of its tasks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from backbones.backbone import Backbone, make_backbone
from backbones.randomness import key, seed_generators
from engine.experiment import Experiment

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""Type of the weights by precision; mixed precision keeps them in float32."""


class GroupModel(nn.Module):
    """An encoder with one head per task of the group.

    Parameters
    ----------
    encoder
        From (batch, …) to (batch, d).
    heads
        One per member, from (batch, d) to (batch, outputs), in the order of ``members``.
    members
        Task indices.
    """

    def __init__(self, encoder: nn.Module, heads: Sequence[nn.Module], members: Sequence[int]) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleList(heads)
        self.members = tuple(members)

    def forward(self, inputs: torch.Tensor) -> list[torch.Tensor]:
        """Return the outputs of each member, shape (batch, outputs), for inputs that they share."""
        features = self.encoder(inputs)
        return [head(features) for head in self.heads]

    def forward_member(self, inputs: torch.Tensor, position: int) -> torch.Tensor:
        """Return the outputs of one member, by its position in the group."""
        outputs: torch.Tensor = self.heads[position](self.encoder(inputs))
        return outputs


def build_group_model(experiment: Experiment, members: Sequence[int], seed: int) -> GroupModel:
    """Return the untrained network of a group, on the CPU.

    The encoder's initial weights depend on the seed alone and those of a head on seed and task, so
    that all groups of a seed start alike and their gains are paired.

    Parameters
    ----------
    experiment
        Data and backbone.
    members
        Task indices of the group.
    seed
        Of the initial weights.
    """
    backbone = make_backbone(experiment.backbone, experiment.backbone_options)
    with torch.random.fork_rng(devices=[]):
        seed_generators(key(seed, "encoder"))
        encoder, width = backbone.encoder(experiment.data.input_shape, experiment.data.input_dtype)
        heads = [_head(backbone, width, experiment, task, seed) for task in members]
    model = GroupModel(encoder, heads, members)
    return model.to(DTYPES[experiment.settings.precision])


def _head(backbone: Backbone, width: int, experiment: Experiment, task: int, seed: int) -> nn.Module:
    seed_generators(key(seed, "head", experiment.data.tasks[task].name))
    return backbone.head(width, experiment.data.tasks[task])
