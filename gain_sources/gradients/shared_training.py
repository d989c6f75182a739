"""One training run of all tasks, which stops at some steps to be measured and then goes on unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import DataError, UsageError
from gain_sources.gradients.parameter_swap import ParameterSwap

if TYPE_CHECKING:
    from torch import Tensor

    from engine.training.experiment import Experiment

EVALUATION_BATCH = 4096


@dataclass(frozen=True, eq=False)
class Step:
    """A step that is about to be taken.

    Attributes
    ----------
    epoch, number
        Which one: the step of the epoch, both from 0.
    inputs
        The samples, shape (batch, …): one tensor that all tasks share, or one per task.
    targets
        N tensors.
    """

    epoch: int
    number: int
    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]

    @property
    def labelled(self) -> Tensor:
        """Shape (N,): tasks with a label in the batch."""
        import torch

        return torch.stack([(~torch.isnan(one)).any() for one in self.targets])


class SharedTraining:
    """The network of all tasks and its training, as :func:`backbones.train_groups` trains that group.

    Parameters
    ----------
    experiment
        Data, backbone, settings.
    seed
        Of initial weights, batches and dropout.
    device
        As in :class:`backbones.TrainerOptions`.

    Attributes
    ----------
    shared
        The parameters that all tasks share, by their names in the encoder.
    plain
        Whether samples go through the network one by one without random noise or a state, and through
        layers that gain from many sets of parameters at once.

    Raises
    ------
    DataError
        If the tasks share no parameter that is trained.
    """

    def __init__(self, experiment: Experiment, seed: int, device: str = "auto") -> None:
        from torch import nn

        from backbones import DeviceData, TrainerOptions, build_group_model, make_optimiser, observe

        self.experiment, self.seed = experiment, seed
        self.data = DeviceData(experiment, TrainerOptions(device=device).torch_device)
        self.tasks = experiment.data.tasks
        model = build_group_model(experiment, range(len(self.tasks)), seed)
        self.model = model.to(self.data.device)
        self.shared = {
            name: value for name, value in self.model.encoder.named_parameters() if value.requires_grad
        }
        if not self.shared:
            raise DataError(
                f"The backbone {experiment.backbone!r} trains no parameter that tasks share, so that no "
                "task can affect another: choose another backbone, or let its encoder be trained."
            )
        self._encoder = ParameterSwap(self.model.encoder)
        self.optimiser = make_optimiser(
            (one for one in self.model.parameters() if one.requires_grad), experiment.settings
        )
        few = self.data.rows("train")[: min(2, experiment.settings.batch_size)]
        seen = observe(self.model, self.data.input(few))
        self._noisy = seen.noisy
        simple = (nn.Linear, nn.LayerNorm, nn.Flatten, nn.ReLU, nn.GELU, nn.Tanh, nn.Sigmoid, nn.Dropout)
        leaves = [one for one in self.model.modules() if not any(True for _ in one.children())]
        self.plain = not (seen.noisy or seen.state) and all(
            isinstance(one, (*simple, nn.ModuleList)) for one in leaves
        )

    def steps(self, every: int) -> Iterator[Step]:
        """Train, and yield every ``every``-th step, the first included, before it is taken.

        Whoever takes the step may run the network but must leave parameters and optimiser as they are;
        buffers are restored.

        Parameters
        ----------
        every
            Steps from one measured step to the next, counted over all epochs.

        Raises
        ------
        UsageError
            If ``every`` is not positive.
        """
        import torch

        from backbones import Batches

        if every < 1:
            raise UsageError(f"every must be 1 or more, not {every}.")
        settings = self.experiment.settings
        batches = Batches(self.experiment, self.seed)
        best, best_epoch, taken = np.inf, 0, 0
        with torch.random.fork_rng(devices=[], enabled=self._noisy):
            for epoch in range(settings.epochs):
                self.model.train()
                for number, rows in enumerate(batches.epoch(epoch)):
                    step = self._step(epoch, number, rows)
                    if taken % every == 0:
                        buffers = [(name, one.clone()) for name, one in self.model.named_buffers()]
                        yield step
                        for name, kept in buffers:
                            self.model.get_buffer(name).copy_(kept)
                    taken += 1
                    self._take(step)
                if not settings.patience:
                    continue
                score = self._validation_score()
                if score < best:
                    best, best_epoch = score, epoch
                if epoch - best_epoch >= settings.patience:
                    return

    def encode(self, step: Step, inputs: Tensor, parameters: dict[str, Tensor] | None = None) -> Tensor:
        """Return the features of these inputs, shape (batch, d), with the noise of this step.

        Parameters
        ----------
        step
            Whose noise is drawn.
        inputs
            Shape (batch, …).
        parameters
            Values of the shared parameters, by default the present ones.
        """
        self.draw_noise(step)
        with self.precision():
            return self._encoder(parameters or {}, inputs)

    def draw_noise(self, step: Step, *purpose: str | int) -> None:
        """Start the noise of a step anew, so that runs of the network that are compared share it."""
        import torch

        from backbones import key

        if self._noisy:
            torch.manual_seed(key(self.seed, "noise", step.epoch, step.number, *purpose))

    def precision(self) -> AbstractContextManager[object]:
        """Return the context of mixed precision, where the settings ask for it."""
        import torch

        mixed = self.experiment.settings.precision == "bfloat16"
        return torch.autocast(self.data.device.type, torch.bfloat16, enabled=mixed)

    def _step(self, epoch: int, number: int, rows: tuple[Tensor, ...]) -> Step:
        count = len(self.tasks)
        moved = [one.to(self.data.device) for one in rows]
        inputs = tuple(self.data.input(one, task) for task, one in enumerate(moved))
        of_task = moved * count if len(moved) == 1 else moved
        targets = tuple(target[one] for target, one in zip(self.data.targets, of_task, strict=True))
        return Step(epoch, number, inputs, targets)

    def _take(self, step: Step) -> None:
        import torch

        from backbones import task_loss

        settings = self.experiment.settings
        self.draw_noise(step)
        self.optimiser.zero_grad()
        with self.precision():
            if len(step.inputs) == 1:
                outputs = self.model(step.inputs[0])
            else:
                outputs = [self.model.forward_member(one, task) for task, one in enumerate(step.inputs)]
            losses = [
                task.weight * task_loss(task, output, target)
                for task, output, target in zip(self.tasks, outputs, step.targets, strict=True)
            ]
            loss = torch.stack(losses).sum() / len(losses)
        loss.backward()  # type: ignore[no-untyped-call]
        if settings.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
        self.optimiser.step()

    def _validation_score(self) -> float:
        import torch

        from backbones import task_loss

        self.model.eval()
        found: list[list[Tensor]] = [[] for _ in self.tasks]
        with torch.no_grad():
            if self.data.data.shared:
                for rows in torch.split(self.data.rows("valid"), EVALUATION_BATCH):
                    for task, output in enumerate(self.model(self.data.input(rows))):
                        found[task].append(output)
            else:
                for task, parts in enumerate(found):
                    for rows in torch.split(self.data.rows("valid", task), EVALUATION_BATCH):
                        parts.append(self.model.forward_member(self.data.input(rows, task), task))
            losses = [
                float(
                    task_loss(
                        one, torch.cat(found[task]), self.data.targets[task][self.data.rows("valid", task)]
                    )
                )
                for task, one in enumerate(self.tasks)
            ]
        return float(np.dot([task.weight for task in self.tasks], losses) / len(losses))
