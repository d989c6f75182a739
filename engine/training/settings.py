"""How a group is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import UsageError, unknown_name

OPTIMISERS = ("adam", "adamw", "sgd")
PRECISIONS = ("float32", "float64", "bfloat16")


@dataclass(frozen=True)
class TrainingSettings:
    """How a group is trained.

    Attributes
    ----------
    epochs
        At most this many passes over the training rows.
    patience
        Stop after this many epochs in a row without a lower validation loss of the group; 0: never.
        Either way the weights of the best epoch count.
    batch_size
        Samples per step; a smaller training split is one batch.
    optimiser, learning_rate, momentum, weight_decay
        ``"adam"``, ``"adamw"`` or ``"sgd"``, with its parameters (momentum: sgd only).
    clip_norm
        Largest norm of the gradient of one group; 0: no limit.
    precision
        ``"float32"``, ``"float64"``, or ``"bfloat16"`` for mixed precision.

    Raises
    ------
    UsageError
        If a number is out of range or a name unknown.
    """

    epochs: int = 25
    patience: int = 5
    batch_size: int = 64
    optimiser: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("patience", 0), ("batch_size", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise UsageError(f"{name} must be a whole number of {least} or more, not {value!r}.")
        if not 0 < self.learning_rate < math.inf:
            raise UsageError(f"learning_rate must be above 0 and finite, not {self.learning_rate}.")
        for name in ("momentum", "weight_decay", "clip_norm"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be 0 or more and finite, not {getattr(self, name)}.")
        if self.optimiser not in OPTIMISERS:
            raise unknown_name("optimiser", self.optimiser, OPTIMISERS)
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
