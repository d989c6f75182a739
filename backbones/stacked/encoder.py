"""The encoders of a stack: by hand, through autograd, or one frozen encoder for all members."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from backbones.network.backbone import StackedFunction
from backbones.stacked.layer import Layer, Pass, Values

PREFIX = "encoder."
"""Begins the names of the encoder's weights in the network of a group."""


class StackedEncoder(ABC):
    """The encoders of all members."""

    @abstractmethod
    def forward(
        self, values: Values, inputs: torch.Tensor, slots: torch.Tensor | None, how: Pass
    ) -> torch.Tensor:
        """Return the features, shape (1 or members, d, samples or slots × samples).

        Parameters
        ----------
        values
            Weights and buffers.
        inputs
            Shape (samples, …) where tasks share them, else (tasks, samples, …).
        slots
            Shape (members, slots): the task of every slot where each has its own samples.
        how
            Training or evaluation.
        """

    @abstractmethod
    def backward(self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values) -> None:
        """Store the gradients of the weights for that of the features."""


class LayeredEncoder(StackedEncoder):
    """Layers that are differentiated by hand.

    Parameters
    ----------
    layers
        In order; the first takes vectors, or whole series.
    series
        Whether it takes series.
    """

    def __init__(self, layers: Sequence[Layer], series: bool) -> None:
        self._layers, self._series = tuple(layers), series

    def forward(
        self, values: Values, inputs: torch.Tensor, slots: torch.Tensor | None, how: Pass
    ) -> torch.Tensor:
        """Send the samples through all layers."""
        hidden = _of_members(inputs, slots)
        if not self._series:
            # Laid out like all activations: products with a transposed matrix may round by its alignment.
            hidden = hidden.flatten(2).transpose(1, 2).contiguous()
        for layer in self._layers:
            hidden = layer.forward(values, hidden, how)
        return hidden

    def backward(self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values) -> None:
        """Send the gradient back through all layers."""
        flowing: torch.Tensor | None = gradient
        for index in reversed(range(len(self._layers))):
            if flowing is not None:
                flowing = self._layers[index].backward(values, flowing, gradients, index > 0)


class AutogradEncoder(StackedEncoder):
    """A function of stacked weights, differentiated by autograd.

    Parameters
    ----------
    function
        From weights and samples to features; weights are named as in the encoder.
    module
        The encoder of one member, told whether it is trained or evaluated.
    names
        Of the weights and buffers.
    trainable
        Of those that get a gradient.
    device_type
        For mixed precision.
    """

    _features: torch.Tensor
    _leaves: dict[str, torch.Tensor]

    def __init__(
        self,
        function: StackedFunction,
        module: nn.Module,
        names: Sequence[str],
        trainable: Sequence[str],
        device_type: str,
    ) -> None:
        self._module = module
        self._function, self._names, self._trainable = function, tuple(names), tuple(trainable)
        self._device_type = device_type

    def forward(
        self, values: Values, inputs: torch.Tensor, slots: torch.Tensor | None, how: Pass
    ) -> torch.Tensor:
        """Call the function, and keep its graph while training."""
        self._module.train(how.training)
        weights = {name: values[PREFIX + name].detach() for name in self._names}
        samples = _of_members(inputs, slots)
        if not how.training:
            return self._function(weights, samples).transpose(1, 2)
        for name in self._trainable:
            weights[name] = weights[name].requires_grad_()
        with torch.enable_grad(), torch.autocast(self._device_type, torch.bfloat16, enabled=how.lower):
            self._features = self._function(weights, samples).transpose(1, 2)
        self._leaves = {name: weights[name] for name in self._trainable}
        return self._features.detach()

    def backward(self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values) -> None:
        """Ask autograd; what the features do not depend on gets no gradient, as for a member alone."""
        of_leaves = torch.autograd.grad(
            self._features,
            list(self._leaves.values()),
            gradient.to(self._features.dtype),
            allow_unused=True,
        )
        for name, of_leaf in zip(self._leaves, of_leaves, strict=True):
            if of_leaf is not None:
                gradients[PREFIX + name] = of_leaf
        del self._features


class FrozenEncoder(StackedEncoder):
    """One encoder that no member changes: every sample goes through it once.

    Parameters
    ----------
    module
        On the device, without buffers that training changes, and without dropout.
    device_type
        For mixed precision.
    """

    def __init__(self, module: nn.Module, device_type: str) -> None:
        self._module, self._device_type = module.eval(), device_type

    def forward(
        self, values: Values, inputs: torch.Tensor, slots: torch.Tensor | None, how: Pass
    ) -> torch.Tensor:
        """Encode the samples of each task once."""
        with torch.autocast(self._device_type, torch.bfloat16, enabled=how.lower):
            if slots is None:
                features: torch.Tensor = self._module(inputs).T
                return features.unsqueeze(0)
            of_tasks = self._module(inputs.flatten(0, 1))
        separate: torch.Tensor = of_tasks.view(*inputs.shape[:2], -1)[slots]
        return separate.flatten(1, 2).transpose(1, 2)

    def backward(self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values) -> None:
        """Do nothing: there is nothing to train."""


def _of_members(inputs: torch.Tensor, slots: torch.Tensor | None) -> torch.Tensor:
    """Return the samples of every member, shape (1 or members, samples or slots × samples, …)."""
    return inputs.unsqueeze(0) if slots is None else inputs[slots].flatten(1, 2)
