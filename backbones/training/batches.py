"""Data on the device, and the batches of a seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from numpy.typing import NDArray

from backbones.network.group_model import DTYPES
from backbones.network.inputs import ready
from backbones.network.randomness import generator
from engine.training.experiment import Experiment


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
        self.inputs = tuple(_tensor(inputs).to(self.device) for inputs in data.inputs)
        self.targets = tuple(
            torch.as_tensor(targets, dtype=self.dtype, device=self.device) for targets in data.targets
        )

    def input(self, rows: torch.Tensor, task: int = 0) -> torch.Tensor:
        """Return the samples of some rows, ready for the encoder."""
        return ready((self.inputs[0] if self.data.shared else self.inputs[task])[rows], self.dtype)

    def rows(self, split: str, task: int = 0) -> torch.Tensor:
        """Return the rows of a split on the device."""
        return torch.from_numpy(self.data.rows(split, task)).to(self.device)


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    """Return a tensor that shares the memory of an array; views, as of windows over a series, stay views."""
    if any(stride < 0 for stride in array.strides):
        array = array.copy()
    with warnings.catch_warnings():
        # Nothing here writes to the inputs.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


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
        self._names = ("",) if data.shared else data.task_names
        self._rows = [torch.from_numpy(data.rows("train", task)) for task in range(len(data.inputs))]
        self._seed = seed
        self.size = min(experiment.settings.batch_size, *(len(rows) for rows in self._rows), 1 << 60)
        mean = sum(map(len, self._rows)) / len(self._rows)
        self.steps = max(1, math.floor(mean / self.size))

    def epoch(self, number: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield the rows of every step: one tensor of shape (batch,), or one per task."""
        orders = [self.order(number, task) for task in range(len(self._rows))]
        for step in range(self.steps):
            yield tuple(order[step] for order in orders)

    def order(self, epoch: int, task: int = 0) -> torch.Tensor:
        """Return the rows of all steps of an epoch, shape (steps, batch).

        Parameters
        ----------
        epoch
            From 0.
        task
            Whose rows, where each task has its own.
        """
        rows = self._rows[task]
        source = generator(self._seed, "order", epoch, self._names[task])
        needed = self.steps * self.size
        rounds = math.ceil(needed / len(rows))
        drawn = [torch.randperm(len(rows), generator=source) for _ in range(rounds)]
        return rows[torch.cat(drawn)[:needed]].view(self.steps, self.size)
