"""digits14: the ten digits from few samples, and four tasks whose labels are random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.training.settings import TrainingSettings
from instances.digits10 import TASKS, Digits10, noise_names


class Digits14(Digits10):
    """:class:`~instances.digits10.Digits10` with four tasks of noise: a good grouping finds them.

    Trained on 15 samples per digit: with all 1078 a digit alone is learned so well that its loss is next
    to nothing, and gains relative to it say little. Networks are trained until they are done: of one
    digit alone after some 140 of at most 400 epochs. Width, depth and learning rate are those with the
    least validation loss of single digits. Compare log ratios of losses, not relative gains.

    Parameters
    ----------
    name, data_dir, n_noise, n_train, seed
        As in :class:`~instances.digits10.Digits10`.
    """

    info = replace(
        Digits10.info,
        summary="10 handwritten digits and 4 tasks of random labels; trains offline",
        tasks=(*TASKS, *noise_names(4)),
        budgets=tuple(map(float, range(1, 15))),
    )
    backbone_options = {"hidden": 64, "layers": 1}  # noqa: RUF012
    settings = TrainingSettings(epochs=400, batch_size=64, patience=10, learning_rate=3e-3)

    def __init__(
        self,
        name: str = "digits14",
        data_dir: Path | None = None,
        *,
        n_noise: int = 4,
        n_train: int | None = 150,
        seed: int = 0,
    ) -> None:
        super().__init__(name, data_dir, n_noise=n_noise, n_train=n_train, seed=seed)
