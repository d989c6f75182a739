"""Normalisation of vectors, for many members at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from backbones.stacked.layer import Layer, Pass, Values


class StackedBatchNorm(Layer):
    """Batch normalisation with running statistics per member; padding does not count.

    Parameters
    ----------
    module
        The layer of one member.
    prefix
        Of its names.
    """

    _normal: torch.Tensor
    _scale: torch.Tensor
    _count: int

    def __init__(self, module: nn.BatchNorm1d, prefix: str) -> None:
        self._epsilon, self._momentum = module.eps, module.momentum
        self._affine = module.affine
        self._prefix = prefix

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the normalised inputs, by the batch while training and by running statistics after."""
        if how.training:
            self._count = how.samples or inputs.shape[2]
            mean = inputs[:, :, : self._count].mean(2, keepdim=True)
            centred = inputs - mean
            variance = centred[:, :, : self._count].square().mean(2, keepdim=True)
            self._follow(values, mean.squeeze(2), variance.squeeze(2), self._count)
        else:
            mean = values[f"{self._prefix}running_mean"].unsqueeze(2)
            variance = values[f"{self._prefix}running_var"].unsqueeze(2)
            centred = inputs - mean
        scale = torch.rsqrt(variance + self._epsilon)
        normal = centred * scale
        if how.training:
            self._normal, self._scale = normal, scale
        if not self._affine:
            return normal
        weight, bias = values[f"{self._prefix}weight"], values[f"{self._prefix}bias"]
        return torch.addcmul(bias.unsqueeze(2), normal, weight.unsqueeze(2))

    def _follow(self, values: Values, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        seen = values[f"{self._prefix}num_batches_tracked"] + 1
        values[f"{self._prefix}num_batches_tracked"] = seen
        share = (1 / seen.to(mean.dtype)).unsqueeze(1) if self._momentum is None else self._momentum
        unbiased = variance * (count / (count - 1))
        for name, value in (("running_mean", mean), ("running_var", unbiased)):
            before = values[self._prefix + name]
            values[self._prefix + name] = (1 - share) * before + share * value

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Return the gradient through the batch's mean and variance."""
        normal = self._normal
        along = (gradient * normal).sum(2, keepdim=True)
        total = gradient.sum(2, keepdim=True)
        scale = self._scale
        if self._affine:
            gradients[f"{self._prefix}weight"] = along.squeeze(2)
            gradients[f"{self._prefix}bias"] = total.squeeze(2)
            scale = scale * values[f"{self._prefix}weight"].unsqueeze(2)
        if not further:
            return None
        before = scale * (gradient - total / self._count - normal * (along / self._count))
        before[:, :, self._count :] = 0
        return before


class StackedLayerNorm(Layer):
    """Normalisation of every sample's features.

    Parameters
    ----------
    module
        The layer of one member.
    prefix
        Of its names.
    """

    _normal: torch.Tensor
    _scale: torch.Tensor

    def __init__(self, module: nn.LayerNorm, prefix: str) -> None:
        self._epsilon, self._prefix = module.eps, prefix
        self._affine = module.elementwise_affine
        self._biased = self._affine and module.bias is not None

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the normalised inputs."""
        centred = inputs - inputs.mean(1, keepdim=True)
        scale = torch.rsqrt((centred * centred).mean(1, keepdim=True) + self._epsilon)
        normal = centred * scale
        if how.training:
            self._normal, self._scale = normal, scale
        outputs = normal
        if self._affine:
            outputs = outputs * values[f"{self._prefix}weight"].unsqueeze(2)
        if self._biased:
            outputs = outputs + values[f"{self._prefix}bias"].unsqueeze(2)
        return outputs

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Return the gradient through each sample's mean and variance."""
        normal = self._normal
        if self._affine:
            gradients[f"{self._prefix}weight"] = (gradient * normal).sum(2)
        if self._biased:
            gradients[f"{self._prefix}bias"] = gradient.sum(2)
        if not further:
            return None
        if self._affine:
            gradient = gradient * values[f"{self._prefix}weight"].unsqueeze(2)
        centred = gradient - gradient.mean(1, keepdim=True)
        return self._scale * (centred - normal * (gradient * normal).mean(1, keepdim=True))
