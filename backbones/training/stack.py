"""Training groups of one seed as one stack: shared batches, weights with a leading axis of members."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from backbones.stacked.layer import Pass
from backbones.training.feed import Feed
from backbones.training.group_results import SPLITS, Course, GroupResult
from backbones.training.noise import StepNoise
from backbones.training.optimisers import StackOptimiser
from backbones.training.preparation import Preparation
from backbones.training.split_metric import split_metric
from backbones.training.stacked_network import StackedNetwork


@dataclass
class StepCount:
    """How much training a stack took.

    Attributes
    ----------
    taken
        Steps times members that took part in them.
    uncompacted
        The same if all members had stayed to the end.
    """

    taken: int = 0
    uncompacted: int = 0


class StackTraining:
    """Training of groups that fill equally many slots.

    Parameters
    ----------
    preparation
        Experiment, seed, data and how to stack.
    counts
        Slots per family.
    groups
        Task indices of each member.
    compact
        Whether members that are done leave; results are the same, bit for bit.
    """

    def __init__(
        self,
        preparation: Preparation,
        counts: Sequence[int],
        groups: Sequence[Sequence[int]],
        *,
        compact: bool = True,
    ) -> None:
        experiment, data = preparation.experiment, preparation.data
        self._preparation, self._compact = preparation, compact
        self._groups = [sorted(group) for group in groups]
        self._wanted = len(groups)
        if len(groups) < preparation.least:
            self._groups *= preparation.least
        separate = not experiment.data.shared
        self._network = StackedNetwork(
            preparation.model,
            preparation.make_encoder,
            preparation.families,
            counts,
            self._groups,
            separate=separate,
        )
        self._feed = Feed(
            experiment,
            preparation.seed,
            data,
            self._network.families,
            self._network.tasks,
            aligned=preparation.aligned,
        )
        self._optimiser = StackOptimiser(self._network.values, self._network.trainable, experiment.settings)
        self._kept = {name: value.clone() for name, value in self._network.values.items()}
        self._alive = np.arange(len(self._groups))
        tasks = experiment.data.tasks
        self._courses = [
            Course(np.array([tasks[task].weight for task in group]), experiment.settings.patience)
            for group in self._groups
        ]
        self._noise = StepNoise(
            self._feed.batch, self._feed.padding, data.dtype, data.device, preparation.dropout_widths
        )
        self._valid = list(self._feed.split("valid"))
        self.count = StepCount()

    @torch.no_grad()
    def run(self) -> list[GroupResult]:
        """Train, and return the results of the groups in their order."""
        for epoch in range(self._preparation.experiment.settings.epochs):
            begin = time.perf_counter()
            taking_part = self._alive
            self._train(epoch)
            self._judge()
            share = (time.perf_counter() - begin) / len(taking_part)
            for member in taking_part:
                self._courses[member].seconds += share
            if all(course.done for course in self._courses):
                break
        return self._results()

    def _train(self, epoch: int) -> None:
        network, seed = self._network, self._preparation.seed
        how = Pass(self._noise, self._preparation.lower, self._feed.batch)
        for step, portion in enumerate(self._feed.epoch(epoch)):
            if self._preparation.noisy:
                if network.slots is None:
                    self._noise.begin(seed, epoch, step)
                else:
                    names = self._preparation.experiment.tasks
                    used = [names[task] for task in self._feed.union]
                    self._noise.begin_separate(seed, epoch, step, used, network.slots)
            self._optimiser.step(network.gradients(network.values, portion, how, self._feed.complete))
            self.count.taken += len(self._alive)
            self.count.uncompacted += len(self._groups)

    def _judge(self) -> None:
        """Take the validation losses, keep better weights, and let members go that are done."""
        losses = self._by_member(self._network.losses(self._network.values, self._valid), self._alive)
        running = [row for row, member in enumerate(self._alive) if not self._courses[member].done]
        better = [row for row in running if self._courses[self._alive[row]].add(losses[row])]
        if better:
            rows = torch.tensor(better, device=self._network.device)
            members = torch.tensor(self._alive[better], device=self._network.device)
            for name, value in self._network.values.items():
                self._kept[name][members] = value[rows]
        staying = [row for row in running if not self._courses[self._alive[row]].done]
        if self._compact and staying:
            gone = [row for row in range(len(self._alive)) if row not in staying]
            company = gone[: max(0, self._preparation.least - len(staying))]
            if len(staying) + len(company) < len(self._alive):
                self._leave_only(sorted(staying + company))

    def _leave_only(self, rows: list[int]) -> None:
        index = torch.tensor(rows, device=self._network.device)
        values = self._network.values
        for name in values:
            values[name] = values[name][index]
        self._optimiser.keep(index)
        self._network.keep(index)
        self._alive = self._alive[rows]

    def _by_member(self, slots: list[torch.Tensor], members: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        """Return values of slots, in the order of each member's tasks."""
        found = [one.double().cpu().numpy() for one in slots]
        rows: list[NDArray[np.float64]] = []
        for row, member in enumerate(members):
            group = self._groups[member]
            values = np.empty(len(group))
            for of, tasks in zip(found, self._network.tasks, strict=True):
                own = [position for position, task in enumerate(group) if task in tasks]
                values[own] = of[row, : len(own)]
            rows.append(values)
        return rows

    def _results(self) -> list[GroupResult]:
        """Judge the best weights of every group on all splits."""
        begin = time.perf_counter()
        everyone = np.arange(len(self._groups))
        whole = StackedNetwork(
            self._preparation.model,
            self._preparation.make_encoder,
            self._preparation.families,
            self._preparation.counts_of(self._groups[0]),
            self._groups,
            separate=not self._preparation.experiment.data.shared,
        )
        losses, metrics = {}, {}
        for split in SPLITS:
            portions = list(self._feed.split(split))
            losses[split] = self._by_member(whole.losses(self._kept, portions), everyone)
            outputs = [whole.outputs(self._kept, portion, Pass()) for portion in portions]
            metrics[split] = self._metrics(
                whole, [torch.cat(of, -1) for of in zip(*outputs, strict=True)], split
            )
        share = (time.perf_counter() - begin) / len(everyone)
        found = []
        for member, (group, course) in enumerate(zip(self._groups, self._courses, strict=True)):
            course.seconds += share
            found.append(
                course.result(
                    group,
                    {split: losses[split][member] for split in SPLITS},
                    {split: metrics[split][member] for split in SPLITS},
                )
            )
        return found[: self._wanted]

    def _metrics(
        self, network: StackedNetwork, outputs: list[torch.Tensor], split: str
    ) -> list[NDArray[np.float64]]:
        """Return the metrics of every member, in the order of its tasks."""
        data = self._preparation.data
        found = [np.full(len(group), np.nan) for group in self._groups]
        for index, tasks in enumerate(network.tasks):
            for task in tasks:
                slots = network.slot(index, task)
                rows = torch.nonzero(slots >= 0).squeeze(1)
                of = outputs[index][rows, slots[rows], :, : self._feed.rows_of(split, task)]
                values = split_metric(data, task, of.transpose(1, 2).double().cpu().numpy(), split)
                for row, value in zip(rows.tolist(), values, strict=True):
                    found[row][self._groups[row].index(task)] = value
        return found
