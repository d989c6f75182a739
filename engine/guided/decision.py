"""The final choice: measured beats predicted, and how much of the promise to believe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.gains.model import PosteriorModel
from engine.gains.source import Predictor
from engine.gains.tensor import GainTensor
from engine.guided.belief import Belief
from engine.guided.question import Question
from engine.solving.solution import Solution

Numbers = NDArray[np.float64]

FOLDS = 5
"""In so many parts the measured groups are left out to estimate the optimism."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Decision:
    """What to train for good.

    Attributes
    ----------
    budget
        The limit on the cost of the groups.
    cautious
        The solution where every prediction counts κ errors less than it says; measured gains count in
        full. The one to go by.
    plain
        The solution where predictions count as they are, for comparison: choosing the best of many
        uncertain values promises too much.
    promised
        Mean over tasks of the gains by which ``cautious`` was chosen.
    optimism
        By how much the promise is expected to be missed, mean over tasks: see :func:`optimism`. None
        where the noise of a measurement is not known.
    """

    budget: float
    cautious: Solution
    plain: Solution
    promised: float
    optimism: float | None


def decide(belief: Belief, question: Question, budget: float, kappa: float, predictor: Predictor) -> Decision:
    """Choose the groups to train for good.

    Parameters
    ----------
    belief
        What is known and believed.
    question
        The problem.
    budget
        The limit on the cost of the groups.
    kappa
        How many errors a prediction counts less.
    predictor
        What made the belief; it is fitted again to estimate the optimism.

    Raises
    ------
    DataError
        If the demands leave no choice.
    """
    cautious = question.solutions(belief.optimistic(-kappa), [budget]).get(budget)
    plain = question.solutions(belief.gains, [budget]).get(budget)
    if cautious is None or plain is None:
        raise DataError(f"No choice of groups meets the demands within a budget of {budget:g}.")
    return Decision(
        budget=budget,
        cautious=cautious,
        plain=plain,
        promised=float(np.mean(list(cautious.task_values.values()))),
        optimism=optimism(belief, cautious, predictor),
    )


def optimism(belief: Belief, solution: Solution, predictor: Predictor) -> float | None:
    """Return by how much a solution is expected to miss its promise, mean over tasks.

    A measured gain that was chosen because it is high is high in part by luck. How much, is told by
    gains predicted from other groups only: the predictor is fitted with a part of the groups left out,
    and the best estimate of a true gain lies between this prediction and the measurement, each
    weighted by its precision. A prediction that was chosen counts by its own value.

    Parameters
    ----------
    belief
        What the solution was chosen on.
    solution
        The chosen groups and who serves whom.
    predictor
        Fitted on the groups that are not left out.

    Returns
    -------
    float or None
        In the unit of the gains, positive where the promise is too high. None where the noise of a
        measurement is not known: the gains have no standard errors and the model knows none. What all
        groups of a task have in common, as the luck of its single-task baseline, is not seen.
    """
    gains = belief.gains
    measured = gains.select(gains.measured)
    serving = {task: solution.groups[index] for task, index in solution.serving.items()}
    held = sorted(
        {
            measured.find(group.tasks)[0]
            for group in serving.values()
            if group.measured and len(group.tasks) > 1
        }
    )
    expected = measured.gains.copy()
    for part in np.array_split(np.array(held, dtype=np.int64), min(FOLDS, len(held))) if held else ():
        hidden = np.isin(np.arange(measured.n_groups), part)
        estimates = _shrunk_gains(measured, hidden, predictor)
        if estimates is None:
            return None
        expected[hidden] = estimates
    missed = [
        solution.task_values[task] - expected[measured.find(group.tasks)[0], gains.task_index(task)]
        for task, group in serving.items()
        if group.measured
    ]
    upward = 1.0 if gains.quantity == "gain" else -1.0
    return upward * float(np.sum(missed)) / len(serving)


def _shrunk_gains(measured: GainTensor, hidden: NDArray[np.bool_], predictor: Predictor) -> Numbers | None:
    """Return gains of m groups, (m, N), drawn towards what all others say of them; None where unknown."""
    try:
        model = predictor.fit(measured.select(~hidden))
    except DataError:
        return None
    if not isinstance(model, PosteriorModel):
        return None
    asked = measured.select(hidden)
    predicted, noise = model.predict(asked.membership), np.square(model.noise(asked.membership))
    variance = np.maximum(np.square(model.std(asked.membership)) - noise, 0.0)
    if asked.std is not None:
        own = np.square(asked.dense(asked.std))
        noise = np.where(np.isnan(own), noise, own)
    weight = np.divide(variance, variance + noise, out=np.ones_like(variance), where=variance + noise > 0)
    shrunk: Numbers = predicted + weight * (asked.gains - predicted)
    return shrunk
