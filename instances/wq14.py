"""wq14: fourteen plants and animals of Slovenian rivers, from the chemistry of the water."""

from __future__ import annotations

from typing import ClassVar

from instances.reading.mulan import MULAN, MulanInstance, mulan_info

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

    info = mulan_info("14 genera in rivers from water chemistry, regression", tuple(_COLUMNS))
    file = MULAN.file(
        "wq.arff",
        "4a0906b4a51bf52c986790ddaf261ba51faa3da9cffe823badabd88d38d252fe",
        within="multi-target",
    )
    columns: ClassVar = _COLUMNS
    kind = "regression"
