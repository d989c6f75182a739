"""ResNet-18."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, image_shape
from engine.errors import unknown_name

SMALLEST = 8
STEMS = ("auto", "small", "large")
LARGE_IMAGE = 64
"""From this height and width on, the stem reduces the image fourfold unless told otherwise."""


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions around which the input is added.

    Parameters
    ----------
    entering, leaving
        Channels.
    stride
        Of the first convolution and of the shortcut.
    """

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(entering, leaving, 3, stride, 1, bias=False),
            nn.BatchNorm2d(leaving),
            nn.ReLU(),
            nn.Conv2d(leaving, leaving, 3, 1, 1, bias=False),
            nn.BatchNorm2d(leaving),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or entering != leaving:
            self.shortcut = nn.Sequential(
                nn.Conv2d(entering, leaving, 1, stride, bias=False), nn.BatchNorm2d(leaving)
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features of the block."""
        return torch.relu(self.body(images) + self.shortcut(images))


@dataclass(frozen=True)
class ResNet18(Backbone):
    """Eight residual blocks in four stages, then the mean over the image.

    Attributes
    ----------
    stem
        ``"large"``: a 7 × 7 convolution of stride 2 and pooling, as for ImageNet; ``"small"``: a 3 × 3
        convolution of stride 1 and no pooling, as for CIFAR; ``"auto"``: small below 64 pixels.
    channels
        Of the first stage; every further stage has twice as many.
    """

    stem: str = "auto"
    channels: int = 64
    info = BackboneInfo(
        summary="ResNet-18",
        inputs="image",
        reference="He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016",
    )

    def __post_init__(self) -> None:
        check_options("resnet18", self, {"channels": 1})
        if self.stem not in STEMS:
            raise unknown_name("stem of backbone 'resnet18':", str(self.stem), STEMS)

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the network for images of 8 × 8 pixels or more."""
        entering, height, width = image_shape("resnet18", shape, dtype, SMALLEST)
        large = self.stem == "large" or (self.stem == "auto" and min(height, width) >= LARGE_IMAGE)
        first = nn.Conv2d(entering, self.channels, 7, 2, 3, bias=False)
        if not large:
            first = nn.Conv2d(entering, self.channels, 3, 1, 1, bias=False)
        modules: list[nn.Module] = [first, nn.BatchNorm2d(self.channels), nn.ReLU()]
        if large:
            modules.append(nn.MaxPool2d(3, 2, 1))
        entering = self.channels
        for stage in range(4):
            leaving = self.channels << stage
            modules += [
                BasicBlock(entering, leaving, 1 if stage == 0 else 2),
                BasicBlock(leaving, leaving, 1),
            ]
            entering = leaving
        modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        network = nn.Sequential(*modules)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        return network, entering
