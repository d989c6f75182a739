"""Sums of the L1 distances of the tasks' gradients of single samples, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from backbones import GroupModel
    from engine.data import Task
    from gain_sources.gradients.sample_gradients import LayerRecorder, SampleGradients


@dataclass(frozen=True, eq=False)
class SampleBlock:
    """Some samples.

    Attributes
    ----------
    inputs
        Shape (samples, …): one tensor that all tasks share, or one per task.
    targets
        N tensors, shape (samples, …).
    """

    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]

    def part(self, start: int, stop: int) -> SampleBlock:
        """Return some of the samples."""
        return SampleBlock(
            tuple(one[start:stop] for one in self.inputs), tuple(one[start:stop] for one in self.targets)
        )

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.targets[0])

    @property
    def labelled(self) -> Tensor:
        """Shape (samples, N)."""
        import torch

        known = [
            (~torch.isnan(one)).flatten(1) if one.dim() > 1 else ~torch.isnan(one)[:, None]
            for one in self.targets
        ]
        return torch.stack([one.any(dim=1) for one in known], dim=1)


class SampleDistances:
    """L1 distances of gradients with respect to the shared parameters, at the network's present state.

    Gradients of linear maps and convolutions are never stored where tasks share their inputs: those of a
    linear map by the product that its distance is, those of a convolution for a few samples at a time.
    All other parameters, and layers that are used in an unusual way, are differentiated sample by sample.

    Parameters
    ----------
    model
        The network of all N tasks; it is put into evaluation mode, in which samples do not act on one
        another and there is no noise, and is watched from then on.
    tasks
        The tasks.
    probe
        A few samples, of which it is read how layers are used.
    """

    def __init__(self, model: GroupModel, tasks: tuple[Task, ...], probe: SampleBlock) -> None:
        from gain_sources.gradients.other_gradients import OtherGradients
        from gain_sources.gradients.sample_gradients import LARGEST_BLOCK, LayerRecorder, product_layers

        self._model, self._tasks = model.eval(), tasks
        self._recorder = LayerRecorder(product_layers(model.encoder))
        probed = probe.part(0, 2)
        self._layers, numbers = _usable_layers(model, self._recorder, probed.inputs[0])
        covered = {
            f"{name}.{one}" if name else one
            for name in self._layers
            for one, _ in self._recorder.layers[name].named_parameters()
        }
        trained = [name for name, one in model.encoder.named_parameters() if one.requires_grad]
        others = tuple(name for name in trained if name not in covered)
        self._others = OtherGradients(model, tasks, others)
        largest = max(numbers, self._others.numbers if others else 0, 1)
        self._size = max(1, LARGEST_BLOCK // (len(tasks) * largest))

    def mean_norms(self, block: SampleBlock) -> Tensor:
        """Return the mean L1 norm of each task's gradients over its labelled samples, shape (N,)."""
        import torch

        total, count = [], []
        for part in self._parts(block):
            known = part.labelled
            norms = torch.stack([one.norms() for one in self._signals(part)]).sum(dim=0)
            total.append((norms * known).sum(dim=0))
            count.append(known.sum(dim=0))
        return torch.stack(total).sum(dim=0) / torch.stack(count).sum(dim=0).clamp(min=1)

    def sums(
        self, block: SampleBlock, scales: Tensor | None = None, *, own: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the sums of distances over the samples that have both labels, and how many these are.

        Parameters
        ----------
        block
            The samples.
        scales
            Shape (N,): norms by which gradients are divided, if any.
        own
            Whether each gradient is divided by its own norm.

        Returns
        -------
        tuple
            Two arrays of shape (N (N − 1) / 2,), of tasks i < j in the order of ``torch.triu_indices``.
        """
        import torch

        total, count = [], []
        one, other = torch.triu_indices(len(self._tasks), len(self._tasks), 1)
        for part in self._parts(block):
            signals = self._signals(part)
            norms = scales
            if own:
                norms = torch.stack([layer.norms() for layer in signals]).sum(dim=0)
            factors = None
            if norms is not None:
                factors = 1 / torch.where(norms > 0, norms, torch.ones_like(norms))
                factors = factors.expand(part.samples, len(self._tasks))
            known = part.labelled
            both = known[:, one] & known[:, other]
            distances = torch.stack([layer.distances(factors) for layer in signals]).sum(dim=0)
            total.append((distances * both).double().sum(dim=0))
            count.append(both.sum(dim=0))
        return torch.stack(total).sum(dim=0), torch.stack(count).sum(dim=0)

    def _parts(self, block: SampleBlock) -> Iterator[SampleBlock]:
        for start in range(0, block.samples, self._size):
            yield block.part(start, start + self._size)

    def _signals(self, block: SampleBlock) -> list[SampleGradients]:
        from torch.nn.attention import SDPBackend, sdpa_kernel

        from gain_sources.gradients.sample_gradients import Gradients, layer_signals

        found: list[SampleGradients] = []
        with sdpa_kernel(SDPBackend.MATH):  # the only attention that is differentiated in batches
            if self._layers:
                for name, (inputs, deltas) in self._products(block).items():
                    found.append(layer_signals(self._recorder.layers[name], inputs, deltas))
            if self._others.names:
                found.append(Gradients(self._others.gradients(block.inputs, block.targets).detach()))
        return found

    def _products(self, block: SampleBlock) -> dict[str, tuple[Tensor, Tensor]]:
        """Return what went into every layer and the derivatives by what came out, per task and sample."""
        import torch
        from torch import nn

        from gain_sources.gradients.task_gradients import batched_gradients

        count = len(self._tasks)
        self._recorder.clear()
        if len(block.inputs) == 1:
            features = self._model.encoder(block.inputs[0])
            copies = features.detach().expand(count, *features.shape).clone().requires_grad_()
        else:
            features = self._model.encoder(torch.cat(block.inputs))
            copies = _per_task(features.detach(), count).requires_grad_()
        (cotangents,) = torch.autograd.grad(self._loss(block, copies), copies)
        calls = {name: self._recorder.calls[name][0] for name in self._layers}
        outputs = [output for _, output in calls.values()]
        if len(block.inputs) == 1:
            # Other layers are differentiated one weighting after the other anyway, or cannot be batched.
            together = all(isinstance(layer, nn.Linear) for layer in self._recorder.layers.values())
            together &= not any(isinstance(one, nn.RNNBase) for one in self._model.modules())
            deltas = batched_gradients(features, outputs, cotangents, together=together, axis=1)
            return {
                name: (inputs.unsqueeze(0), delta)
                for (name, (inputs, _)), delta in zip(calls.items(), deltas, strict=True)
            }
        deltas = torch.autograd.grad(features, outputs, cotangents.flatten(0, 1), materialize_grads=True)
        return {
            name: (_per_task(inputs, count), _per_task(delta, count))
            for (name, (inputs, _)), delta in zip(calls.items(), deltas, strict=True)
        }

    def _loss(self, block: SampleBlock, features: Tensor) -> Tensor:
        """Return the sum over tasks and samples, of which each has one row of features."""
        import torch

        from backbones import sample_losses

        losses = [
            sample_losses(task, head(own), targets).sum()
            for task, head, own, targets in zip(
                self._tasks, self._model.heads, features, block.targets, strict=True
            )
        ]
        return torch.stack(losses).sum()


def _per_task(joined: Tensor, count: int) -> Tensor:
    return joined.reshape(count, -1, *joined.shape[1:])


def _usable_layers(model: GroupModel, recorder: LayerRecorder, inputs: Tensor) -> tuple[tuple[str, ...], int]:
    """Return the layers whose signals give their gradients, and how many numbers these are a sample.

    A layer is usable if it runs once, on one row a sample that depends on no other sample, and if
    nothing but its own run uses its parameters; each is seen in the gradients of the first sample.
    """
    import torch

    from gain_sources.gradients.sample_gradients import layer_signals

    recorder.clear()
    features = model.encoder(inputs)
    # Unequal weights: the plain sum of normalised features is constant.
    outcome = (features[0] * torch.linspace(1, 2, features.shape[-1]).to(features)).sum()
    usable, numbers = [], 0
    for name, calls in recorder.calls.items():
        if len(calls) != 1 or calls[0][0].dim() < 2 or len(calls[0][1]) != len(inputs):
            continue
        entered, output = calls[0]
        parameters = list(recorder.layers[name].parameters())
        delta, *wanted = torch.autograd.grad(
            outcome, [output, *parameters], retain_graph=True, materialize_grads=True
        )
        signals = layer_signals(recorder.layers[name], entered.unsqueeze(0), delta.unsqueeze(0))
        parts = [signals.weight_gradients(0, 1), *([signals.bias_gradients()] if signals.bias else [])]
        found, expected = (
            torch.cat([one.flatten() for one in of]) for of in ([part[0, 0] for part in parts], wanted)
        )
        tolerance = 1e-4 * float(expected.abs().max())
        if not delta[1:].any() and float((found - expected).abs().max()) <= tolerance:
            usable.append(name)
            numbers += output[0].numel()
    return tuple(usable), numbers
