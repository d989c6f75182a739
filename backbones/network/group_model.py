"""The network of one group: the encoder and the heads of its tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from backbones.network.backbone import make_backbone
from backbones.network.inputs import ready
from backbones.network.memory import is_out_of_memory
from backbones.network.randomness import key, seed_generators
from engine import Task, UsageError
from engine.errors import EngineError
from engine.training.experiment import Experiment

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
    that all groups of a seed start alike and their gains are paired. The network is tried on two samples.

    Parameters
    ----------
    experiment
        Data and backbone.
    members
        Task indices of the group.
    seed
        Of the initial weights.

    Raises
    ------
    UsageError
        If the backbone cannot be built or run on the samples, or what it gives does not fit the tasks.
    DataError
        If the backbone refuses the samples.
    """
    name, data = experiment.backbone, experiment.data
    tasks = [data.tasks[task] for task in members]
    backbone = make_backbone(name, experiment.backbone_options)
    dtype = DTYPES[experiment.settings.precision]
    rows = data.rows("train", members[0])[:2]
    samples = ready(torch.from_numpy(data.input_of(members[0])[rows]), dtype)
    with torch.random.fork_rng(devices=[]), failure_told(name), torch.no_grad():
        seed_generators(key(seed, "encoder"))
        encoder, width = backbone.encoder(data.input_shape, data.input_dtype)
        # A lazy layer draws its weights when it is first run: before any head.
        features = _tried(name, "encoder", encoder.to(dtype), samples, width)
        heads = [_head(name, backbone.head, task, seed, features.to(dtype)) for task in tasks]
    model = GroupModel(encoder, heads, members).to(dtype).train()
    _check_weights(name, model, tasks)
    return model


@contextmanager
def failure_told(backbone: str) -> Iterator[None]:
    """Turn what a backbone raises while it is built and tried into an error that names it.

    Raises
    ------
    UsageError
        If anything but the engine's own errors, or a lack of memory, is raised in the block.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        told = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]:.200}"
        raise UsageError(
            f"Backbone {backbone!r} cannot be built or run on these samples ({told})."
        ) from error


def _head(
    backbone: str, make: Callable[[int, Task], nn.Module], task: Task, seed: int, features: torch.Tensor
) -> nn.Module:
    seed_generators(key(seed, "head", task.name))
    head = make(features.shape[1], task).to(features.dtype)
    _tried(backbone, f"head of task {task.name!r}", head, features, task.outputs)
    return head


def _tried(backbone: str, part: str, module: nn.Module, inputs: torch.Tensor, width: int) -> torch.Tensor:
    """Return the outputs of an encoder or a head in evaluation mode, after checks that name the backbone."""
    for name, one in module.named_modules():
        if isinstance(one, nn.modules.batchnorm._BatchNorm) and not one.track_running_stats:
            raise UsageError(
                f"Backbone {backbone!r}: layer {name!r} of its {part} normalises by batch without running "
                "statistics, so that what it gives for a sample depends on the others. Keep them."
            )
    given = inputs.clone()
    outputs: torch.Tensor = module.eval()(given)
    _check_shape(backbone, part, outputs, (len(inputs), width))
    if not torch.equal(given, inputs):
        raise UsageError(
            f"Backbone {backbone!r}: its {part} changes its inputs in place, which others need too. Use "
            "operations that make a new tensor, and layers without inplace at the beginning."
        )
    return outputs


def _check_shape(backbone: str, part: str, found: object, wanted: tuple[int, ...]) -> None:
    if not isinstance(found, torch.Tensor) or tuple(found.shape) != wanted:
        given = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise UsageError(
            f"Backbone {backbone!r}: its {part} must give {wanted} for {wanted[0]} samples, not {given}."
        )


def _check_weights(backbone: str, model: GroupModel, tasks: Sequence[Task]) -> None:
    if not any(one.requires_grad for one in model.parameters()):
        raise UsageError(f"Backbone {backbone!r} has no weights that are trained.")
    owner: dict[int, str] = {id(one): "the encoder" for one in model.encoder.parameters()}
    for task, head in zip(tasks, model.heads, strict=True):
        part = f"the head of task {task.name!r}"
        for one in head.parameters():
            if owner.setdefault(id(one), part) != part:
                raise UsageError(
                    f"Backbone {backbone!r}: {owner[id(one)]} and {part} have weights in common. Heads are "
                    "modules of their own, made anew at each call; what tasks share is in the encoder."
                )
