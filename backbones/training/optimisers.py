"""The optimiser that the settings name, for the weights of one group or of a stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch

from backbones.stacked.layer import Values
from engine import UsageError
from engine.training.settings import TrainingSettings

VECTOR = 64
"""A multiple of the numbers that one instruction of a processor takes."""


def make_optimiser(parameters: Iterable[torch.Tensor], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return an optimiser over these parameters."""
    chosen = list(parameters)
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            chosen,
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            fused=True,
        )
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(chosen, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


class StackOptimiser:
    """An optimiser over stacked weights; every number moves as it would alone.

    All weights are parts of one long array, so that a step is one call. Each part is padded to whole
    vectors: the last numbers of an array that are not a whole vector are computed by another kernel,
    which may round otherwise.

    Parameters
    ----------
    values
        Weights with a leading axis of members; those that are trained are replaced by parts of the array.
    trainable
        The names of those that are trained.
    settings
        Optimiser, and the largest norm of a member's gradient.
    """

    def __init__(self, values: Values, trainable: Iterable[str], settings: TrainingSettings) -> None:
        self._values, self._trainable, self._settings = values, tuple(trainable), settings
        self._names: list[str] = []
        self._shapes: list[torch.Size] = []
        self._weights = torch.empty(0)
        self._optimiser: torch.optim.Optimizer | None = None

    def step(self, gradients: Mapping[str, torch.Tensor]) -> None:
        """Move the weights, in place.

        Parameters
        ----------
        gradients
            By name; a weight that has none in the first step is never moved.

        Raises
        ------
        UsageError
            If other weights have a gradient than in the first step.
        """
        names = [name for name in self._trainable if name in gradients]
        if self._optimiser is None:
            self._begin(names)
        if names != self._names:
            raise UsageError(
                "The backbone uses other weights from step to step, so that groups cannot be trained as one "
                "stack. Use the method 'loop'."
            )
        parts = [gradients[name] for name in self._names]
        if self._settings.clip_norm:
            parts = _clipped(parts, self._settings.clip_norm)
        self._weights.grad = _joined(parts)
        if self._optimiser is not None:
            self._optimiser.step()

    def keep(self, members: torch.Tensor) -> None:
        """Leave only some members, with their moments.

        Parameters
        ----------
        members
            Indices of those that stay.
        """
        if self._optimiser is None:
            return
        state, whole = self._optimiser.state[self._weights], self._weights.shape
        for key, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == whole:
                state[key] = _joined([part[members] for part in self._parts(value)])
        self._weights.grad = None
        self._weights.data = _joined([part[members] for part in self._parts(self._weights.data)])
        self._shapes = [torch.Size((len(members), *shape[1:])) for shape in self._shapes]
        self._show()

    def _begin(self, names: list[str]) -> None:
        self._names = names
        self._shapes = [self._values[name].shape for name in names]
        self._weights = _joined([self._values[name] for name in names])
        self._optimiser = make_optimiser([self._weights], self._settings)
        self._show()

    def _show(self) -> None:
        self._values.update(zip(self._names, self._parts(self._weights), strict=True))

    def _parts(self, whole: torch.Tensor) -> list[torch.Tensor]:
        sizes = [shape.numel() + -shape.numel() % VECTOR for shape in self._shapes]
        return [
            part[: shape.numel()].view(shape)
            for part, shape in zip(torch.split(whole, sizes), self._shapes, strict=True)
        ]


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return all numbers in a row, each part followed by zeros up to a multiple of :data:`VECTOR`."""
    pieces = []
    for part in parts:
        pieces.append(part.reshape(-1))
        missing = -part.numel() % VECTOR
        if missing:
            pieces.append(part.new_zeros(missing))
    return torch.cat(pieces)


def _clipped(gradients: Sequence[torch.Tensor], limit: float) -> list[torch.Tensor]:
    """Return gradients scaled down where the norm of a member's whole gradient is above the limit."""
    norms = _row_sums(torch.cat([part.flatten(1) for part in gradients], 1).square()).sqrt()
    # As torch.nn.utils.clip_grad_norm_ does it for one network.
    factor = (limit / (norms + 1e-6)).clamp(max=1.0)
    return [part * factor.view(-1, *[1] * (part.dim() - 1)) for part in gradients]


def _row_sums(rows: torch.Tensor) -> torch.Tensor:
    """Return the sum of every row, in an order that does not depend on how many rows there are.

    The order in which ``Tensor.sum`` adds does: it rounds one row alone otherwise than one of several.
    """
    while rows.shape[1] > 1:
        half = rows.shape[1] // 2
        odd = rows[:, 2 * half :]
        rows = rows[:, :half] + rows[:, half : 2 * half]
        rows[:, : odd.shape[1]] += odd
    return rows[:, 0]
