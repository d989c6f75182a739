"""etth1: forecasting seven hourly series of an electricity transformer."""

from __future__ import annotations

from engine import TrainingSettings
from instances.reading.ett import ETT, SERIES, EttInstance
from instances.reading.training_info import training_info


class ETTh1(EttInstance):
    """17420 hours of six loads and the oil temperature: 24 hours in, 6 hours out, by default."""

    info = training_info(
        "7 forecasting tasks on ETTh1, weekly blocks",
        SERIES,
        default_budget=3.0,
        publisher=ETT,
        note="with split='temporal' valid and test gains hardly agree",
    )
    file = ETT.file("ETTh1.csv", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066")
    # A GRU tells gains from noise as well, at five times the cost.
    backbone = "mlp"
    backbone_options = {"hidden": 64, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=12, batch_size=64, patience=3, learning_rate=3e-3)
