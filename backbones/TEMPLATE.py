"""A complete backbone to copy: one hidden layer.

Copy this file into a package of your own, rename the class, and use it by path::

    engine collect --instance digits10 --backbone my_package.my_backbone:MyBackbone

An entry point gives it a name instead::

    [project.entry-points."taskgrouping.backbones"]
    my-backbone = "my_package.my_backbone:MyBackbone"

The conformance suite of :mod:`backbones.testing` tests it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import nn

from backbones import Backbone, BackboneInfo
from engine import DataError


@dataclass(frozen=True)
class OneLayer(Backbone):
    """One hidden layer that all tasks share.

    Attributes
    ----------
    hidden
        Its width. The fields of the class are the options of the backbone.
    dropout
        Probability of dropping a unit while training.
    """

    hidden: int = 16
    dropout: float = 0.0

    info: ClassVar[BackboneInfo] = BackboneInfo(summary="one hidden layer", inputs="vector")

    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the layer and its width."""
        # Refuse what does not fit here, by name: later it would be an error from inside torch.
        if len(shape) != 1 or dtype.kind != "f":
            raise DataError(
                f"Backbone 'one-layer' takes floats of shape (width,), not {dtype} of shape {shape}."
            )
        # An ordinary module, made anew at each call. Draw initial weights from torch's global generator
        # only: it is seeded before the call, alike for all groups of a seed, so that they are paired.
        # Dropout is better a module than a function, since groups can be stacked then.
        modules: list[nn.Module] = [nn.Linear(math.prod(shape), self.hidden), nn.Tanh()]
        if self.dropout:
            modules.append(nn.Dropout(self.dropout))
        return nn.Sequential(*modules), self.hidden

    # head(width, task) may be overridden; a task has a linear map of the shared features otherwise.
