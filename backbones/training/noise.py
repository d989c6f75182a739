"""Dropout of a step: drawn from the seed, epoch and step, so that a group's masks are its own alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from backbones.network.randomness import key, seed_generators


def seed_noise(seed: int, epoch: int, step: int, task: str = "") -> None:
    """Seed torch's global generator for the dropout of a step.

    Parameters
    ----------
    seed, epoch, step
        Of the training.
    task
        Name of the task whose samples follow, where each has its own.
    """
    seed_generators(key(seed, "noise", epoch, step, *((task,) if task else ())))


class StepNoise:
    """The masks of one step, alike for all groups of a stack.

    Parameters
    ----------
    samples
        Of a batch.
    padding
        Samples added to it.
    dtype, device
        Of the masks.
    widths
        Where each task has its own samples: width and probability of every dropout layer.
    """

    def __init__(
        self,
        samples: int,
        padding: int,
        dtype: torch.dtype,
        device: torch.device,
        widths: Sequence[tuple[int, float]] = (),
    ) -> None:
        self._samples, self._padding = samples, padding
        self._dtype, self._device, self._widths = dtype, device, tuple(widths)
        self._masks: list[torch.Tensor] = []
        self._slots: torch.Tensor | None = None

    def begin(self, seed: int, epoch: int, step: int) -> None:
        """Prepare a step on samples that all tasks share."""
        seed_noise(seed, epoch, step)

    def begin_separate(
        self, seed: int, epoch: int, step: int, tasks: Sequence[str], slots: torch.Tensor
    ) -> None:
        """Prepare a step where each task has its own samples.

        Parameters
        ----------
        seed, epoch, step
            Of the training.
        tasks
            Names of the tasks in use.
        slots
            Shape (members, slots): positions in ``tasks``.
        """
        drawn: list[list[torch.Tensor]] = []
        for task in tasks:
            seed_noise(seed, epoch, step, task)
            drawn.append([self._draw(width, probability) for width, probability in self._widths])
        self._masks = [torch.stack(of_layer) for of_layer in zip(*drawn, strict=True)]
        self._slots = slots

    def _draw(self, width: int, probability: float) -> torch.Tensor:
        ones = torch.ones(self._samples, width, dtype=self._dtype, device=self._device)
        mask = functional.dropout(ones, probability)
        return functional.pad(mask, (0, 0, 0, self._padding)) if self._padding else mask

    def mask(self, layer: int, probability: float, width: int) -> torch.Tensor:
        """Return a mask, shape (1 or members, width, samples or slots × samples)."""
        if self._slots is None:
            return self._draw(width, probability).T.unsqueeze(0)
        return self._masks[layer][self._slots].flatten(1, 2).transpose(1, 2)


def dropout_widths(encoder: nn.Module, sample: torch.Tensor) -> list[tuple[int, float]]:
    """Return width and probability of an encoder's dropout layers, in the order of their use."""
    widths: list[tuple[int, float]] = []

    def note(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        widths.append((inputs[0].shape[-1], float(module.p)))  # type: ignore[arg-type]

    layers = [module for module in encoder.modules() if isinstance(module, nn.Dropout)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    was_training = encoder.training
    try:
        with torch.no_grad():
            encoder.eval()(sample)
    finally:
        encoder.train(was_training)
        for hook in hooks:
            hook.remove()
    return widths
