"""Backbones of users that do what the built-in ones do not, some of them wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from backbones import Backbone, BackboneInfo

SHARED_HEAD = nn.Linear(6, 1)


class _Encoder(nn.Module):
    def __init__(self, width, kind):
        super().__init__()
        self.first, self.second, self.kind = nn.Linear(width, 6), nn.Linear(6, 6), kind
        self.register_buffer("mean", torch.zeros(6))
        if kind == "tied":
            self.third = nn.Linear(6, 6)
            self.third.weight = self.second.weight

    def forward(self, inputs):
        inputs = inputs.flatten(1)
        if self.kind == "in place":
            inputs *= 0.5
        hidden = torch.tanh(self.first(inputs))
        if self.kind == "function of dropout":
            hidden = functional.dropout(hidden, 0.5, self.training)
        if self.kind == "layer dropped" and self.training and torch.rand(()) < 0.5:
            return hidden
        if self.kind == "state" and self.training:
            self.mean = 0.5 * self.mean + 0.5 * hidden.detach().mean(0)  # type: ignore[has-type]
        if self.kind == "tied":
            return self.third(torch.tanh(self.second(hidden)))
        return self.second(hidden - self.mean)


def _doubled(module, inputs, output):
    return 2 * output


@dataclass(frozen=True)
class Odd(Backbone):
    """An encoder and heads of some kind."""

    kind: str = ""
    info = BackboneInfo(summary="odd")

    def encoder(self, shape, dtype):
        width = math.prod(shape)
        layers = [nn.Flatten(), nn.Linear(width, 6), nn.Tanh(), nn.Linear(6, 6)]
        if self.kind == "tied layers":
            layers += [nn.Tanh(), nn.Linear(6, 6)]
            layers[-1].weight = layers[3].weight
        if self.kind == "no weights":
            return nn.Flatten(), width
        if self.kind == "random slopes":
            layers += [nn.RReLU()]
        if self.kind == "statistics of the batch":
            layers += [nn.BatchNorm1d(6, track_running_stats=False)]
        if self.kind == "three axes":
            layers += [nn.Unflatten(1, (2, 3))]
        if self.kind in ("hook", "narrow", "nothing to train", *_OF_LAYERS):
            made = nn.Sequential(*layers)
            if self.kind == "hook":
                made.register_forward_hook(_doubled)
            if self.kind == "nothing to train":
                made = nn.Sequential(nn.Flatten(), nn.Linear(width, 1)).requires_grad_(False)
                return made, 1
            return made, 5 if self.kind == "narrow" else 6
        if self.kind == "fails":
            raise ZeroDivisionError("no such number")
        return _Encoder(width, self.kind), 6

    def head(self, width, task):
        if self.kind == "wide head":
            return nn.Linear(width, task.outputs + 1)
        if self.kind == "flat head":
            return nn.Sequential(nn.Linear(width, 1), nn.Flatten(0))
        if self.kind == "head in place":
            return nn.Sequential(nn.ReLU(inplace=True), nn.Linear(width, task.outputs))
        if self.kind == "one head for all":
            return SHARED_HEAD
        if self.kind == "head without weights":
            return nn.AdaptiveAvgPool1d(task.outputs)
        return nn.Identity() if self.kind == "nothing to train" else super().head(width, task)


_OF_LAYERS = ("tied layers", "random slopes", "statistics of the batch", "three axes")
