"""sider27: side effects of drugs, by system and organ."""

from __future__ import annotations

from typing import ClassVar

from engine import TrainingSettings
from instances.reading.molecules import DEEPCHEM, MoleculeInstance, molecule_info

_COLUMNS = {
    "hepatobiliary_disorders": "Hepatobiliary disorders",
    "metabolism_and_nutrition_disorders": "Metabolism and nutrition disorders",
    "product_issues": "Product issues",
    "eye_disorders": "Eye disorders",
    "investigations": "Investigations",
    "musculoskeletal_and_connective_tissue_disorders": "Musculoskeletal and connective tissue disorders",
    "gastrointestinal_disorders": "Gastrointestinal disorders",
    "social_circumstances": "Social circumstances",
    "immune_system_disorders": "Immune system disorders",
    "reproductive_system_and_breast_disorders": "Reproductive system and breast disorders",
    "neoplasms": "Neoplasms benign, malignant and unspecified (incl cysts and polyps)",
    "general_and_administration_site": "General disorders and administration site conditions",
    "endocrine_disorders": "Endocrine disorders",
    "surgical_and_medical_procedures": "Surgical and medical procedures",
    "vascular_disorders": "Vascular disorders",
    "blood_and_lymphatic_system_disorders": "Blood and lymphatic system disorders",
    "skin_and_subcutaneous_tissue_disorders": "Skin and subcutaneous tissue disorders",
    "congenital_familial_and_genetic_disorders": "Congenital, familial and genetic disorders",
    "infections_and_infestations": "Infections and infestations",
    "respiratory_thoracic_and_mediastinal_disorders": "Respiratory, thoracic and mediastinal disorders",
    "psychiatric_disorders": "Psychiatric disorders",
    "renal_and_urinary_disorders": "Renal and urinary disorders",
    "pregnancy_puerperium_and_perinatal_conditions": "Pregnancy, puerperium and perinatal conditions",
    "ear_and_labyrinth_disorders": "Ear and labyrinth disorders",
    "cardiac_disorders": "Cardiac disorders",
    "nervous_system_disorders": "Nervous system disorders",
    "injury_poisoning_and_procedural_complications": "Injury, poisoning and procedural complications",
}


class Sider27(MoleculeInstance):
    """1427 drugs, 27 binary tasks (SIDER; Kuhn et al., 2016)."""

    info = molecule_info("27 kinds of side effects of drugs, binary", tuple(_COLUMNS), default_budget=6.0)
    file = DEEPCHEM.file("sider.csv.gz", "4cc7ccb20dded475853c583596e227116c222c6ca7dbb40159bdbe9ee3f099b9")
    columns: ClassVar = _COLUMNS
    settings = TrainingSettings(epochs=25, batch_size=64, patience=4)
