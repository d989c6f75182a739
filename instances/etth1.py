"""etth1: forecasting seven hourly series of an electricity transformer."""

from __future__ import annotations

from engine.catalogue.instance import InstanceInfo
from engine.training.settings import TrainingSettings
from instances.reading.ett import LICENCE, ORIGIN, SERIES, EttInstance, ett


class ETTh1(EttInstance):
    """17420 hours of six loads and the oil temperature: 24 hours in, 6 hours out, by default."""

    info = InstanceInfo(
        summary="7 forecasting tasks on ETTh1, weekly blocks",
        tasks=SERIES,
        n_groups=0,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(map(float, range(1, 8))),
        default_budget=3.0,
        origin=ORIGIN,
        licence=LICENCE,
        note="gains are made by engine collect; with split='temporal' valid and test gains hardly agree",
    )
    file = ett("ETTh1.csv", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066")
    # A GRU tells gains from noise as well, at five times the cost.
    backbone = "mlp"
    backbone_options = {"hidden": 64, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=12, batch_size=64, patience=3, learning_rate=3e-3)
