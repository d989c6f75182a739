"""digits14: the ten digits from few samples, and four tasks whose labels are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import TrainingSettings
from instances.images.digits import DigitsInstance, digits_info


class Digits14(DigitsInstance):
    """Ten digits with four tasks of noise: a good grouping finds them.

    Trained on 15 samples per digit: with all 1078 a digit alone is learned so well that its loss is next
    to nothing, and gains relative to it say little. Networks are trained until they are done: of one
    digit alone after some 140 of at most 400 epochs. Width, depth and learning rate are those with the
    least validation loss of single digits. Compare log ratios of losses, not relative gains.

    Parameters
    ----------
    name, data_dir, n_noise, n_train, **options
        As in :class:`~instances.images.digits.DigitsInstance`.
    """

    info = digits_info("10 handwritten digits and 4 tasks of random labels; trains offline", 4)
    backbone_options = {"hidden": 64, "layers": 1}  # noqa: RUF012
    settings = TrainingSettings(epochs=400, batch_size=64, patience=10, learning_rate=3e-3)

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        n_noise: int = 4,
        n_train: int | None = 150,
        **options: Any,
    ) -> None:
        super().__init__(name, data_dir, n_noise=n_noise, n_train=n_train, **options)
