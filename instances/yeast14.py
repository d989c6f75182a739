"""yeast14: fourteen functional classes of yeast genes."""

from __future__ import annotations

from typing import ClassVar

from engine.catalogue.instance import InstanceInfo
from engine.training.settings import TrainingSettings
from instances.reading.mulan import LICENCE, ORIGIN, MulanInstance, mulan

_TASKS = tuple(f"Class{number}" for number in range(1, 15))


class Yeast14(MulanInstance):
    """2417 genes, 103 numbers each, 14 binary tasks (Elisseeff and Weston, 2001)."""

    info = InstanceInfo(
        summary="14 functional classes of yeast genes, binary",
        tasks=_TASKS,
        n_groups=0,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(map(float, range(1, 15))),
        default_budget=4.0,
        origin=ORIGIN,
        licence=LICENCE,
        note="gains are made by engine collect; they are small, so that many seeds are needed",
    )
    file = mulan(
        "multi-label/yeast",
        "yeast.arff",
        "55c07a3b6ff885ae338fb6987a1d57f55572b29809922c2822c4885c61230dd7",
    )
    columns: ClassVar = dict(zip(_TASKS, _TASKS, strict=True))
    kind = "binary"
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=25, batch_size=64, patience=5)
