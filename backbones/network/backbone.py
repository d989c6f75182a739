"""What a backbone is: a shared encoder and a head per task, as ordinary torch modules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from engine import UsageError
from engine.data import Task
from engine.plugins import BACKBONES

StackedFunction = Callable[[Mapping[str, torch.Tensor], torch.Tensor], torch.Tensor]
"""See :meth:`Backbone.stacked`."""


@dataclass(frozen=True)
class BackboneInfo:
    """What a backbone declares about itself.

    Attributes
    ----------
    summary
        One line.
    inputs
        What a sample is: ``"vector"`` (d), ``"image"`` (channels, height, width), ``"series"``
        (time, channels), ``"tokens"`` (length), or ``"any"``.
    reference
        Where the architecture comes from.
    rank
        Order of preference when the engine chooses; lower first.
    """

    summary: str
    inputs: str = "any"
    reference: str = ""
    rank: int = 100


class Backbone(ABC):
    """Base of all backbones: frozen dataclasses whose fields are their options."""

    info: ClassVar[BackboneInfo]

    @abstractmethod
    def encoder(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[nn.Module, int]:
        """Return the network that tasks share, and the width d of its output.

        Parameters
        ----------
        shape
            Shape of one sample.
        dtype
            Type of the inputs: integers other than bytes are tokens, everything else arrives as floats.

        Returns
        -------
        tuple
            A module from (batch, *shape) to (batch, d), and d.
        """

    @classmethod
    def content(cls, options: Mapping[str, Any]) -> Mapping[str, str]:
        """Return what the files hold that options name, as a digest per option; no files, by default.

        An experiment is known by it in the gain store: other weights in the same place are another
        experiment, and the same weights elsewhere are not.

        Parameters
        ----------
        options
            Values of fields, by name, as the user gave them.
        """
        return {}

    def head(self, width: int, task: Task) -> nn.Module:
        """Return the head of a task, a module from (batch, d) to (batch, outputs); a linear map."""
        return nn.Linear(width, task.outputs)

    def stacked(self, encoder: nn.Module) -> StackedFunction | None:
        """Return a function that computes this encoder for many groups at once, or None.

        It is not needed for encoders of linear layers, activations, dropout and normalisation, nor for
        the built-in recurrent one: the trainer stacks those itself. One's own may be faster where the
        trainer would take ``torch.func``, or the groups one by one.

        Parameters
        ----------
        encoder
            The encoder of one group, for its structure.

        Returns
        -------
        callable
            From a mapping of weights and buffers, named as in ``encoder.state_dict()``, each with a leading
            axis of groups, and inputs of shape (1 or groups, samples, ...), to features of shape (groups,
            samples, d). Autograd differentiates it. Encoders with dropout or running statistics are
            never stacked this way.
        """
        return None


def make_backbone(name: str, options: Mapping[str, Any] | None = None) -> Backbone:
    """Return a backbone by name.

    Parameters
    ----------
    name
        A registered name, or ``"module:Class"``.
    options
        Values of its fields.

    Raises
    ------
    UsageError
        If there is no such backbone, or an option is unknown.
    """
    cls = BACKBONES.load(name)
    if not (isinstance(cls, type) and issubclass(cls, Backbone)):
        raise UsageError(f"The backbone {name!r} is not a subclass of backbones.Backbone.")
    try:
        return cls(**(options or {}))
    except TypeError as error:
        raise UsageError(f"Backbone {name!r}: {error}") from None
