"""Backbones that the built-in ones do not cover."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from backbones import Backbone, BackboneInfo


@dataclass(frozen=True)
class Normed(Backbone):
    """Every layer of vectors that is stacked by hand."""

    batch: bool = True
    momentum: float | None = 0.1
    info = BackboneInfo(summary="normalised")

    def encoder(self, shape, dtype):
        width = math.prod(shape)
        layers = [
            nn.Flatten(),
            nn.Linear(width, 8, bias=False),
            nn.BatchNorm1d(8, momentum=self.momentum) if self.batch else nn.Identity(),
            nn.GELU(),
            nn.Sequential(nn.Linear(8, 6), nn.LayerNorm(6), nn.LeakyReLU(inplace=True)),
            nn.Tanh(),
            nn.BatchNorm1d(6, affine=False) if self.batch else nn.LayerNorm(6, elementwise_affine=False),
        ]
        return nn.Sequential(*layers), 6


class _Residual(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.first = nn.Linear(width, 8)
        self.second = nn.Linear(8, 8)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs):
        hidden = torch.relu(self.first(inputs.flatten(1)))
        return hidden + self.dropout(torch.tanh(self.second(hidden)))


@dataclass(frozen=True)
class Residual(Backbone):
    """A layer of its own, for torch.func; heads with a hidden layer."""

    dropout: float = 0.0
    deep_heads: bool = True
    info = BackboneInfo(summary="residual")

    def encoder(self, shape, dtype):
        return _Residual(math.prod(shape), self.dropout), 8

    def head(self, width, task):
        if not self.deep_heads:
            return super().head(width, task)
        return nn.Sequential(nn.Linear(width, 3), nn.Tanh(), nn.Linear(3, task.outputs))


@dataclass(frozen=True)
class StackedByItself(Residual):
    """The same with a stacked encoder of its own."""

    def stacked(self, encoder):
        def function(weights, inputs):
            flat = inputs.flatten(2)
            hidden = torch.relu(flat @ weights["first.weight"].mT + weights["first.bias"].unsqueeze(1))
            return hidden + torch.tanh(
                hidden @ weights["second.weight"].mT + weights["second.bias"].unsqueeze(1)
            )

        return function


@dataclass(frozen=True)
class Frozen(Residual):
    """An encoder that is not trained."""

    partly: bool = False

    def encoder(self, shape, dtype):
        module, width = super().encoder(shape, dtype)
        (module.first if self.partly else module).requires_grad_(False)
        return module, width


@dataclass(frozen=True)
class NoisyHeads(Residual):
    """Heads with dropout."""

    def head(self, width, task):
        return nn.Sequential(nn.Dropout(0.2), nn.Linear(width, task.outputs))


@dataclass(frozen=True)
class Lazy(Backbone):
    """A layer whose width is known only when it is run."""

    info = BackboneInfo(summary="lazy")

    def encoder(self, shape, dtype):
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(6)), 6
