"""Multi-layer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, flat_width


@dataclass(frozen=True)
class Mlp(Backbone):
    """Fully connected layers with ReLU.

    Attributes
    ----------
    hidden
        Width of every hidden layer.
    layers
        Number of hidden layers, all shared by the tasks.
    dropout
        Probability of dropping a hidden unit while training.
    """

    hidden: int = 32
    layers: int = 2
    dropout: float = 0.0
    info = BackboneInfo(summary="fully connected layers with ReLU", inputs="vector", rank=10)

    def __post_init__(self) -> None:
        check_options("mlp", self, {"hidden": 1, "layers": 1}, ("dropout",))

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the hidden layers; samples of any shape are flattened."""
        modules: list[nn.Module] = [nn.Flatten()]
        width = flat_width("mlp", shape, dtype)
        for _ in range(self.layers):
            modules += [nn.Linear(width, self.hidden), nn.ReLU()]
            if self.dropout:
                modules.append(nn.Dropout(self.dropout))
            width = self.hidden
        return nn.Sequential(*modules), width
