"""digits10: the ten handwritten digits of scikit-learn as one-against-the-rest tasks."""

from __future__ import annotations

from engine import TrainingSettings
from instances.images.digits import DigitsInstance, digits_info


class Digits10(DigitsInstance):
    """Ten digits, each against the rest, from 1078 training images."""

    info = digits_info("10 handwritten digits, one against the rest; trains offline", 0)
    backbone_options = {"hidden": 32, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=25, batch_size=64, patience=5)
