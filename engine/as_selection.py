"""A grouping as a selection: what its groups gain by a model, each task served where it gains most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.gain_model import GainModel
from engine.solution import Solution


def as_selection(model: GainModel, solution: Solution) -> Solution:
    """Return the same grouping with the serving groups and the values of its tasks by a gain model.

    The certificate stays that of the problem that was solved.

    Parameters
    ----------
    model
        Over the same tasks, in the same order.
    solution
        Holds a grouping, a partition of a pairwise graph for instance.
    """
    membership = np.array([[task in group.tasks for task in solution.tasks] for group in solution.groups])
    gains = model.predict(membership)
    better = gains if getattr(model, "quantity", "gain") == "gain" else -gains
    served = np.argmax(np.where(membership, better, -np.inf), axis=0)
    serving = {task: int(group) for task, group in zip(solution.tasks, served, strict=True)}
    values = {task: float(gains[group, column]) for column, (task, group) in enumerate(serving.items())}
    return replace(solution, serving=serving, task_values=values)
