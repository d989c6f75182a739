"""wq14: fourteen plants and animals of Slovenian rivers, from the chemistry of the water."""

from __future__ import annotations

from typing import ClassVar

from engine.catalogue.instance import InstanceInfo
from engine.training.settings import TrainingSettings
from instances.reading.mulan import LICENCE, ORIGIN, MulanInstance, mulan

_COLUMNS = {
    "cladophora": "25400",
    "gongrosira": "29600",
    "oedogonium": "30400",
    "stigeoclonium": "33400",
    "melosira": "17300",
    "nitzschia": "19400",
    "audouinella": "34500",
    "erpobdella": "38100",
    "gammarus": "49700",
    "baetis": "50390",
    "hydropsyche": "55800",
    "rhyacophila": "57500",
    "simulium": "59300",
    "tubifex": "37880",
}


class Wq14(MulanInstance):
    """1060 samples, 16 chemical figures each; how abundant 14 genera are (Džeroski et al., 2000)."""

    info = InstanceInfo(
        summary="14 genera in rivers from water chemistry, regression",
        tasks=tuple(_COLUMNS),
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
        "multi-target", "wq.arff", "4a0906b4a51bf52c986790ddaf261ba51faa3da9cffe823badabd88d38d252fe"
    )
    columns: ClassVar = _COLUMNS
    kind = "regression"
    backbone = "mlp"
    backbone_options = {"hidden": 32, "layers": 2}  # noqa: RUF012
    settings = TrainingSettings(epochs=25, batch_size=64, patience=5)
