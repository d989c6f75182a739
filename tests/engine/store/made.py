"""Experiments and results made up for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine import Experiment, MultiTaskData, Task, TrainedGroups
from engine.data.splits import random_splits

SPLITS = ("test", "valid")


def experiment(n_tasks: int = 4, name: str = "made", metrics: Iterable[str] = ()) -> Experiment:
    """An experiment whose last tasks have these metrics."""
    random = np.random.default_rng(0)
    metrics = list(metrics)
    metrics = [""] * (n_tasks - len(metrics)) + metrics
    return Experiment(
        MultiTaskData(
            tuple(Task(f"t{index}", metric=metric) for index, metric in enumerate(metrics)),
            (random.standard_normal((20, 3)),),
            tuple(random.standard_normal((n_tasks, 20))),
            random_splits(20),
            name=name,
        ),
        "mlp",
    )


def groups(*texts: str) -> NDArray[np.bool_]:
    """Membership from texts such as ``1100``."""
    return np.array([[letter == "1" for letter in text] for text in texts])


def trained(membership: NDArray[np.bool_], seed: int, salt: int = 0) -> TrainedGroups:
    """Results that depend on nothing but the groups, the seed and ``salt``."""
    values = {}
    for split in SPLITS:
        for of in ("metric", "loss"):
            values[split, of] = np.full(membership.shape, np.nan)
            for row, member in enumerate(membership):
                key = [seed, salt, SPLITS.index(split), of == "loss", *np.flatnonzero(member).tolist()]
                drawn = np.random.default_rng(key).uniform(0.1, 2, member.sum())
                values[split, of][row, member] = drawn
    count = len(membership)
    curves = [
        np.where(member, np.random.default_rng([seed, row]).random((3 + row % 2, len(member))), np.nan)
        for row, member in enumerate(membership)
    ]
    return TrainedGroups(
        membership,
        seed,
        {split: values[split, "metric"] for split in SPLITS},
        {split: values[split, "loss"] for split in SPLITS},
        {"valid": tuple(curves)},
        np.arange(count) + 3,
        np.arange(count) + 1,
        np.full(count, 0.1),
    )
