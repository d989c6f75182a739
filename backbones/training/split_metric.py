"""Metrics of a task on a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backbones.training.batches import DeviceData
from engine.data.metrics import evaluate


def split_metric(
    data: DeviceData, task: int, outputs: NDArray[np.float64], split: str
) -> NDArray[np.float64]:
    """Return a task's metric on the labelled rows of a split.

    Parameters
    ----------
    data, task, split
        What is judged.
    outputs
        Shape (…, rows, outputs).

    Returns
    -------
    ndarray
        Shape (…).
    """
    targets = data.data.targets[task][data.data.rows(split, task)]
    known = np.isfinite(targets if targets.ndim == 1 else targets.sum(axis=1))
    # Contiguous per network, so that sums round alike for one network and for many.
    judged = np.ascontiguousarray(outputs[..., known, :])
    return evaluate(data.data.tasks[task].metric, judged, targets[known])
