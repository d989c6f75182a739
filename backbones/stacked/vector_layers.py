"""Layers of vectors, for many members at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from backbones.stacked.layer import Layer, Pass, Values

ELEMENTWISE = (
    nn.Tanh,
    nn.Sigmoid,
    nn.GELU,
    nn.SiLU,
    nn.ELU,
    nn.SELU,
    nn.CELU,
    nn.LeakyReLU,
    nn.ReLU6,
    nn.Softplus,
    nn.Softsign,
    nn.Mish,
    nn.Hardtanh,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.LogSigmoid,
)
"""Activations without weights, applied to each number alone."""


class StackedLinear(Layer):
    """A linear map per member.

    Parameters
    ----------
    weight, bias
        Names of its values, shapes (members, outputs, inputs) and (members, outputs); no bias: empty.
    """

    def __init__(self, weight: str, bias: str) -> None:
        self._weight, self._bias = weight, bias
        self._inputs: torch.Tensor | None = None
        self._lower = False

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return W x + b."""
        weight = values[self._weight]
        every = inputs.expand(len(weight), -1, -1)
        if how.lower:
            weight, every = weight.bfloat16(), every.bfloat16()
        if how.training:
            self._inputs, self._lower = every, how.lower
        if not self._bias:
            return torch.bmm(weight, every)
        return torch.baddbmm(values[self._bias].unsqueeze(2).to(weight.dtype), weight, every)

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Store ∂W = δ xᵀ and ∂b = Σ δ, and return Wᵀ δ."""
        weight = values[self._weight]
        if self._inputs is None:
            raise RuntimeError("A backward pass needs a forward pass in training.")
        kind = weight.dtype
        if self._lower:
            gradient, weight = gradient.bfloat16(), weight.bfloat16()
        gradients[self._weight] = torch.bmm(gradient, self._inputs.transpose(1, 2)).to(kind)
        if self._bias:
            gradients[self._bias] = gradient.sum(2).to(kind)
        self._inputs = None
        return torch.bmm(weight.transpose(1, 2), gradient) if further else None


class StackedRelu(Layer):
    """max(0, x)."""

    _outputs: torch.Tensor

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the positive part."""
        outputs = torch.relu(inputs)
        if how.training:
            self._outputs = outputs
        return outputs

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Return the gradient where the outputs are positive."""
        if not further:
            return None
        found: torch.Tensor = torch.ops.aten.threshold_backward(gradient, self._outputs, 0)
        return found


class StackedElementwise(Layer):
    """Any activation without weights that acts on each number alone.

    Parameters
    ----------
    module
        The activation.
    """

    _inputs: torch.Tensor
    _outputs: torch.Tensor

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the activations."""
        # An activation may be told to work in place.
        in_place = bool(getattr(self._module, "inplace", False))
        if not how.training:
            outputs: torch.Tensor = self._module(inputs.clone() if in_place else inputs)
            return outputs
        with torch.enable_grad():
            self._inputs = inputs.detach().requires_grad_()
            self._outputs = self._module(self._inputs.clone() if in_place else self._inputs)
        return self._outputs.detach()

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Return the gradient of the inputs."""
        if not further:
            return None
        return torch.autograd.grad(self._outputs, self._inputs, gradient.to(self._outputs.dtype))[0]


class StackedDropout(Layer):
    """Dropout with one mask for all members of a step, so that groups are paired.

    Parameters
    ----------
    probability
        Of dropping.
    number
        Of this layer among the dropout layers of the network.
    """

    _mask: torch.Tensor

    def __init__(self, probability: float, number: int) -> None:
        self._probability, self._number = probability, number

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the inputs, some of them dropped while training."""
        if how.noise is None:
            return inputs
        self._mask = how.noise.mask(self._number, self._probability, inputs.shape[1]).to(inputs.dtype)
        return inputs * self._mask

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Return the gradient of what was not dropped."""
        return gradient * self._mask if further else None
