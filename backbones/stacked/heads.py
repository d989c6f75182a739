"""The heads of one family in a stack."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.func import functional_call, vmap

from backbones.stacked.families import Family
from backbones.stacked.layer import Pass, Values
from backbones.stacked.vector_layers import StackedLinear


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

    def __init__(self, family: Family, count: int, offset: int, total: int) -> None:
        super().__init__(family, count, offset, total)
        biased = getattr(family.heads[0], "bias", None) is not None
        self._linear = StackedLinear("weight", "bias" if biased else "")

    def forward(self, values: Values, features: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return W x + b for every slot."""
        weight = values[f"{self.family.prefix}weight"]
        members = len(weight)
        if self._total:
            features = self.place(features).transpose(1, 2).expand(members, -1, -1, -1).flatten(0, 1)
        outputs = self._linear.forward(self._flat(values), features, how)
        return outputs.view(*weight.shape[:3], -1).to(weight.dtype)

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Store ∂W = δ xᵀ and ∂b = Σ δ, and return Wᵀ δ."""
        weight = values[f"{self.family.prefix}weight"]
        own: Values = {}
        before = self._linear.backward(self._flat(values), gradient.flatten(*self._axes), own, further)
        for name, flat in own.items():
            gradients[self.family.prefix + name] = flat.view(values[self.family.prefix + name].shape)
        if before is None:
            return None
        before = before.to(weight.dtype)
        return before.view(*weight.shape[:2], *before.shape[1:]).transpose(1, 2) if self._total else before

    @property
    def _axes(self) -> tuple[int, int]:
        """The axes that are one in the products: members and slots, or slots and outputs."""
        return (0, 1) if self._total else (1, 2)

    def _flat(self, values: Mapping[str, torch.Tensor]) -> Values:
        """Return the weights as one layer has them."""
        flat = {"weight": values[f"{self.family.prefix}weight"].flatten(*self._axes)}
        if f"{self.family.prefix}bias" in values:
            flat["bias"] = values[f"{self.family.prefix}bias"].flatten(*self._axes)
        return flat


class VmappedHeads(StackedHeads):
    """Heads of any kind, through ``torch.func``."""

    _outputs: torch.Tensor
    _leaves: dict[str, torch.Tensor]
    _features: torch.Tensor

    def __init__(self, family: Family, count: int, offset: int, total: int) -> None:
        super().__init__(family, count, offset, total)
        head = family.heads[0]

        def call(weights: dict[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = functional_call(head, weights, (features,))
            return outputs

        self._function = vmap(vmap(call, in_dims=(0, 0 if total else None)))

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
        of_inputs = torch.autograd.grad(
            self._outputs,
            [*leaves.values(), self._features],
            gradient.transpose(2, 3).to(self._outputs.dtype),
            allow_unused=True,
        )
        for name, of_leaf in zip(leaves, of_inputs, strict=False):
            if of_leaf is not None:
                gradients[self.family.prefix + name] = of_leaf
        del self._outputs, self._leaves, self._features
        of_features = of_inputs[-1]
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
