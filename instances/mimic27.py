"""mimic27: 27 clinical prediction tasks, 3185 trained groups, published with MTG-Net."""

from __future__ import annotations

from typing import ClassVar

from instances.reading.mimic_tasks import MIMIC_TASKS
from instances.reading.mtgnet_gains import MTGNET, MtgNetInstance, mtgnet_info


class Mimic27(MtgNetInstance):
    """MIMIC-III with 27 tasks: all singles, all pairs, the full group, 2806 random groups of 6–22."""

    info = mtgnet_info(
        "27 clinical tasks on MIMIC-III, 3185 trained groups",
        MIMIC_TASKS,
        n_groups=3185,
        default_budget=6.0,
        predicted=5304,
        note="Test is no second measurement: for every group of 6 to 22 tasks, 1 + test gain is 1 + valid "
        "gain times one constant per task, to rounding, so that optimism here is no winner's curse. The tag "
        "gains are as published; how they were collected is not documented.",
    )
    membership = MTGNET.file(
        "mimic27/mimic_x.csv", "4e93535d2d437f7a361560d89004b7ba531bfdc9f0653ecb440099f385b2fabb"
    )
    predictions = "mimic27.npz"
    files: ClassVar = {
        ("measured", "valid"): MTGNET.file(
            "mimic27/mimic_y_valid.csv", "ff9648395cc7759bfd6cc0ad3662d605fcd323ed88afafaffe89dd214190bdaf"
        ),
        ("measured", "test"): MTGNET.file(
            "mimic27/mimic_y_test.csv", "331ff238dc9c9df12c08ccf68456282f2a55554e4205c93c1e073d6471880bbf"
        ),
        ("hoa", "valid"): MTGNET.file(
            "mimic27/mimic_HOA.csv", "9f06fe345eff114dc636a7daec9bd26baae01c557a5f8e50e615534ce866563b"
        ),
        ("tag", "valid"): MTGNET.file(
            "mimic27/mimic_TAGHOA.csv", "774b86ba294e27f11db9b6efb898920b86c81cd9055045827e12c337489aa798"
        ),
    }
