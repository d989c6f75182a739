"""Sample-wise landscape: how far apart the tasks' optima of single samples lie, before any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, UsageError, unknown_name
from engine.gains.affinity import Affinity
from engine.gains.source import GainSourceInfo
from engine.training.collector import AffinitySource

if TYPE_CHECKING:
    from torch import Tensor

    from backbones import DeviceData, GroupModel
    from engine.training.experiment import Experiment
    from gain_sources.gradients.sample_distances import SampleBlock

SIMILARITIES = ("exponential", "standardised")
NORMALISATIONS = ("task", "sample", "none")


@dataclass(frozen=True)
class Landscape(AffinitySource):
    """Similarity of tasks by the mean L1 distance of the optima of single samples; nothing is trained.

    The optimum of a sample is one gradient step from the initial weights, so that the distance of two
    tasks' optima is that of their gradients of the sample, taken over the shared parameters. Where every
    task has its own inputs, its training samples are paired at random with those of the others. The
    network is in evaluation mode: without dropout, and with batch normalisation by its initial statistics.
    The affinity is symmetric.

    Attributes
    ----------
    samples
        How many training samples are drawn, at most; 0: all.
    initialisations
        Initial weights to average distances over: those of the seeds seed, seed + 1, …
    normalise
        What gradients are divided by, for else the task of the largest ones decides: ``"task"``, the
        mean L1 norm of the task's; ``"sample"``, the L1 norm of each; or ``"none"``.
    common_heads
        Start heads of one shape with the same weights, those of the task whose name comes first: with
        random heads apart, even two tasks with equal labels have unrelated gradients.
    similarity
        ``"exponential"``: exp(−distance / median distance), above 0; or ``"standardised"``: the distance
        below the mean, in standard deviations over the pairs.
    device
        As in :class:`backbones.TrainerOptions`.

    Raises
    ------
    UsageError
        If a name is unknown or a number out of range.
    """

    samples: int = 512
    initialisations: int = 1
    normalise: str = "task"
    common_heads: bool = True
    similarity: str = "exponential"
    device: str = "auto"
    info = GainSourceInfo(
        summary="distance of the tasks' per-sample gradients at initial weights; trains nothing",
        requires=("torch",),
        reference="Thakur et al., Sample-wise optimisation landscape for task grouping, TPAMI 2025, "
        "arXiv 2412.04413",
    )

    def __post_init__(self) -> None:
        for name, least in (("samples", 0), ("initialisations", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be {least} or more, not {getattr(self, name)}.")
        if self.normalise not in NORMALISATIONS:
            raise unknown_name("normalise", self.normalise, NORMALISATIONS)
        if self.similarity not in SIMILARITIES:
            raise unknown_name("similarity", self.similarity, SIMILARITIES)

    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Return the similarity of every two tasks."""
        distances = self.distances(experiment, seed)
        return Affinity(experiment.tasks, _similarity(distances, self.similarity), source="landscape")

    def distances(self, experiment: Experiment, seed: int = 0) -> NDArray[np.float64]:
        """Return the mean distances, shape (N, N), 0 on the diagonal.

        Parameters
        ----------
        experiment
            Data and backbone.
        seed
            Of the samples, their pairing, and the initial weights.

        Raises
        ------
        DataError
            If the tasks share no parameter that is trained, or no drawn sample has labels of two tasks.
        """
        from backbones import DeviceData, TrainerOptions, build_group_model
        from gain_sources.gradients.sample_distances import SampleDistances

        data = DeviceData(experiment, TrainerOptions(device=self.device).torch_device)
        tasks = experiment.data.tasks
        block = self.draw(data, seed)
        total: NDArray[np.float64] = np.zeros((len(tasks), len(tasks)))
        pairs = np.triu_indices(len(tasks), 1)
        for number in range(self.initialisations):
            model = build_group_model(experiment, range(len(tasks)), seed + number).to(data.device)
            if not any(one.requires_grad for one in model.encoder.parameters()):
                raise DataError(
                    f"The backbone {experiment.backbone!r} trains no parameter that tasks share, so that "
                    "gradients have nothing to differ in: choose another backbone, or let its encoder be "
                    "trained."
                )
            if self.common_heads:
                _share_heads(model, experiment.tasks)
            network = SampleDistances(model, tasks, block)
            scales = network.mean_norms(block) if self.normalise == "task" else None
            sums, counts = network.sums(block, scales, own=self.normalise == "sample")
            never = np.flatnonzero((counts == 0).cpu().numpy())
            if len(never):
                one, other = (tasks[task[never[0]]].name for task in pairs)
                raise DataError(
                    f"None of the {block.samples} training samples drawn has labels of both {one!r} and "
                    f"{other!r}. Raise samples (0: all), or leave one of these tasks out."
                )
            total[pairs] += (sums / counts).cpu().numpy() / self.initialisations
        return total + total.T

    def draw(self, data: DeviceData, seed: int) -> SampleBlock:
        """Return the training samples that are compared, drawn by the seed."""
        import torch

        from backbones import key
        from gain_sources.gradients.sample_distances import SampleBlock

        shared, tasks = data.data.shared, data.data.tasks
        rows = [data.rows("train", index) for index in range(len(data.inputs))]
        count = min(self.samples or len(rows[0]), *map(len, rows), len(rows[0]))
        drawn = []
        for index, of_input in enumerate(rows):
            purpose = "samples" if shared else f"samples of {tasks[index].name}"
            source = torch.Generator().manual_seed(key(seed, purpose))
            order = torch.randperm(len(of_input), generator=source)[:count]
            drawn.append(of_input[order.to(of_input.device)])
        inputs = tuple(data.input(one, index) for index, one in enumerate(drawn))
        of_task = drawn * len(tasks) if shared else drawn
        return SampleBlock(
            inputs, tuple(target[one] for target, one in zip(data.targets, of_task, strict=True))
        )


def _share_heads(model: GroupModel, tasks: tuple[str, ...]) -> None:
    first: dict[tuple[object, ...], Mapping[str, Tensor]] = {}
    for _, head in sorted(zip(tasks, model.heads, strict=True), key=lambda pair: pair[0]):
        values = head.state_dict()
        shape = (type(head), *((name, value.shape) for name, value in values.items()))
        head.load_state_dict(first.setdefault(shape, values))


def _similarity(distances: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Return similarities, the larger the nearer; those of a task with itself mean nothing."""
    pairs = distances[~np.eye(len(distances), dtype=bool)]
    if not len(pairs):
        return np.zeros_like(distances)
    if kind == "exponential":
        median = float(np.median(pairs))
        similar: NDArray[np.float64] = np.exp(-distances / (median or 1.0))
        return similar
    deviation = float(pairs.std())
    standard: NDArray[np.float64] = (pairs.mean() - distances) / (deviation or 1.0)
    return standard
