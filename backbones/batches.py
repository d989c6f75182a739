"""Data on the device, and the batches of a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from backbones.group_model import DTYPES
from backbones.randomness import generator
from engine.experiment import Experiment


class DeviceData:
    """Inputs and targets as tensors on the device where training runs.

    Parameters
    ----------
    experiment
        Data and precision.
    device
        Where the tensors go.

    Attributes
    ----------
    inputs
        One tensor, or one per task.
    targets
        One tensor per task, NaN where there is no label.
    """

    def __init__(self, experiment: Experiment, device: torch.device | str = "cpu") -> None:
        data = experiment.data
        self.data = data
        self.dtype = DTYPES[experiment.settings.precision]
        self.device = torch.device(device)
        self.inputs = tuple(torch.from_numpy(one).to(self.device) for one in map(_writeable, data.inputs))
        self.targets = tuple(
            torch.as_tensor(one, dtype=self.dtype, device=self.device) for one in data.targets
        )

    def input(self, rows: torch.Tensor, task: int = 0) -> torch.Tensor:
        """Return the samples of some rows, ready for the encoder."""
        values = (self.inputs[0] if self.data.shared else self.inputs[task])[rows]
        if values.dtype == torch.uint8:
            return values.to(self.dtype) / 255
        return values.to(self.dtype) if values.dtype.is_floating_point else values.long()

    def rows(self, split: str, task: int = 0) -> torch.Tensor:
        """Return the rows of a split on the device."""
        return torch.from_numpy(self.data.rows(split, task)).to(self.device)


def _writeable(array):  # type: ignore[no-untyped-def]
    import numpy as np

    return array if array.flags.writeable else np.array(array)


class Batches:
    """The batches of one seed: the same for every group, so that groups are paired.

    An epoch has as many full batches as fit into the training rows, on average over the tasks where
    each has rows of its own; a task with fewer rows starts over within the epoch.

    Parameters
    ----------
    experiment
        Training rows and batch size.
    seed
        Of the order.
    """

    def __init__(self, experiment: Experiment, seed: int) -> None:
        data = experiment.data
        self._rows = [torch.from_numpy(data.rows("train", task)) for task in range(len(data.inputs))]
        self._seed = seed
        self.size = min(experiment.settings.batch_size, *(len(rows) for rows in self._rows), 1 << 60)
        mean = sum(map(len, self._rows)) / len(self._rows)
        self.steps = max(1, math.floor(mean / self.size))

    def epoch(self, number: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield the rows of every step: one tensor of shape (batch,), or one per task."""
        orders = [self._order(rows, number, index) for index, rows in enumerate(self._rows)]
        for step in range(self.steps):
            yield tuple(order[step * self.size : (step + 1) * self.size] for order in orders)

    def _order(self, rows: torch.Tensor, epoch: int, index: int) -> torch.Tensor:
        source = generator(self._seed, "order", epoch, index)
        needed = self.steps * self.size
        rounds = math.ceil(needed / len(rows))
        drawn = [torch.randperm(len(rows), generator=source) for _ in range(rounds)]
        return rows[torch.cat(drawn)[:needed]]
