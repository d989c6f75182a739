"""Xception: separable convolutions with residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, image_shape

SMALLEST = 16
LARGE_IMAGE = 64
"""From this height and width on, the first convolution has stride 2, as in the paper."""


def separable_convolution(entering: int, leaving: int) -> nn.Sequential:
    """Return a 3 × 3 convolution within each channel, a 1 × 1 convolution across them, normalised."""
    return nn.Sequential(
        nn.Conv2d(entering, entering, 3, padding=1, groups=entering, bias=False),
        nn.Conv2d(entering, leaving, 1, bias=False),
        nn.BatchNorm2d(leaving),
    )


class SeparableBlock(nn.Module):
    """Separable convolutions around which the input is added.

    Parameters
    ----------
    channels
        Of the input and after every convolution.
    halve
        Whether the image is halved at the end; then the input is mapped by a 1 × 1 convolution.
    active
        Whether the first convolution comes after a ReLU.
    """

    def __init__(self, channels: list[int], *, halve: bool, active: bool = True) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for index in range(len(channels) - 1):
            if index or active:
                modules.append(nn.ReLU())
            modules.append(separable_convolution(channels[index], channels[index + 1]))
        self.shortcut: nn.Module = nn.Identity()
        if halve:
            modules.append(nn.MaxPool2d(3, 2, 1))
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels[0], channels[-1], 1, 2, bias=False), nn.BatchNorm2d(channels[-1])
            )
        self.body = nn.Sequential(*modules)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features of the block."""
        features: torch.Tensor = self.body(images) + self.shortcut(images)
        return features


@dataclass(frozen=True)
class Xception(Backbone):
    """Entry, middle and exit flow of Xception, then the mean over the image.

    Attributes
    ----------
    channels
        Of the first convolution; all others are in proportion. 32 in the paper.
    middle_blocks
        Blocks of the middle flow. 8 in the paper.
    """

    channels: int = 8
    middle_blocks: int = 2
    info = BackboneInfo(
        summary="Xception: separable convolutions with residuals",
        inputs="image",
        reference="Chollet: Xception: deep learning with depthwise separable convolutions, CVPR 2017",
    )

    def __post_init__(self) -> None:
        check_options("xception", self, {"channels": 1, "middle_blocks": 0})

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the network for images of 16 × 16 pixels or more."""
        entering, height, width = image_shape("xception", shape, dtype, SMALLEST)
        base = self.channels
        # 728 channels of the middle flow to 32 of the first convolution.
        middle = round(22.75 * base)
        modules: list[nn.Module] = [
            nn.Conv2d(entering, base, 3, 2 if min(height, width) >= LARGE_IMAGE else 1, 1, bias=False),
            nn.BatchNorm2d(base),
            nn.ReLU(),
            nn.Conv2d(base, 2 * base, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * base),
            nn.ReLU(),
            SeparableBlock([2 * base, 4 * base, 4 * base], halve=True, active=False),
            SeparableBlock([4 * base, 8 * base, 8 * base], halve=True),
            SeparableBlock([8 * base, middle, middle], halve=True),
        ]
        modules += [SeparableBlock([middle] * 4, halve=False) for _ in range(self.middle_blocks)]
        modules += [
            SeparableBlock([middle, middle, 32 * base], halve=True),
            separable_convolution(32 * base, 48 * base),
            nn.ReLU(),
            separable_convolution(48 * base, 64 * base),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ]
        network = nn.Sequential(*modules)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                # Over what enters: what leaves a convolution within channels is counted over all of them.
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        return network, 64 * base
