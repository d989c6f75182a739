"""What the instances published with MTG-Net have in common."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from engine import (
    CatalogueInstance,
    DataError,
    GainTensor,
    Instance,
    PredictedGainsWarning,
    Provenance,
    ReadOptions,
    UsageError,
    read_gains,
)
from instances.reading.bundled_instance import BundledInstance
from instances.reading.bundled_predictions import FOLDER, read_predictions
from instances.reading.published import PublishedFile, UnobtainableError, locate, named_folders

ORIGIN = "github.com/ShawnKS/MTG-Net, gain_collection/collected_gain, commit dd361da"
LICENCE = "none stated: downloaded on use, not redistributed"


class MtgNetInstance(CatalogueInstance):
    """One membership file, and a gain file per source and split.

    Rows of the predicting sources are the publisher's own, computed and rounded, so all of them
    count as predicted, pairs too. Where the measured gains cannot be had, predictions of our own
    come in their place.

    Attributes
    ----------
    membership
        The groups.
    files
        The gains, by source and split.
    predictions
        Name of the file of predictions that comes with the engine.
    tasks_note
        What a reader must know of the tasks and splits, whatever the gains are.
    """

    membership: ClassVar[PublishedFile]
    files: ClassVar[Mapping[tuple[str, str], PublishedFile]]
    predictions: ClassVar[str]
    tasks_note: ClassVar[str] = ""

    def at_hand(self) -> Instance:
        """Return this instance if its measured gains can be had, else predictions that tell so.

        Raises
        ------
        DataError
            If the gains are not what was published, or cannot be had although a folder was named
            for them: whoever named it wants those gains.
        """
        try:
            for file in self.measured_files():
                locate(file, self.data_dir)
        except UnobtainableError as error:
            if named_folders(self.data_dir):
                raise DataError(
                    f"{error} Or solve predictions of ours: leave out --data-dir and unset ENGINE_DATA."
                ) from error
            bundle = read_predictions(FOLDER / self.predictions)
            found = BundledInstance(self.name, self.info, self.tasks_note, bundle, str(error))
            warnings.warn(found.notice, PredictedGainsWarning, stacklevel=3)
            return found
        return self

    def measured_files(self) -> Iterator[PublishedFile]:
        """Yield the files that the measured gains are in."""
        yield self.membership
        for (source, _), file in self.files.items():
            if source == "measured":
                yield file

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
            ReadOptions(tasks=self.info.tasks, source=source, split=split),
        )
        measured = tensor.measured if source == "measured" else ~tensor.measured
        return replace(
            tensor, measured=measured, provenance=Provenance(f"{ORIGIN}, {file.path.rpartition('/')[2]}")
        )
