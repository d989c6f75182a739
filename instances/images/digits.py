"""Handwritten digits that come with scikit-learn, one against the rest, and tasks of noise beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import InstanceInfo, MultiTaskData, Task, TrainableInstance, UsageError
from engine.data.splits import stratified_splits
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info, with_tasks

Integers = NDArray[np.int64]

DIGITS = tuple(f"digit_{digit}" for digit in range(10))


def digits_info(summary: str, n_noise: int) -> InstanceInfo:
    """Return the information on an instance of digits.

    Parameters
    ----------
    summary
        As in :class:`~engine.InstanceInfo`.
    n_noise
        Tasks with random labels.
    """
    publisher = Publisher(
        origin="scikit-learn load_digits (UCI optical recognition of handwritten digits, test part)",
        licence="CC BY 4.0",
    )
    return training_info(summary, _tasks(n_noise), default_budget=3.0, publisher=publisher)


class DigitsInstance(TrainableInstance):
    """Base of the instances on 1797 images of 8 × 8 pixels, bundled with scikit-learn: works offline.

    Parameters
    ----------
    name, data_dir
        As in :class:`~engine.Instance`.
    n_noise
        Tasks to add whose labels are drawn at random, 0 or 1 with equal chance: nothing can be learned
        from them, so that a good grouping keeps them away from the digits.
    n_train
        Training samples, evenly drawn from the digits; None: all 1078 of them.
    seed
        Of the split, the draw and the random labels.

    Raises
    ------
    UsageError
        If ``n_noise`` is negative, or there are not so many training samples.
    """

    backbone = "mlp"

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        n_noise: int = 0,
        n_train: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(name, data_dir)
        if n_noise < 0:
            raise UsageError(f"n_noise must be 0 or more, not {n_noise}.")
        self.n_noise, self.n_train, self.seed = n_noise, n_train, seed
        self.info = with_tasks(self.info, _tasks(n_noise))

    def data(self) -> MultiTaskData:
        """Return the images, flattened, and one binary target per task."""
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        random = np.random.default_rng((self.seed, 1))
        noise = random.integers(0, 2, (self.n_noise, len(images))).astype(float)
        splits = stratified_splits(labels[:, None].astype(float), seed=self.seed)
        if self.n_train is not None:
            splits["train"] = (self._drawn(splits["train"][0], labels, self.n_train),)
        return MultiTaskData(
            tuple(Task(name, "binary") for name in self.info.tasks),
            (np.asarray(images / 16, dtype=np.float32),),
            (*((labels == digit).astype(float) for digit in range(10)), *noise),
            splits,
            name=self.name,
            provenance=self.info.origin,
        )

    def _drawn(self, rows: Integers, labels: Integers, count: int) -> Integers:
        """Return some of the rows, as many of every digit, or one more."""
        if not 0 < count <= len(rows):
            raise UsageError(f"n_train must be 1 to {len(rows)}, not {count}.")
        drawn = np.random.default_rng((self.seed, 2)).permutation(rows)
        place = np.empty(len(drawn), dtype=np.int64)
        for digit in range(10):
            own = np.flatnonzero(labels[drawn] == digit)
            place[own] = np.arange(len(own))
        return np.sort(drawn[np.argsort(place, kind="stable")[:count]])


def _tasks(n_noise: int) -> tuple[str, ...]:
    return (*DIGITS, *(f"noise_{index}" for index in range(n_noise)))
