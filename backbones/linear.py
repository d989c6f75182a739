"""Linear backbone: an affine map that all tasks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from backbones.network.backbone import Backbone, BackboneInfo
from backbones.network.inputs import check_options, flat_width


@dataclass(frozen=True)
class Linear(Backbone):
    """One shared affine map, then linear heads: tasks share a subspace of features.

    Attributes
    ----------
    width
        Features that the tasks share.
    """

    width: int = 16
    info = BackboneInfo(summary="one shared affine map", inputs="vector")

    def __post_init__(self) -> None:
        check_options("linear", self, {"width": 1})

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the map; samples of any shape are flattened."""
        return nn.Sequential(
            nn.Flatten(), nn.Linear(flat_width("linear", shape, dtype), self.width)
        ), self.width
