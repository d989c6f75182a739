"""What a network does while training besides mapping samples: noise, and a state that it changes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from engine import UsageError


@dataclass(frozen=True)
class Behaviour:
    """What was seen of a network in training mode.

    Attributes
    ----------
    noisy
        Whether it draws random numbers from torch.
    noisy_beyond_dropout
        Whether it does so elsewhere than in layers of dropout.
    state
        Name of a buffer that it changes; empty: none.
    """

    noisy: bool
    noisy_beyond_dropout: bool
    state: str


@torch.no_grad()
def observe(module: nn.Module, inputs: torch.Tensor) -> Behaviour:
    """Run a network in training mode, and put everything back.

    Parameters
    ----------
    module
        An encoder, a head, or the network of a group.
    inputs
        A few samples, no more than there are in a batch.

    Raises
    ------
    UsageError
        If it normalises by batch and there is one sample only.
    """
    modes = [(part, part.training) for part in module.modules()]
    buffers = {name: (buffer, buffer.clone()) for name, buffer in module.named_buffers()}
    with torch.random.fork_rng(devices=[inputs.device] if inputs.device.type == "cuda" else []):
        noisy = _draws(module.train(), inputs)
        changed = (
            name for name, buffer in module.named_buffers() if not torch.equal(buffer, buffers[name][1])
        )
        state = next(changed, "")
        for part in module.modules():
            if isinstance(part, nn.modules.dropout._DropoutNd):
                part.eval()
        beyond = noisy and _draws(module, inputs)
    for name, (buffer, content) in buffers.items():
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, buffer.copy_(content))
    for part, mode in modes:
        part.training = mode
    return Behaviour(noisy, beyond, state)


def _draws(module: nn.Module, inputs: torch.Tensor) -> bool:
    """Run a network, and return whether torch's generator has moved."""
    before = _generator_state(inputs.device)
    try:
        module(inputs)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise UsageError(
            "The backbone normalises by batch, and a batch is one sample: raise batch_size, or choose "
            "another backbone."
        ) from None
    return not torch.equal(before, _generator_state(inputs.device))


def _generator_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.random.get_rng_state()
