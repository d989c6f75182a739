"""Transfer gain: a real step on two tasks against a real step on one."""

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
    from gain_sources.gradients.task_gradients import TaskGradients
    from gain_sources.gradients.task_heads import TaskHeads

COMBINATIONS = ("sum", "mean")


@dataclass(frozen=True)
class PairTransfer(AffinitySource):
    """1 − L_j after a step on {i, j} / L_j after a step on {j}, mean over training.

    A step moves the shared parameters and the heads of its tasks, as the optimiser would from its state
    at that moment; both losses are of the same batch. Unlike TAG it compares two updated networks. The
    diagonal compares a step on {j, j} with one on {j}.

    Attributes
    ----------
    combination
        Loss of a pair: the ``"sum"`` of its weighted losses, or their ``"mean"``, as groups are trained,
        with which the diagonal is 0 and j moves half as far in a pair under plain gradient descent.
    every
        Steps from one measurement to the next.
    device
        As in :class:`backbones.TrainerOptions`.

    Raises
    ------
    UsageError
        If the combination is unknown.
    """

    combination: str = "sum"
    every: int = 10
    device: str = "auto"
    info = GainSourceInfo(
        summary="a step on a pair of tasks against a step on one, mean over training",
        requires=("torch",),
        reference="Wang, Pan, Yu, Towards Principled Task Grouping for Multi-Task Learning, 2024",
    )

    def __post_init__(self) -> None:
        if self.combination not in COMBINATIONS:
            raise unknown_name("combination", self.combination, COMBINATIONS)

    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Train all tasks together once, and return the mean transfer gains."""
        import torch

        from gain_sources.gradients.pair_average import PairAverage
        from gain_sources.gradients.shared_training import SharedTraining
        from gain_sources.gradients.task_gradients import task_gradients
        from gain_sources.gradients.task_heads import TaskHeads

        training = SharedTraining(experiment, seed, self.device)
        heads = TaskHeads(training)
        average = PairAverage(experiment.tasks)
        share = 1.0 if self.combination == "sum" else 0.5
        for step in training.steps(self.every):
            gradients = task_gradients(training, heads, step, of_heads=True)
            after = torch.stack(
                [
                    _losses_after(training, heads, step, gradients, recipient, share)
                    for recipient in range(len(training.tasks))
                ],
                dim=1,
            )
            in_pair, alone = after[:-1], after[-1]
            average.add(alone - in_pair, step.labelled, alone)
        return average.affinity("pair-transfer")


def _losses_after(
    training: SharedTraining,
    heads: TaskHeads,
    step: Step,
    gradients: TaskGradients,
    recipient: int,
    share: float,
) -> Tensor:
    """Return the recipient's loss after a step with each of the N tasks, then alone, shape (N + 1,).

    Parameters
    ----------
    training, heads, step, gradients
        Where the steps start.
    recipient
        Task whose loss is taken.
    share
        Factor of each of two losses in the loss of a pair.
    """
    import torch

    from gain_sources.gradients.look_ahead import features_after
    from gain_sources.gradients.optimiser_updates import (
        clip_factors,
        optimiser_updates,
        scaled,
        squared_norms,
    )

    settings = training.experiment.settings
    weights = gradients.losses.new_tensor([task.weight for task in training.tasks])
    count, own = len(weights), weights[recipient]
    head_factors = torch.full_like(weights, share)
    head_factors[recipient] *= 2
    head_factors = torch.cat([head_factors, weights.new_ones(1)]) * own
    shared = {}
    for name, of_tasks in scaled(gradients.shared, weights).items():
        pairs = share * (of_tasks + of_tasks[recipient])
        shared[name] = torch.cat([pairs, of_tasks[recipient].unsqueeze(0)])
    head = scaled(
        {name: one.expand(count + 1, *one.shape) for name, one in gradients.heads[recipient].items()},
        head_factors,
    )
    if settings.clip_norm:
        norms = squared_norms(shared) + (squared_norms(head) if head else 0)
        for task, of_head in enumerate(gradients.heads):
            if task != recipient:
                norms[task] += (share * weights[task]) ** 2 * sum(
                    one.square().sum() for one in of_head.values()
                )
        factors = clip_factors(norms.sqrt(), settings.clip_norm)
        shared, head = scaled(shared, factors), scaled(head, factors)
    of_head = dict(training.model.heads[recipient].named_parameters())
    head_updates = optimiser_updates(training.optimiser, settings, of_head, head)
    moved = {name: of_head[name].detach() - update for name, update in head_updates.items()}
    inputs = step.inputs[0 if len(step.inputs) == 1 else recipient]
    with torch.no_grad():
        features = features_after(
            training,
            step,
            inputs,
            optimiser_updates(training.optimiser, settings, training.shared, shared),
        )
        return heads.loss(step, recipient, features, moved)
