"""tox21: twelve toxicity assays of molecules."""

from __future__ import annotations

from typing import ClassVar

from engine.catalogue.instance import InstanceInfo
from engine.training.settings import TrainingSettings
from instances.reading.molecules import LICENCE, ORIGIN, MoleculeInstance, deepchem

_TASKS = (
    "NR-AR",
    "NR-AR-LBD",
    "NR-AhR",
    "NR-Aromatase",
    "NR-ER",
    "NR-ER-LBD",
    "NR-PPAR-gamma",
    "SR-ARE",
    "SR-ATAD5",
    "SR-HSE",
    "SR-MMP",
    "SR-p53",
)


class Tox21(MoleculeInstance):
    """8014 molecules, 12 binary tasks with missing labels (Tox21 challenge, 2014)."""

    info = InstanceInfo(
        summary="12 toxicity assays of molecules, binary with missing labels",
        tasks=_TASKS,
        n_groups=0,
        source_split="valid",
        evaluation_split="test",
        budgets=tuple(map(float, range(1, 13))),
        default_budget=4.0,
        origin=ORIGIN,
        licence=LICENCE,
        note="gains are made by engine collect; needs rdkit, the extra molecules",
    )
    file = deepchem("tox21.csv.gz", "48b34e4e59a2bae6f95734cd206c1869ab355f50a5e50bb7371a21f861d5e297")
    columns: ClassVar = dict(zip(_TASKS, _TASKS, strict=True))
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 1}  # noqa: RUF012
    settings = TrainingSettings(epochs=12, batch_size=128, patience=3)
