"""What a stack is fed: samples and labels of the tasks of its groups, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from backbones.stacked.families import Family
from backbones.training.batches import Batches, DeviceData
from engine.training.experiment import Experiment

ALIGNMENT = 32
"""Samples are padded to a multiple of this, so that vectorised kernels have no remainder, whose last
digit could differ from that of the same numbers elsewhere in a longer stack."""
EVALUATION_ROWS = 1024
"""Samples that go through a stack at once when it is evaluated."""
BLOCK_BYTES = 32 << 20
"""Inputs that are gathered at once for the steps to come."""


@dataclass(frozen=True)
class Labels:
    """Labels of the tasks of one family.

    Attributes
    ----------
    targets
        Shape (tasks, width, samples), 0 where there is no label.
    weights
        Same shape: the weight of each label in the loss of its task, 0 where there is none.
    """

    targets: torch.Tensor
    weights: torch.Tensor

    def part(self, samples: slice) -> Labels:
        """Return the labels of some samples."""
        return Labels(self.targets[..., samples].contiguous(), self.weights[..., samples].contiguous())


@dataclass(frozen=True)
class Portion:
    """Samples that go through a stack at once.

    Attributes
    ----------
    inputs
        Shape (samples, …), or (tasks, samples, …) where each task has its own.
    labels
        Per family.
    """

    inputs: torch.Tensor
    labels: tuple[Labels, ...]


class Feed:
    """Batches and splits for the tasks of a stack.

    Parameters
    ----------
    experiment
        Data and batch size.
    seed
        Of the order.
    data
        The data on the device.
    families
        Families with slots.
    tasks
        The tasks in use of each family.
    aligned
        Whether batches may be padded.

    Attributes
    ----------
    complete
        Per family, whether no label is missing in training: its weights are the same at every step.
    """

    def __init__(
        self,
        experiment: Experiment,
        seed: int,
        data: DeviceData,
        families: Sequence[Family],
        tasks: Sequence[Sequence[int]],
        *,
        aligned: bool,
    ) -> None:
        self._batches = Batches(experiment, seed)
        self._data, self._families, self._tasks = data, families, tasks
        self.shared = data.data.shared
        self.union = [0] if self.shared else sorted(task for own in tasks for task in own)
        self.batch = self._batches.size
        self.padding = -self.batch % ALIGNMENT if aligned else 0
        self._columns = [self._column(own, width) for own, width in zip(tasks, self._widths, strict=True)]
        self._weights = [
            torch.tensor([data.data.tasks[task].weight for task in own], dtype=data.dtype, device=data.device)
            for own in tasks
        ]
        self.complete = [
            all(not bool(torch.isnan(data.targets[task][data.rows("train", task)]).any()) for task in own)
            for own in tasks
        ]
        self._splits: dict[str, list[tuple[torch.Tensor, tuple[Labels, ...]]]] = {}

    @property
    def _widths(self) -> list[int]:
        return [family.target_width for family in self._families]

    def _column(self, tasks: Sequence[int], width: int) -> torch.Tensor | None:
        """Return the targets of tasks that share rows, shape (rows, tasks, width)."""
        if not self.shared:
            return None
        return torch.stack([self._data.targets[task].view(-1, width) for task in tasks], 1)

    def epoch(self, number: int) -> Iterator[Portion]:
        """Yield the batch of every step of an epoch."""
        orders = torch.stack([self._batches.order(number, task) for task in self.union])
        orders = orders.to(self._data.device)
        shape = self._data.data.input_shape
        bytes_of_step = len(self.union) * self.batch * max(1, torch.Size(shape).numel()) * 8
        block = max(1, BLOCK_BYTES // bytes_of_step)
        for start in range(0, self._batches.steps, block):
            rows = orders[:, start : start + block].transpose(0, 1)
            inputs = self._inputs(rows)
            labels = [
                self._labels(index, rows, self._weights[index].view(1, -1, 1, 1))
                for index in range(len(self._families))
            ]
            for step in range(len(rows)):
                yield Portion(inputs[step], tuple(Labels(*(part[step] for part in pair)) for pair in labels))

    def _inputs(self, rows: torch.Tensor) -> torch.Tensor:
        """Return samples, shape (steps, [tasks,] batch, …), padded by zeros."""
        if self.shared:
            inputs = self._data.input(rows[:, 0])
        else:
            inputs = torch.stack(
                [self._data.input(rows[:, at], task) for at, task in enumerate(self.union)], 1
            )
        if not self.padding:
            return inputs
        axis = 1 if self.shared else 2
        shape = list(inputs.shape)
        shape[axis] = self.padding
        return torch.cat([inputs, inputs.new_zeros(shape)], axis)

    def _labels(
        self, index: int, rows: torch.Tensor, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return targets and weights of a family, shape (steps, tasks, width, batch)."""
        column = self._columns[index]
        if column is not None:
            targets = column[rows[:, 0]].permute(0, 2, 3, 1)
        else:
            width = self._widths[index]
            targets = torch.stack(
                [
                    self._data.targets[task].view(-1, width)[rows[:, self.union.index(task)]]
                    for task in self._tasks[index]
                ],
                1,
            ).transpose(2, 3)
        if self.padding:
            targets = torch.nn.functional.pad(targets, (0, self.padding), value=float("nan"))
        return _known(targets.contiguous(), weights)

    def split(self, name: str) -> Iterator[Portion]:
        """Yield a split in portions; the weights of a task's labels sum to 1 over all of them."""
        if name not in self._splits:
            self._splits[name] = self._prepared(name)
        for rows, labels in self._splits[name]:
            if self.shared:
                inputs = self._data.input(rows[0])
            else:
                inputs = torch.stack([self._data.input(rows[at], task) for at, task in enumerate(self.union)])
            yield Portion(inputs, labels)

    def rows_of(self, name: str, task: int) -> int:
        """Return how many rows of a split a task has; padding comes after them."""
        return len(self._data.data.rows(name, task))

    def _prepared(self, name: str) -> list[tuple[torch.Tensor, tuple[Labels, ...]]]:
        rows = [self._data.rows(name, task) for task in self.union]
        longest = max(map(len, rows))
        longest += -longest % ALIGNMENT
        # The first row stands in; its weight is 0 there.
        filled = torch.stack([torch.cat([own, own[:1].expand(longest - len(own))]) for own in rows])
        used = torch.stack([torch.arange(longest, device=own.device) < len(own) for own in rows])
        every: list[Labels] = []
        for index, tasks in enumerate(self._tasks):
            width = self._widths[index]
            places = [0 if self.shared else self.union.index(task) for task in tasks]
            targets = torch.stack(
                [
                    self._data.targets[task]
                    .view(-1, width)[filled[at]]
                    .T.masked_fill(~used[at], float("nan"))
                    for task, at in zip(tasks, places, strict=True)
                ]
            )
            every.append(Labels(*_known(targets, 1.0)))
        portions = (slice(start, start + EVALUATION_ROWS) for start in range(0, longest, EVALUATION_ROWS))
        return [(filled[:, part], tuple(labels.part(part) for labels in every)) for part in portions]


def _known(targets: torch.Tensor, weights: torch.Tensor | float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return targets without NaN, and the weight of each label: a sample counts 1 / labelled samples."""
    known = ~torch.isnan(targets)
    labelled = known.any(dim=-2, keepdim=True).sum(dim=-1, keepdim=True).clamp(min=1)
    share = known.to(targets.dtype) / (labelled * targets.shape[-2]) * weights
    return torch.nan_to_num(targets), share
