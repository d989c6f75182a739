"""Distances of the tasks' gradients of single samples, layer by layer, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

LARGEST_BLOCK = 1 << 22
"""Numbers in the largest array that is made at once."""


class SampleGradients(Protocol):
    """Gradients of N tasks' losses of single samples, in whatever form."""

    def norms(self) -> Tensor:
        """Return the L1 norm of every gradient, shape (samples, N)."""

    def distances(self, factors: Tensor | None) -> Tensor:
        """Return the L1 distances of tasks i < j, shape (samples, N (N − 1) / 2).

        They stand in the order of ``torch.triu_indices``, and are taken after multiplication by factors
        of shape (samples, N), where there are some.
        """


@dataclass(frozen=True, eq=False)
class Gradients:
    """Gradients as they are.

    Attributes
    ----------
    values
        Shape (samples, N, numbers).
    """

    values: Tensor

    def norms(self) -> Tensor:
        """Return the L1 norm of every gradient, shape (samples, N)."""
        norms: Tensor = self.values.abs().sum(dim=-1)
        return norms

    def distances(self, factors: Tensor | None) -> Tensor:
        """Return the L1 distances of tasks i < j after multiplication by factors."""
        return manhattan(self.values if factors is None else self.values * factors[:, :, None])


@dataclass(frozen=True, eq=False)
class LayerSignals:
    """What the gradients of one layer are made of: for every sample a product of two matrices.

    Attributes
    ----------
    inputs
        Shape (1 or N, samples, width in, positions): one where the tasks share their inputs.
    deltas
        Shape (N, samples, width out, positions): derivatives of each task's loss by the outputs.
    bias
        Whether the layer has a bias.
    """

    inputs: Tensor
    deltas: Tensor
    bias: bool

    @property
    def rank_one(self) -> bool:
        """Whether all tasks' gradients of a sample share a factor."""
        return len(self.inputs) == 1 and self.inputs.shape[-1] == 1

    def norms(self) -> Tensor:
        """Return the L1 norm of every gradient, shape (samples, N)."""
        if self.rank_one:
            return self.deltas[..., 0].abs().sum(dim=-1).T * self._factor()[:, None]
        return self._measured(lambda gradients: gradients.abs().sum(dim=-1))

    def distances(self, factors: Tensor | None) -> Tensor:
        """Return the L1 distances of tasks i < j after multiplication by factors."""
        if self.rank_one:
            # A gradient is δ ⊗ (a, 1), so that |δ_i − δ_j| ⊗ (|a|, 1) sums to a product.
            rows = self.deltas[..., 0].movedim(0, 1)
            rows = rows if factors is None else rows * factors[:, :, None]
            return manhattan(rows) * self._factor()[:, None]
        deltas = self.deltas if factors is None else self.deltas * factors.T[:, :, None, None]
        scaled = LayerSignals(self.inputs, deltas, self.bias)
        return scaled._measured(manhattan)

    def weight_gradients(self, start: int, stop: int) -> Tensor:
        """Return the gradients of the weights for some samples, shape (samples, N, numbers)."""
        import torch

        deltas, inputs = self.deltas[:, start:stop], self.inputs[:, start:stop]
        tasks, samples = deltas.shape[:2]
        if len(inputs) == 1:
            # One product a sample for all tasks: their inputs are the same.
            rows = deltas.movedim(0, 1).flatten(1, 2)
            return torch.bmm(rows, inputs[0].transpose(1, 2)).view(samples, tasks, -1)
        return torch.matmul(deltas, inputs.transpose(2, 3)).flatten(2).movedim(0, 1)

    def bias_gradients(self) -> Tensor:
        """Return the gradients of the bias, shape (samples, N, width out)."""
        return self.deltas.sum(dim=-1).movedim(0, 1)

    def _measured(self, measure: Callable[[Tensor], Tensor]) -> Tensor:
        """Return a sum over the numbers of gradients, a few samples at a time."""
        import torch

        tasks, samples, width, _ = self.deltas.shape
        size = max(1, LARGEST_BLOCK // (tasks * width * self.inputs.shape[2]))
        starts = range(0, samples, size)
        found = torch.cat([measure(self.weight_gradients(start, start + size)) for start in starts])
        return found + measure(self.bias_gradients()) if self.bias else found

    def _factor(self) -> Tensor:
        norms: Tensor = self.inputs[0, ..., 0].abs().sum(dim=-1)
        return norms + 1 if self.bias else norms


def manhattan(rows: Tensor) -> Tensor:
    """Return the L1 distances of rows i < j, from shape (samples, N, numbers) to (samples, N (N − 1) / 2)."""
    import torch

    # Much faster than torch.cdist, which takes both triangles and one number at a time.
    return torch.stack([torch.nn.functional.pdist(one, p=1.0) for one in rows.contiguous()])


@dataclass(eq=False)
class LayerRecorder:
    """Inputs and outputs of the layers whose gradients are products, in a run of the encoder.

    Attributes
    ----------
    layers
        The layers that are watched, by their names in the encoder.
    calls
        Name → input and output of every call since :meth:`clear`.
    """

    layers: dict[str, nn.Module]
    calls: dict[str, list[tuple[Tensor, Tensor]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, layer in self.layers.items():
            layer.register_forward_hook(self._hook(name))
        self.clear()

    def clear(self) -> None:
        """Forget all calls."""
        self.calls = {name: [] for name in self.layers}

    def _hook(self, name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        def record(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            self.calls[name].append((inputs[0].detach(), output))
            # What follows may change its input in place; the recorded output must stay.
            return output.clone()

        return record


def product_layers(encoder: nn.Module) -> dict[str, nn.Module]:
    """Return the layers of an encoder whose gradients are products, by name: linear maps and convolutions."""
    from torch import nn

    found: dict[str, nn.Module] = {}
    for name, layer in encoder.named_modules():
        convolution = (
            type(layer) in (nn.Conv1d, nn.Conv2d)
            and layer.groups == 1
            and layer.padding_mode == "zeros"
            and not isinstance(layer.padding, str)
        )
        if (type(layer) is nn.Linear or convolution) and all(one.requires_grad for one in layer.parameters()):
            found[name] = layer
    return found


def layer_signals(layer: nn.Module, inputs: Tensor, deltas: Tensor) -> LayerSignals:
    """Return the factors of a layer's gradients.

    Parameters
    ----------
    layer
        A linear map or a convolution.
    inputs
        Shape (1 or N, samples, …): what went in.
    deltas
        Shape (N, samples, …): derivatives by what came out.
    """
    from torch import nn
    from torch.nn import functional

    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        entered = inputs.reshape(*inputs.shape[:2], -1, inputs.shape[-1])
        changes = deltas.reshape(*deltas.shape[:2], -1, deltas.shape[-1])
        return LayerSignals(entered.transpose(2, 3), changes.transpose(2, 3), bias)
    assert isinstance(layer, (nn.Conv1d, nn.Conv2d))
    assert not isinstance(layer.padding, str)
    images = inputs.flatten(0, 1)
    # A series is an image of height 1.
    kernel, dilation = (1, *layer.kernel_size)[-2:], (1, *layer.dilation)[-2:]
    padding, stride = (0, *layer.padding)[-2:], (1, *layer.stride)[-2:]
    if isinstance(layer, nn.Conv1d):
        images = images.unsqueeze(2)
    patches = functional.unfold(images, kernel, dilation=dilation, padding=padding, stride=stride)
    return LayerSignals(patches.view(*inputs.shape[:2], *patches.shape[1:]), deltas.flatten(3), bias)
