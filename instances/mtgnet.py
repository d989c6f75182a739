"""What the instances published with MTG-Net have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from engine import CatalogueInstance, GainTensor, UsageError, read_gains
from instances.published import PublishedFile, locate

ORIGIN = "github.com/ShawnKS/MTG-Net, gain_collection/collected_gain, commit dd361da"
LICENCE = "none stated: downloaded on use, not redistributed"


class MtgNetInstance(CatalogueInstance):
    """One membership file, and a gain file per source and split.

    Rows of the predicting sources are the publisher's own, computed and rounded, so all of them
    count as predicted, pairs too.
    """

    membership: ClassVar[PublishedFile]
    files: ClassVar[Mapping[tuple[str, str], PublishedFile]]

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the published gains of a source on a split.

        Raises
        ------
        DataError
            If the data cannot be had.
        UsageError
            If nothing was published for this source and split.
        """
        file = self.files.get((source, split))
        if file is None:
            published = ", ".join(f"{one} on {other}" for one, other in self.files)
            raise UsageError(
                f"Instance {self.name!r} has no gains of {source!r} on {split!r}. It has: {published}."
            )
        tensor = read_gains(
            (locate(self.membership, self.data_dir), locate(file, self.data_dir)),
            tasks=self.info.tasks,
            source=source,
            split=split,
        )
        measured = tensor.measured if source == "measured" else ~tensor.measured
        return replace(tensor, measured=measured, provenance=f"{ORIGIN}, {file.path.rpartition('/')[2]}")
