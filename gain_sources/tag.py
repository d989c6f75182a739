"""TAG: what a step of one task alone would do to the loss of every other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import unknown_name
from engine.gains.affinity import Affinity
from engine.gains.source import GainSourceInfo
from engine.training.collector import AffinitySource

if TYPE_CHECKING:
    from torch import Tensor

    from engine.training.experiment import Experiment
    from gain_sources.gradients.shared_training import SharedTraining, Step
    from gain_sources.gradients.task_gradients import Stack
    from gain_sources.gradients.task_heads import TaskHeads

ORDERS = ("exact", "first")


@dataclass(frozen=True)
class Tag(AffinitySource):
    """Look-ahead affinity: 1 − L_j after a step of task i alone on the shared parameters / L_j before.

    Heads stay as they are, and L_j is taken on the same batch. The step is the one that the optimiser
    would take, with its momentum or moments and its weight decay. The affinity is the mean over training.

    Attributes
    ----------
    order
        ``"exact"`` evaluates L_j after every step; ``"first"`` expands it, ⟨step of i, gradient of j⟩ /
        L_j, which for plain stochastic gradient descent is learning rate · ⟨g_i, g_j⟩ / L_j. The
        expansion holds for small steps: up to a learning rate of about 0.01.
    every
        Steps from one measurement to the next.
    device
        As in :class:`backbones.TrainerOptions`.

    Raises
    ------
    UsageError
        If the order is unknown.
    """

    order: str = "exact"
    every: int = 10
    device: str = "auto"
    info = GainSourceInfo(
        summary="look-ahead affinity: a step of one task, the loss of another",
        requires=("torch",),
        reference="Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, "
        "NeurIPS 2021",
    )

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise unknown_name("order", self.order, ORDERS)

    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Train all tasks together once, and return the mean look-ahead affinity."""
        from gain_sources.gradients.pair_average import PairAverage
        from gain_sources.gradients.shared_training import SharedTraining
        from gain_sources.gradients.single_task_steps import single_task_updates
        from gain_sources.gradients.task_gradients import inner_products, task_gradients
        from gain_sources.gradients.task_heads import TaskHeads

        training = SharedTraining(experiment, seed, self.device)
        heads = TaskHeads(training)
        average = PairAverage(experiment.tasks)
        for step in training.steps(self.every):
            gradients = task_gradients(training, heads, step)
            updates = single_task_updates(training, gradients)
            if self.order == "first":
                decreases = inner_products(updates, gradients.shared)
            else:
                decreases = gradients.losses[None, :] - _losses_after(training, heads, step, updates)
            average.add(decreases, step.labelled, gradients.losses)
        return average.affinity("tag" if self.order == "exact" else "tag of first order")


def _losses_after(training: SharedTraining, heads: TaskHeads, step: Step, updates: Stack) -> Tensor:
    """Return the loss of task j after the update of task i, shape (N, N), i by j."""
    import torch

    from gain_sources.gradients.look_ahead import features_after

    with torch.no_grad():
        if len(step.inputs) == 1:
            features = features_after(training, step, step.inputs[0], updates)
        elif training.plain:
            joined = features_after(training, step, torch.cat(step.inputs), updates)
            features = joined.view(len(joined), len(step.inputs), -1, joined.shape[-1]).transpose(0, 1)
        else:
            features = torch.stack([features_after(training, step, one, updates) for one in step.inputs])
        return heads.losses(step, features).T
