"""Losses of all tasks from features, with equal heads evaluated together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gain_sources.gradients.parameter_swap import ParameterSwap

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gain_sources.gradients.shared_training import SharedTraining, Step


class TaskHeads:
    """The heads of a training, in families of linear heads of one shape and one loss.

    Parameters
    ----------
    training
        Whose heads.
    """

    def __init__(self, training: SharedTraining) -> None:
        from torch import nn

        self._training = training
        self._swaps = [ParameterSwap(head) for head in training.model.heads]
        self._families: list[list[int]] = []
        self._alone: list[int] = []
        found: dict[tuple[object, ...], list[int]] = {}
        for index, (task, head) in enumerate(zip(training.tasks, training.model.heads, strict=True)):
            if training.plain and type(head) is nn.Linear and head.bias is not None:
                alike = (task.kind, task.loss, task.outputs, task.positive_weight)
                found.setdefault(alike, []).append(index)
            else:
                self._alone.append(index)
        self._families = list(found.values())
        order = [task for family in (*self._families, self._alone) for task in family]
        self._in_order = order == sorted(order)
        self._order = sorted(range(len(order)), key=order.__getitem__)

    def losses(self, step: Step, features: Tensor) -> Tensor:
        """Return the loss of every task, unweighted, shape (N, S).

        Parameters
        ----------
        step
            The batch.
        features
            Shape (S, batch, d) if tasks share them, else (N, S, batch, d).
        """
        import torch

        from backbones import sample_losses

        heads, tasks = self._training.model.heads, self._training.tasks
        found: list[Tensor] = []
        with self._training.precision():
            for family in self._families:
                linear = [cast("nn.Linear", heads[task]) for task in family]
                weights = torch.stack([head.weight for head in linear])
                biases = torch.stack([head.bias for head in linear])
                if features.dim() == 3:
                    outputs = torch.nn.functional.linear(features, weights.flatten(0, 1), biases.flatten())
                    outputs = outputs.view(*features.shape[:2], *weights.shape[:2]).movedim(-2, 0)
                else:
                    own = features if len(family) == len(tasks) else features[family]
                    product = torch.bmm(own.flatten(1, 2), weights.transpose(1, 2))
                    outputs = product.view(*own.shape[:3], -1) + biases[:, None, None]
                targets = torch.stack([step.targets[task] for task in family]).unsqueeze(1)
                known = _known(targets, outputs)
                targets = targets.expand(len(family), outputs.shape[1], *targets.shape[2:])
                found.append(sample_losses(tasks[family[0]], outputs, targets).sum(dim=-1) / known)
            for task in self._alone:
                own = features if features.dim() == 3 else features[task]
                found.append(self.loss(step, task, own).unsqueeze(0))
        joined = torch.cat(found)
        return joined if self._in_order else joined[self._order]

    def loss(
        self, step: Step, task: int, features: Tensor, parameters: dict[str, Tensor] | None = None
    ) -> Tensor:
        """Return the loss of one task, unweighted, shape (S,).

        Parameters
        ----------
        step, task
            The batch and the task.
        features
            Shape (S, batch, d).
        parameters
            S values of parameters of the head, shape (S, …) each; by default the present ones.
        """
        import torch
        from torch.func import vmap

        from backbones import task_loss

        head, swap, stacked = self._training.model.heads[task], self._swaps[task], parameters or {}
        with self._training.precision():
            if self._training.plain and stacked:
                outputs = vmap(swap)(stacked, features)
            elif self._training.plain:
                outputs = head(features.flatten(0, 1)).view(*features.shape[:2], -1)
            else:
                rows = []
                for row, one in enumerate(features):
                    self._training.draw_noise(step, "head", task)
                    own = {name: values[row] for name, values in stacked.items()}
                    rows.append(swap(own, one))
                outputs = torch.stack(rows)
            targets = step.targets[task].expand(len(features), *step.targets[task].shape)
            return task_loss(self._training.tasks[task], outputs, targets)


def _known(targets: Tensor, outputs: Tensor) -> Tensor:
    """Return how many samples have a label, 1 at least, shape (family, 1)."""
    import torch

    known = ~torch.isnan(targets)
    if targets.dim() == outputs.dim():
        known = known.any(dim=-1)
    return known.sum(dim=-1).clamp(min=1)
