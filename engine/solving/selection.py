"""A grouping as a selection: what its groups gain by a model, each task served where it gains most."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.gains.model import GainModel
from engine.solving.solution import Solution


def as_selection(model: GainModel, solution: Solution) -> Solution:
    """Return the same grouping with the serving groups and the values of its tasks by a gain model.

    The certificate stays that of the problem that was solved.

    Parameters
    ----------
    model
        Over the same tasks.
    solution
        Holds a grouping, a partition of a pairwise graph for instance.
    """
    membership = np.array([[task in group.tasks for task in model.tasks] for group in solution.groups])
    gains = model.predict(membership)
    better = gains if getattr(model, "quantity", "gain") == "gain" else -gains
    served = np.argmax(np.where(membership, better, -np.inf), axis=0)
    column = {task: place for place, task in enumerate(model.tasks)}
    serving = {task: int(served[column[task]]) for task in solution.tasks}
    values = {task: float(gains[group, column[task]]) for task, group in serving.items()}
    return replace(solution, serving=serving, task_values=values)


def selection_value(model: GainModel, solution: Solution) -> float | None:
    """Return the total gain of a grouping under another model, each task served where it gains most.

    What a partition of a graph is worth as a selection: under the pair-mean model of the same
    affinity, for instance. The total loss for a model of losses, each task served where it loses
    least. None where there is no grouping.

    Parameters
    ----------
    model
        A gain model of the same tasks.
    solution
        The grouping.
    """
    if not solution.found:
        return None
    return math.fsum(as_selection(model, solution).task_values.values())
