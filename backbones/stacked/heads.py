"""The heads of one family in a stack."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.func import functional_call, vmap

from backbones.stacked.families import Family
from backbones.stacked.layer import Pass, Values


class StackedHeads(ABC):
    """Heads of all members for the slots of a family.

    Parameters
    ----------
    family
        Whose heads.
    count
        Slots of a member.
    offset, total
        Where each task has its own samples: the first slot of this family and the number of all slots;
        total 0: samples are shared.
    """

    def __init__(self, family: Family, count: int, offset: int, total: int) -> None:
        self.family, self.count = family, count
        self._offset, self._total = offset, total

    @abstractmethod
    def forward(self, values: Values, features: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the outputs, shape (members, slots, outputs, samples).

        Parameters
        ----------
        values
            Weights and buffers, shapes (members, slots, …).
        features
            Shape (1 or members, d, samples or all slots × samples).
        how
            Training or evaluation.
        """

    @abstractmethod
    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Store the gradients of the weights, and return that of the features of these slots.

        Its shape is (members, d, samples), summed over the slots, where samples are shared, else
        (members, d, slots, samples).
        """

    def place(self, whole: torch.Tensor) -> torch.Tensor:
        """Return the part of features or their gradient that belongs to these slots."""
        of_slots = whole.view(*whole.shape[:2], self._total, -1)
        return of_slots[:, :, self._offset : self._offset + self.count]


class LinearHeads(StackedHeads):
    """Linear heads, differentiated by hand."""

    _features: torch.Tensor
    _lower: bool

    def forward(self, values: Values, features: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return W x + b for every slot."""
        weight = values[f"{self.family.prefix}weight"]
        bias = values.get(f"{self.family.prefix}bias")
        members, slots, outputs, _ = weight.shape
        if self._total:
            weight = weight.flatten(0, 1)
            every = self.place(features).transpose(1, 2).expand(members, -1, -1, -1).flatten(0, 1)
        else:
            weight, every = weight.flatten(1, 2), features.expand(members, -1, -1)
        if how.lower:
            weight, every = weight.bfloat16(), every.bfloat16()
        if how.training:
            self._features, self._lower = every, how.lower
        if bias is None:
            found = torch.bmm(weight, every)
        else:
            found = torch.baddbmm(bias.view(len(weight), -1, 1).to(weight.dtype), weight, every)
        return found.view(members, slots, outputs, -1).to(values[f"{self.family.prefix}weight"].dtype)

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Store ∂W = δ xᵀ and ∂b = Σ δ, and return Wᵀ δ."""
        name = f"{self.family.prefix}weight"
        weight = values[name]
        shape, kind = weight.shape, weight.dtype
        axes = (0, 1) if self._total else (1, 2)
        flat, narrow = weight.flatten(*axes), gradient.flatten(*axes)
        if self._lower:
            flat, narrow = flat.bfloat16(), narrow.bfloat16()
        gradients[name] = torch.bmm(narrow, self._features.transpose(1, 2)).view(shape).to(kind)
        if f"{self.family.prefix}bias" in values:
            gradients[f"{self.family.prefix}bias"] = narrow.sum(2).view(shape[:3]).to(kind)
        del self._features
        if not further:
            return None
        found = torch.bmm(flat.transpose(1, 2), narrow).to(kind)
        return found.view(*shape[:2], *found.shape[1:]).transpose(1, 2) if self._total else found


class VmappedHeads(StackedHeads):
    """Heads of any kind, through ``torch.func``."""

    _outputs: torch.Tensor
    _leaves: dict[str, torch.Tensor]
    _features: torch.Tensor

    def __init__(self, family: Family, count: int, offset: int, total: int) -> None:
        super().__init__(family, count, offset, total)
        head = family.heads[0]
        self._device_type = next((one.device.type for one in head.parameters()), "cpu")

        def one(weights: dict[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = functional_call(head, weights, (features,))
            return outputs

        self._function = vmap(vmap(one, in_dims=(0, 0 if total else None)))

    def forward(self, values: Values, features: torch.Tensor, how: Pass) -> torch.Tensor:
        """Call the heads, and keep their graph while training."""
        prefix = self.family.prefix
        weights = {
            name.removeprefix(prefix): value.detach()
            for name, value in values.items()
            if name.startswith(prefix)
        }
        members = len(next(iter(weights.values())))
        every = features.expand(members, -1, -1)
        every = self.place(every).permute(0, 2, 3, 1) if self._total else every.transpose(1, 2)
        kind = every.dtype
        if how.training:
            every = every.detach().requires_grad_()
            for value in weights.values():
                value.requires_grad_(value.is_floating_point())
        with (
            torch.set_grad_enabled(how.training),
            torch.autocast(every.device.type, torch.bfloat16, enabled=how.lower),
        ):
            outputs = self._function(weights, every)
        if how.training:
            self._outputs, self._leaves, self._features = outputs, weights, every
        return outputs.detach().transpose(2, 3).to(kind)

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Ask autograd."""
        leaves = {name: value for name, value in self._leaves.items() if value.requires_grad}
        found = torch.autograd.grad(
            self._outputs,
            [*leaves.values(), self._features],
            gradient.transpose(2, 3).to(self._outputs.dtype),
            allow_unused=True,
        )
        for name, one in zip(leaves, found, strict=False):
            if one is not None:
                gradients[self.family.prefix + name] = one
        del self._outputs, self._leaves, self._features
        of_features = found[-1]
        if of_features is None or not further:
            return None
        return of_features.permute(0, 3, 1, 2) if self._total else of_features.transpose(1, 2)


def make_heads(families: Sequence[Family], counts: Sequence[int], *, separate: bool) -> list[StackedHeads]:
    """Return the heads of the families that have slots.

    Parameters
    ----------
    families
        Of the data set.
    counts
        Slots per family.
    separate
        Whether each task has its own samples.
    """
    total, offset = sum(counts) if separate else 0, 0
    heads: list[StackedHeads] = []
    for family, count in zip(families, counts, strict=True):
        if not count:
            continue
        kind = LinearHeads if type(family.heads[0]) is nn.Linear else VmappedHeads
        heads.append(kind(family, count, offset, total))
        offset += count
    return heads
