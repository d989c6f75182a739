"""What a layer of a stack is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

Values = dict[str, torch.Tensor]
"""Weights and buffers by their name in the network of one member, with a leading axis of members."""


class Noise(Protocol):
    """Draws the masks of dropout."""

    def mask(self, layer: int, probability: float, width: int) -> torch.Tensor:
        """Return the mask of a dropout layer, its values 0 or 1/(1 − p).

        Parameters
        ----------
        layer
            Number of the dropout layer in its network.
        probability
            Of dropping.
        width
            Number of features.

        Returns
        -------
        Tensor
            Shape (1 or members, width, samples).
        """


@dataclass(frozen=True)
class Pass:
    """How inputs go through a network.

    Attributes
    ----------
    noise
        The dropout of a training step; None: evaluation.
    lower
        Whether products are computed in bfloat16.
    samples
        Of a batch; those that follow are padding. 0: nothing is known of padding.
    """

    noise: Noise | None = None
    lower: bool = False
    samples: int = 0

    @property
    def training(self) -> bool:
        """Whether a backward pass follows."""
        return self.noise is not None


class Layer(ABC):
    """A layer of many networks; it remembers what its backward pass needs until that has been made."""

    @abstractmethod
    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the outputs, shape (members, features, samples).

        Parameters
        ----------
        values
            Weights and buffers; a layer with running statistics replaces its own.
        inputs
            Shape (1 or members, features, samples).
        how
            Training or evaluation.
        """

    @abstractmethod
    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Store the gradients of the weights, and return that of the inputs if it is wanted.

        Parameters
        ----------
        values
            As in the forward pass.
        gradient
            Of the outputs.
        gradients
            Where those of the weights go.
        further
            Whether a layer before this one needs a gradient.
        """
