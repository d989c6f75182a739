"""What the instances published with MTG-Net have in common."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from engine import (
    CatalogueInstance,
    DataError,
    GainTensor,
    Instance,
    InstanceInfo,
    PredictedGainsWarning,
    Provenance,
    ReadOptions,
    UsageError,
    read_gains,
)
from instances.reading.bundled_instance import BundledInstance
from instances.reading.bundled_predictions import FOLDER, read_predictions
from instances.reading.published_files import (
    RAW,
    PublishedFile,
    Publisher,
    UnobtainableError,
    locate,
    named_folders,
)
from instances.reading.training_info import one_to

MTGNET = Publisher(
    origin="github.com/ShawnKS/MTG-Net, gain_collection/collected_gain, commit dd361da",
    licence="none stated: downloaded on use, not redistributed",
    url=f"{RAW}/ShawnKS/MTG-Net/dd361daa0dd2811ea07b0f25a972e675d5b9e29f/gain_collection/collected_gain",
    folder="mtgnet",
)


def mtgnet_info(
    summary: str,
    tasks: Sequence[str],
    *,
    n_groups: int,
    splits: tuple[str, str] = ("valid", "test"),
    default_budget: float = 3.0,
    predicted: int,
    note: str,
) -> InstanceInfo:
    """Return the information on an instance published with MTG-Net.

    Parameters
    ----------
    summary, tasks, n_groups, default_budget, note
        As in :class:`~engine.InstanceInfo`.
    splits
        The split of the source and that of the evaluation.
    predicted
        Number of groups of which predictions come with the engine.
    """
    return InstanceInfo(
        summary=f"{summary} (MTG-Net)",
        tasks=tuple(tasks),
        n_groups=n_groups,
        sources=("measured", "hoa", "tag"),
        source_split=splits[0],
        evaluation_split=splits[1],
        budgets=one_to(len(tasks)),
        default_budget=default_budget,
        origin=MTGNET.origin,
        licence=MTGNET.licence,
        bundled=f"predictions of {predicted} groups, which come with the engine",
        note=note,
    )


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
        """Return this instance if its measured gains can be had, else predictions that say so.

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
            bundled = BundledInstance(self.name, self.info, self.tasks_note, bundle, str(error))
            warnings.warn(bundled.notice, PredictedGainsWarning, stacklevel=3)
            return bundled
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
            published = ", ".join(f"{source} on {split}" for source, split in self.files)
            raise UsageError(
                f"Instance {self.name!r} has no gains of {source!r} on {split!r}. It has: {published}."
            )
        tensor = read_gains(
            (locate(self.membership, self.data_dir), locate(file, self.data_dir)),
            ReadOptions(tasks=self.info.tasks, source=source, split=split),
        )
        measured = tensor.measured if source == "measured" else ~tensor.measured
        provenance = Provenance(f"{MTGNET.origin}, {file.path.rpartition('/')[2]}")
        return replace(tensor, measured=measured, provenance=provenance)
