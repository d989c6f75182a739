"""Cosine of the tasks' gradients with respect to the parameters that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.gains.affinity import Affinity
from engine.gains.source import GainSourceInfo
from engine.training.collector import AffinitySource

if TYPE_CHECKING:
    from engine.training.experiment import Experiment


@dataclass(frozen=True)
class GradientCosine(AffinitySource):
    """Mean over training of the cosine of two tasks' shared gradients: symmetric, from −1 to 1.

    Attributes
    ----------
    every
        Steps from one measurement to the next.
    device
        As in :class:`backbones.TrainerOptions`.
    """

    every: int = 10
    device: str = "auto"
    info = GainSourceInfo(
        summary="cosine of the tasks' shared gradients, mean over training",
        requires=("torch",),
        reference="Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, NeurIPS "
        "2021, its baseline CS",
    )

    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Train all tasks together once, and return the mean cosines."""
        from gain_sources.gradients.pair_average import PairAverage
        from gain_sources.gradients.shared_training import SharedTraining
        from gain_sources.gradients.task_gradients import inner_products, task_gradients
        from gain_sources.gradients.task_heads import TaskHeads

        training = SharedTraining(experiment, seed, self.device)
        heads = TaskHeads(training)
        average = PairAverage(experiment.tasks)
        for step in training.steps(self.every):
            shared = task_gradients(training, heads, step).shared
            products = inner_products(shared, shared)
            norms = products.diagonal().sqrt()
            # A task whose gradient is 0 has no direction; NaN norms stay, to be reported.
            some = norms != 0
            divisors = norms.where(some, norms.new_ones(()))
            average.add(products / divisors[:, None] / divisors[None, :], step.labelled & some)
        return average.affinity("gradient-cosine")
