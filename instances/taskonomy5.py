"""taskonomy5: five vision tasks, every group trained, published with MTG-Net."""

from __future__ import annotations

from typing import ClassVar

from instances.reading.mtgnet_gains import MTGNET, MtgNetInstance, mtgnet_info

_TASKS = (
    "One gain file is both source and evaluation, so the optimism of its gains is zero by construction. "
    "The order of the tasks is inferred from the gains."
)


class Taskonomy5(MtgNetInstance):
    """Taskonomy with five tasks: all 31 groups, one gain file that is both source and evaluation."""

    info = mtgnet_info(
        "5 vision tasks on Taskonomy, all 31 groups trained",
        ("semantic_segmentation", "depth", "normals", "keypoints", "edges"),
        n_groups=31,
        splits=("published", "published"),
        predicted=31,
        note=f"{_TASKS} The tag gains are those of another publication, probably in another order of tasks.",
    )
    tasks_note = _TASKS
    membership = MTGNET.file(
        "taskonomy/taskonomy_x.csv", "9f09566ea6230b8f6dbca9014ae57e5a77636c5e784c9d280faedb9ae98cce33"
    )
    predictions = "taskonomy5.npz"
    files: ClassVar = {
        ("measured", "published"): MTGNET.file(
            "taskonomy/taskonomy.csv", "679039b4480428fbecd2aa57155fdc70076821fa87d7823bfa9fb965d7c9dec6"
        ),
        ("hoa", "published"): MTGNET.file(
            "taskonomy/taskonomy_HOA.csv", "0243cb22404d0f698fe49c4a7bf4f0d9298f1859341218548a6a22a9e26720c8"
        ),
        ("tag", "published"): MTGNET.file(
            "taskonomy/taskonomy_TAGHOA.csv",
            "3aa025762174136578f29514f62a3f6fe1636c0a9b3345e296ab20caf55b32bb",
        ),
    }
