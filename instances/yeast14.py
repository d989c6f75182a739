"""yeast14: fourteen functional classes of yeast genes."""

from __future__ import annotations

from instances.reading.mulan import MULAN, MulanInstance, mulan_info


class Yeast14(MulanInstance):
    """2417 genes, 103 numbers each, 14 binary tasks (Elisseeff and Weston, 2001)."""

    info = mulan_info(
        "14 functional classes of yeast genes, binary", [f"Class{number}" for number in range(1, 15)]
    )
    file = MULAN.file(
        "yeast.arff",
        "55c07a3b6ff885ae338fb6987a1d57f55572b29809922c2822c4885c61230dd7",
        within="multi-label/yeast",
    )
    kind = "binary"
