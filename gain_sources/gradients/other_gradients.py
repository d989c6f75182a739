"""Gradients of single samples for parameters of any layer, by differentiating the network itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gain_sources.gradients.parameter_swap import ParameterSwap

if TYPE_CHECKING:
    from torch import Tensor

    from backbones import GroupModel
    from engine.data import Task


@dataclass(frozen=True, eq=False)
class OtherGradients:
    """Gradients of every task's loss of single samples.

    Attributes
    ----------
    model
        The network, in evaluation mode.
    tasks
        N tasks.
    names
        Parameters of the encoder, by which is differentiated.
    """

    model: GroupModel
    tasks: tuple[Task, ...]
    names: tuple[str, ...]

    @property
    def numbers(self) -> int:
        """Numbers in a gradient of one sample and task."""
        parameters = dict(self.model.encoder.named_parameters())
        return sum(parameters[name].numel() for name in self.names)

    def gradients(self, inputs: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        """Return the gradients, shape (samples, N, numbers).

        Parameters
        ----------
        inputs
            Samples that all tasks share, shape (samples, …), or N such tensors, one per task.
        targets
            N tensors, shape (samples, …).
        """
        from torch import nn

        # Recurrent layers are compiled whole and know no batched differentiation.
        if any(isinstance(one, nn.RNNBase) for one in self.model.modules()):
            return self._one_by_one(inputs, targets)
        return self._together(inputs, targets)

    def _together(self, inputs: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        import torch
        from torch.func import grad, jacrev, vmap

        parameters = self._parameters()
        if len(inputs) == 1:

            def losses(chosen: dict[str, Tensor], sample: Tensor, *labels: Tensor) -> Tensor:
                everything = range(len(self.tasks))
                return torch.stack(self._losses(chosen, sample.unsqueeze(0), labels, everything))

            found = vmap(jacrev(losses), in_dims=(None, 0, *[0] * len(targets)))(
                parameters, inputs[0], *targets
            )
            return torch.cat([found[name].flatten(2) for name in self.names], dim=2)
        rows = []
        for task in range(len(self.tasks)):

            def loss(chosen: dict[str, Tensor], sample: Tensor, label: Tensor, task: int = task) -> Tensor:
                of_task: Tensor = self._losses(chosen, sample.unsqueeze(0), [label], [task])[0]
                return of_task

            found = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, inputs[task], targets[task])
            rows.append(torch.cat([found[name].flatten(1) for name in self.names], dim=1))
        return torch.stack(rows, dim=1)

    def _one_by_one(self, inputs: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        import torch

        parameters = {name: value.requires_grad_() for name, value in self._parameters().items()}
        wanted = [parameters[name] for name in self.names]
        samples = []
        for sample in range(len(targets[0])):
            of_tasks: list[Tensor] = []
            for index, own in enumerate(inputs):
                asked = range(len(self.tasks)) if len(inputs) == 1 else [index]
                labels = [targets[task][sample] for task in asked]
                for loss in self._losses(parameters, own[sample : sample + 1], labels, asked):
                    found = torch.autograd.grad(loss, wanted, retain_graph=True, materialize_grads=True)
                    of_tasks.append(torch.cat([one.flatten() for one in found]))
            samples.append(torch.stack(of_tasks))
        return torch.stack(samples)

    def _parameters(self) -> dict[str, Tensor]:
        parameters = dict(self.model.encoder.named_parameters())
        return {name: parameters[name].detach().clone() for name in self.names}

    def _losses(
        self, chosen: dict[str, Tensor], sample: Tensor, labels: Sequence[Tensor], asked: Sequence[int]
    ) -> list[Tensor]:
        from backbones import sample_losses

        features = ParameterSwap(self.model.encoder)(chosen, sample)
        return [
            sample_losses(self.tasks[task], self.model.heads[task](features), label.unsqueeze(0))[0]
            for task, label in zip(asked, labels, strict=True)
        ]
