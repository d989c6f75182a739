"""Affinity from gradients and the optimiser's updates, without evaluating any loss again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.gains.affinity import Affinity
from engine.gains.source import GainSourceInfo
from engine.training.collector import AffinitySource

if TYPE_CHECKING:
    from engine.training.experiment import Experiment


@dataclass(frozen=True)
class GradientUpdate(AffinitySource):
    """Mean over training of ⟨update of i, gradient of j⟩ / learning rate.

    The update of i is what the optimiser would subtract from the shared parameters in a step on task i
    alone. To first order its inner product with the gradient of j is the decrease of the loss of j, so
    that ``matrix[i, j]`` is the effect of i on j. With G the gradients and U the updates, one row a task,
    it is the transpose of G · Uᵀ / learning rate.

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
        summary="inner products of the optimiser's updates with gradients, mean over training",
        requires=("torch",),
        reference="Ayman, Laszka, Mukhopadhyay, Ensemble Prediction of Task Affinity (ETAP), ICLR 2026",
    )

    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Train all tasks together once, and return the mean products."""
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
            products = inner_products(updates, gradients.shared)
            average.add(products / experiment.settings.learning_rate, step.labelled)
        return average.affinity("gradient-update")
