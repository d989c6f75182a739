"""taskonomy5: five vision tasks, every group trained, published with MTG-Net."""

from __future__ import annotations

from typing import ClassVar

from engine import InstanceInfo
from instances.reading.mtgnet import LICENCE, ORIGIN, MtgNetInstance
from instances.reading.published import mtgnet

_GAINS = mtgnet("taskonomy/taskonomy.csv", "679039b4480428fbecd2aa57155fdc70076821fa87d7823bfa9fb965d7c9dec6")

_TASKS = (
    "One gain file is both source and evaluation, so the optimism of its gains is zero by construction. "
    "The order of the tasks is inferred from the gains."
)


class Taskonomy5(MtgNetInstance):
    """Taskonomy with five tasks: all 31 groups, one gain file that is both source and evaluation."""

    info = InstanceInfo(
        summary="5 vision tasks on Taskonomy, all 31 groups trained (MTG-Net)",
        tasks=("semantic_segmentation", "depth", "normals", "keypoints", "edges"),
        n_groups=31,
        sources=("measured", "hoa", "tag"),
        source_split="published",
        evaluation_split="published",
        budgets=(1.0, 2.0, 3.0, 4.0, 5.0),
        default_budget=3.0,
        origin=ORIGIN,
        licence=LICENCE,
        bundled="predictions of 31 groups, which come with the engine",
        note=f"{_TASKS} The tag gains are those of another publication, probably in another order of tasks.",
    )
    tasks_note = _TASKS
    membership = mtgnet(
        "taskonomy/taskonomy_x.csv", "9f09566ea6230b8f6dbca9014ae57e5a77636c5e784c9d280faedb9ae98cce33"
    )
    predictions = "taskonomy5.npz"
    files: ClassVar = {
        ("measured", "published"): _GAINS,
        ("hoa", "published"): mtgnet(
            "taskonomy/taskonomy_HOA.csv", "0243cb22404d0f698fe49c4a7bf4f0d9298f1859341218548a6a22a9e26720c8"
        ),
        ("tag", "published"): mtgnet(
            "taskonomy/taskonomy_TAGHOA.csv",
            "3aa025762174136578f29514f62a3f6fe1636c0a9b3345e296ab20caf55b32bb",
        ),
    }
