"""The networks of a stack of groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from backbones.network.group_model import GroupModel
from backbones.stacked.encoder import PREFIX, FrozenEncoder, StackedEncoder
from backbones.stacked.families import Family
from backbones.stacked.heads import make_heads
from backbones.stacked.layer import Pass, Values
from backbones.stacked.losses import loss_gradients, losses
from backbones.training.feed import Labels, Portion


class StackedNetwork:
    """Encoder and heads of groups that fill equally many slots of each family.

    Parameters
    ----------
    model
        The untrained network of all tasks, on the device.
    make_encoder
        Makes the encoder of a stack.
    families
        Of the data set.
    counts
        Slots per family.
    groups
        Task indices of each member.
    separate
        Whether each task has its own samples.

    Attributes
    ----------
    values
        Weights and buffers of the members.
    trainable
        The names of the weights that are trained.
    """

    def __init__(
        self,
        model: GroupModel,
        make_encoder: Callable[[], StackedEncoder],
        families: Sequence[Family],
        counts: Sequence[int],
        groups: Sequence[Sequence[int]],
        *,
        separate: bool,
    ) -> None:
        self._encoder = make_encoder()
        self._heads = make_heads(families, counts, separate=separate)
        self.families = [one.family for one in self._heads]
        self.counts = [one.count for one in self._heads]
        self.tasks = [
            [task for task in of.tasks if any(task in group for group in groups)] for of in self.families
        ]
        self._union = sorted(task for of in self.tasks for task in of)
        self._separate = separate
        some = next(model.parameters())
        self.device, self.dtype = some.device, some.dtype
        self.values: Values = {}
        self.trainable: list[str] = []
        self._learns = not isinstance(self._encoder, FrozenEncoder)
        if self._learns:
            self._stack_encoder(model, len(groups))
        positions = [_positions(of, count, groups) for of, count in zip(self.tasks, self.counts, strict=True)]
        for family, tasks, where in zip(self.families, self.tasks, positions, strict=True):
            self._stack_heads(family, tasks, where)
        self._where = [where.to(self.device) for where in positions]
        sizes = torch.tensor([len(group) for group in groups], dtype=self.dtype, device=self.device)
        self._share = 1 / sizes
        positive = [
            torch.tensor(
                [family.positive_weights[family.tasks.index(task)] for task in tasks],
                dtype=self.dtype,
                device=self.device,
            )
            for family, tasks in zip(self.families, self.tasks, strict=True)
        ]
        self._positive_of_tasks = [one if bool((one != 1).any()) else None for one in positive]
        self._arrange()

    def _stack_encoder(self, model: GroupModel, members: int) -> None:
        trained = {name for name, one in model.encoder.named_parameters() if one.requires_grad}
        for name, value in model.encoder.state_dict().items():
            self.values[PREFIX + name] = value.detach().expand(members, *value.shape).clone()
            if name in trained:
                self.trainable.append(PREFIX + name)

    def _stack_heads(self, family: Family, tasks: Sequence[int], where: torch.Tensor) -> None:
        heads = [family.heads[family.tasks.index(task)] for task in tasks]
        trained = {name for name, one in heads[0].named_parameters() if one.requires_grad}
        for name, first in heads[0].state_dict().items():
            every = torch.stack([head.state_dict()[name].detach() for head in heads])
            mask = (where >= 0).to(first.device).view(*where.shape, *[1] * first.dim())
            chosen = every[where.clamp(min=0).to(first.device)]
            self.values[family.prefix + name] = torch.where(mask, chosen, torch.zeros_like(chosen))
            if name in trained:
                self.trainable.append(family.prefix + name)

    def _arrange(self) -> None:
        """Prepare what depends on the members that are there."""
        self._index = [where.clamp(min=0) for where in self._where]
        self._scale = [
            ((where >= 0).to(self.dtype) * self._share.unsqueeze(1)).unsqueeze(2).unsqueeze(3)
            for where in self._where
        ]
        self._positive = [
            None if of is None else of[index].unsqueeze(2).unsqueeze(3)
            for of, index in zip(self._positive_of_tasks, self._index, strict=True)
        ]
        self._constant: dict[int, torch.Tensor] = {}
        self.slots: torch.Tensor | None = None
        if self._separate:
            places = [
                torch.tensor([self._union.index(task) for task in of], device=self.device)[index]
                for of, index in zip(self.tasks, self._index, strict=True)
            ]
            self.slots = torch.cat(places, 1)

    def keep(self, members: torch.Tensor) -> None:
        """Leave only some members; their weights must have been reduced already."""
        self._where = [where[members] for where in self._where]
        self._share = self._share[members]
        self._arrange()

    def outputs(self, values: Values, portion: Portion, how: Pass) -> list[torch.Tensor]:
        """Return the outputs of the heads per family, shape (members, slots, outputs, samples)."""
        features = self._encoder.forward(values, portion.samples(self.slots), how)
        return [heads.forward(values, features, how) for heads in self._heads]

    def gradients(self, values: Values, portion: Portion, how: Pass, complete: Sequence[bool]) -> Values:
        """Return the gradient of every member's training loss by its weights.

        Parameters
        ----------
        values
            Weights and buffers.
        portion
            A batch.
        how
            Training.
        complete
            Per family, whether the weights of its labels are the same in every batch.
        """
        outputs = self.outputs(values, portion, how)
        found: Values = {}
        whole: torch.Tensor | None = None
        for index, heads in enumerate(self._heads):
            targets = portion.labels[index].targets[self._index[index]]
            weights = self._weights(index, portion.labels[index], complete[index])
            gradient = loss_gradients(
                heads.family.first.loss, outputs[index], targets, self._positive[index]
            ).mul_(weights)
            part = heads.backward(values, gradient, found, self._learns)
            if part is None:
                continue
            if self._separate:
                if whole is None:
                    whole = part.new_zeros(*part.shape[:2], sum(self.counts), part.shape[3])
                    whole = whole.flatten(2)
                heads.place(whole).copy_(part)
            else:
                whole = part if whole is None else whole + part
        if whole is not None:
            self._encoder.backward(values, whole, found)
        return found

    def _weights(self, index: int, labels: Labels, constant: bool) -> torch.Tensor:
        """Return the weights of the slots' labels in the members' losses."""
        found = self._constant.get(index)
        if found is None:
            found = labels.weights[self._index[index]] * self._scale[index]
            if constant:
                self._constant[index] = found
        return found

    def losses(self, values: Values, portions: Sequence[Portion]) -> list[torch.Tensor]:
        """Return the loss of every slot per family, shape (members, slots), over portions of a split."""
        found = [torch.zeros_like(one[..., 0, 0]) for one in self._scale]
        for portion in portions:
            outputs = self.outputs(values, portion, Pass())
            for index, family in enumerate(self.families):
                labels = portion.labels[index]
                where = self._index[index]
                of = losses(family.first.loss, outputs[index], labels.targets[where], self._positive[index])
                found[index] += torch.where(labels.weights[where] > 0, of * labels.weights[where], 0.0).sum(
                    (2, 3)
                )
        return found

    def slot(self, index: int, task: int) -> torch.Tensor:
        """Return for each member the slot of a task in a family, −1 where it is not a member's."""
        hits = self._where[index] == self.tasks[index].index(task)
        return torch.where(hits.any(1), hits.to(torch.int8).argmax(1), -1)


def _positions(tasks: Sequence[int], count: int, groups: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return the position in ``tasks`` of every slot, shape (members, slots), −1 where it is empty."""
    where = torch.full((len(groups), count), -1, dtype=torch.long)
    for row, group in enumerate(groups):
        own = [tasks.index(task) for task in sorted(group) if task in tasks]
        where[row, : len(own)] = torch.tensor(own, dtype=torch.long)
    return where
