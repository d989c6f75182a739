"""tox21: twelve toxicity assays of molecules."""

from __future__ import annotations

from engine import TrainingSettings
from instances.reading.molecules import DEEPCHEM, MoleculeInstance, molecule_info

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

    info = molecule_info(
        "12 toxicity assays of molecules, binary with missing labels", _TASKS, default_budget=4.0
    )
    file = DEEPCHEM.file("tox21.csv.gz", "48b34e4e59a2bae6f95734cd206c1869ab355f50a5e50bb7371a21f861d5e297")
    settings = TrainingSettings(epochs=12, batch_size=128, patience=3)
