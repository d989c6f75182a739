"""Which method trains an experiment, and how many groups go into a stack.

The choice depends on the experiment and the kind of device alone, never on the groups or on a clock:
methods differ in rounding, so a choice by timing would make a resumed collection differ from an
uninterrupted one. What it rests on was measured by ``benchmarks/training.py`` on a CPU:

* small networks of vectors and recurrent ones gain several times from a stack, most at 16 to 32 groups;
  beyond, caches hold them no longer;
* large layers gain nothing: two layers of 256 units on 512 inputs are 1.1 times as fast, two of 512 slower;
* convolutions and attention gain nothing on a CPU either, so ``torch.func`` is used there only for
  vectors, and for encoders made of linear layers, activations, normalisation and dropout.

On a GPU, where small networks leave most of the device idle, whatever can be stacked is stacked.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from backbones.network.group_model import GroupModel, build_group_model
from backbones.stacked.convert import NoStack, is_frozen
from backbones.stacked.vector_layers import ELEMENTWISE
from backbones.training.batches import DeviceData
from backbones.training.preparation import Preparation, prepare
from backbones.training.trainer_options import TrainerOptions
from engine import UsageError
from engine.training.experiment import Experiment

LARGEST_ON_CPU = 250_000
"""Weights of an encoder above which a CPU trains groups one by one."""
STACK_WEIGHTS = 1_300_000
"""Weights of a stack that a CPU's caches hold along with gradients and moments."""
MOST_ON_CPU, LEAST_ON_CPU = 32, 4
"""Largest and smallest stack on a CPU."""
MOST_ON_GPU = 512
"""Largest stack on a GPU."""
LOOP_CHUNK = 8
"""Groups that are handed to the plain loop at once."""
SMALL_ON_CPU = 1_000_000
"""Weights of a network below which a second thread costs more than it helps."""

_LIGHT = (nn.Linear, nn.Flatten, nn.Identity, nn.ReLU, nn.Dropout, nn.LayerNorm, *ELEMENTWISE)
"""What an encoder that a CPU vectorises by ``torch.func`` is made of."""


@dataclass(frozen=True)
class MethodChoice:
    """How an experiment is trained.

    Attributes
    ----------
    method
        ``"loop"``, ``"stack"`` or ``"vmap"``.
    stack_size
        Most groups in a stack.
    threads
        For torch on a CPU; 0: as many as torch has.
    """

    method: str
    stack_size: int
    threads: int = 0


def choose(
    experiment: Experiment, options: TrainerOptions, data: DeviceData, seed: int
) -> tuple[MethodChoice, Preparation | None]:
    """Return how to train, and what stacks need.

    Parameters
    ----------
    experiment, data, seed
        What is trained.
    options
        What the user wants.

    Raises
    ------
    UsageError
        If the method that the user wants cannot train this network; the layer is named.
    """
    on_cpu = data.device.type == "cpu"
    model = build_group_model(experiment, [0], seed)
    weights = sum(weight.numel() for weight in model.encoder.parameters())
    convolves = any(isinstance(module, nn.modules.conv._ConvNd) for module in model.modules())
    threads = 1 if on_cpu and not convolves and weights < SMALL_ON_CPU else 0
    if options.method == "loop":
        return MethodChoice("loop", 1, threads), None
    if options.method != "auto":
        try:
            preparation = prepare(experiment, seed, data, options.method)
        except NoStack as reason:
            raise UsageError(
                f"The method {options.method!r} cannot train the backbone {experiment.backbone!r}: {reason}. "
                "Use the method 'loop', or 'auto'."
            ) from None
        return MethodChoice(options.method, _stack_size(model, options, on_cpu), threads), preparation
    for method in _candidates(experiment, model.encoder, weights, on_cpu):
        try:
            preparation = prepare(experiment, seed, data, method)
        except NoStack:
            continue
        return MethodChoice(method, _stack_size(model, options, on_cpu), threads), preparation
    return MethodChoice("loop", 1, threads), None


def _candidates(experiment: Experiment, encoder: nn.Module, weights: int, on_cpu: bool) -> tuple[str, ...]:
    if not on_cpu:
        return ("stack", "vmap")
    if is_frozen(encoder):
        return ("stack",)
    if weights > LARGEST_ON_CPU:
        return ()
    leaves = [module for module in encoder.modules() if not any(True for _ in module.children())]
    vectors = len(experiment.data.input_shape) == 1 and experiment.data.input_dtype.kind == "f"
    light = vectors and all(isinstance(module, _LIGHT) for module in leaves)
    return ("stack", "vmap") if light else ("stack",)


def _stack_size(model: GroupModel, options: TrainerOptions, on_cpu: bool) -> int:
    if options.stack_size:
        return options.stack_size
    if not on_cpu:
        return MOST_ON_GPU
    weights = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    return min(MOST_ON_CPU, max(LEAST_ON_CPU, STACK_WEIGHTS // max(1, weights)))
