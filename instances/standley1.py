"""standley1: five vision tasks, losses, half-size single-task networks at half the cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine import CatalogueInstance, DataError, GainTensor, InstanceInfo, Provenance, UsageError, tabulate
from engine.files import read_text
from engine.gains.pair_mean import PairMeanModel
from engine.gains.predictions import fit_provenance
from instances.reading.published_files import RAW, Publisher, locate

_PUBLISHER = Publisher(
    origin="github.com/tstandley/taskgrouping, network_selection, commit 077e842",
    licence="MIT",
    url=f"{RAW}/tstandley/taskgrouping/077e842d1b4796dade82a3a5697cfe601b347880/network_selection",
    folder="standley",
)
_FILES = {
    ("measured", "valid"): _PUBLISHER.file(
        "results.txt", "1db223f1679a9d5dc22231b57f05e0dd3e287da3b5f60bd00c95a0309784b06a"
    ),
    ("measured", "test"): _PUBLISHER.file(
        "results_test.txt", "010b6f7840eeb77defc5d309ed50f1b92ff2fcc7a518b89835aeec121a12ef10"
    ),
    ("esa", "valid"): _PUBLISHER.file(
        "results_20.txt", "3d209286d539b530b9b8c1c06396752bf383112b9ecc958854d01e426784fad0"
    ),
}


class Standley1(CatalogueInstance):
    """Setting 1 of "Which Tasks Should Be Learned Together": 31 networks and five half-size ones.

    The files are tab-separated with five columns, empty where the task is not a member. The first
    row holds the losses of five half-size single-task networks, which become five groups of cost ½;
    every other row is one network of cost 1.

    The files do not name the columns. Their order, segmentation, depth, normals, keypoints, edges, is
    the order in which the publisher's training code lists its losses, and agrees with what the paper
    says of the normals: the third column helps the others more often than any other column does (20
    of 32 comparisons on the test split, the next 16), and is itself worse in every group than alone.
    """

    info = InstanceInfo(
        summary="5 vision tasks, losses of 31 networks and 5 half-size ones (Standley et al., setting 1)",
        tasks=("semantic_segmentation", "depth", "normals", "keypoints", "edges"),
        n_groups=36,
        sources=("measured", "hoa", "esa"),
        source_split="valid",
        evaluation_split="test",
        budgets=(1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0),
        default_budget=3.0,
        quantity="loss",
        origin=_PUBLISHER.origin,
        licence=_PUBLISHER.licence,
        note="Losses, lower is better; the budget is a total cost. hoa keeps the measured singles and pairs; "
        "esa are losses after a fifth of a pass, on another scale than the final ones.",
    )

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the losses of a source on a split."""
        if (source, split) == ("hoa", "valid"):
            return _approximated(self.recorded("measured", "valid"))
        file = _FILES.get((source, split))
        if file is None:
            raise UsageError(
                f"Instance {self.name!r} has no losses of {source!r} on {split!r}. It has: measured on "
                "valid, measured on test, hoa on valid, esa on valid."
            )
        tensor = _read(locate(file, self.data_dir), self.info.tasks)
        measured = np.full(tensor.n_groups, source == "measured")
        return replace(
            tensor, measured=measured, source=source, split=split, provenance=Provenance(self.info.origin)
        )


def _read(path: Path, tasks: tuple[str, ...]) -> GainTensor:
    rows = [line.split("\t") for line in read_text(path).splitlines() if line.strip()]
    try:
        losses = np.array([[float(cell) if cell else np.nan for cell in row] for row in rows])
    except ValueError as error:
        raise DataError(f"{path}: this is not a table of losses ({error}).") from error
    half = np.where(np.eye(len(tasks), dtype=bool), losses[0], np.nan)
    losses = np.vstack([half, losses[1:]])
    cost = np.where(np.arange(len(losses)) < len(tasks), 0.5, 1.0)
    return GainTensor.from_dense(tasks, ~np.isnan(losses), losses, cost=cost, quantity="loss")


def _approximated(measured: GainTensor) -> GainTensor:
    """Keep singles and pairs as measured, and predict larger groups by the mean over their pairs."""
    model = PairMeanModel.from_gains(measured, source="hoa")
    predicted = tabulate(
        model, measured.membership, split=measured.split, cost=measured.cost, quantity="loss"
    )
    small = measured.sizes <= 2
    return replace(
        predicted,
        values=np.where(small[measured.entry_rows], measured.values, predicted.values),
        measured=small,
        provenance=fit_provenance("hoa", measured),
    )
