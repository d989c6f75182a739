"""Small convolutional network for small images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, image_shape

SMALLEST = 8


@dataclass(frozen=True)
class Cnn(Backbone):
    """One 5 × 5 and two 3 × 3 convolutions with pooling, then a hidden layer.

    Attributes
    ----------
    channels
        Of the first convolution; the others have twice as many.
    hidden
        Width of the hidden layer, the features that the tasks share.
    dropout
        Probability of dropping a feature before and after the hidden layer while training.
    """

    channels: int = 32
    hidden: int = 128
    dropout: float = 0.2
    info = BackboneInfo(
        summary="small convolutional network",
        inputs="image",
        reference="the small network of Sherif et al., STG-MTL (2023)",
    )

    def __post_init__(self) -> None:
        check_options("cnn", self, {"channels": 1, "hidden": 1}, ("dropout",))

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the network for images of 8 × 8 pixels or more."""
        channels, height, width = image_shape("cnn", shape, dtype, SMALLEST)
        wide = 2 * self.channels
        modules: list[nn.Module] = [
            nn.Conv2d(channels, self.channels, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(self.channels, wide, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(wide, wide, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        ]
        if self.dropout:
            modules.append(nn.Dropout(self.dropout))
        modules += [nn.Linear(wide * (height // 4) * (width // 4), self.hidden), nn.ReLU()]
        if self.dropout:
            modules.append(nn.Dropout(self.dropout))
        return nn.Sequential(*modules), self.hidden
