"""taskonomy_folder: indoor scenes with many targets per image, from a folder in the layout of Taskonomy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import DataError, MultiTaskData, TrainingSettings, UsageError
from engine.data.readers.inputs import centre
from instances.images.image_files import cached_images
from instances.images.taskonomy_targets import domain_task
from instances.images.taskonomy_views import find_views, view_targets
from instances.reading.folder_instance import FolderInstance
from instances.reading.published_files import Publisher
from instances.reading.training_info import training_info, with_tasks

FIVE_DOMAINS = ("segment_semantic", "depth_zbuffer", "normal", "keypoints2d", "edge_texture")
"""The domains of setting 1 of Standley et al. (2020)."""


class TaskonomyFolder(FolderInstance):
    """Taskonomy: one task per domain on the images of the domain ``rgb``.

    Looked for as the folder ``taskonomy_folder`` of a data folder, which holds
    ``<domain>/<building>/point_<P>_view_<V>_domain_<name>.png``, or the same with the two folders the other
    way round. Views that lack the image of a domain have no label there. Images and targets are made small
    once and kept in the user cache. A task predicts a vector, so that the image of a target is reduced to
    one: :func:`~instances.images.taskonomy_targets.domain_target` says how.

    Parameters
    ----------
    name, data_dir, **options
        As in :class:`~instances.reading.folder_instance.FolderInstance`.
    domains
        The tasks, by the name of their folder.
    buildings
        The buildings of ``train``, ``valid`` and ``test``; None: 60, 20 and 20 % of them, drawn at random.
        A building is in one part, since its images resemble each other.
    side
        Height and width of the images, in pixels.
    grid
        Cells per side of the targets.
    standardise
        Whether the numbers of each regression task get mean 0 and deviation 1 over the training images,
        so that no task outweighs the others.
    seed
        Of the draw.

    Raises
    ------
    UsageError
        If a domain or a number is not usable.
    """

    info = training_info(
        "5 vision tasks on images of buildings (Taskonomy); needs the folder taskonomy_folder",
        FIVE_DOMAINS,
        default_budget=3.0,
        publisher=Publisher(origin="Taskonomy, taskonomy.stanford.edu", licence="of the data set"),
        note="targets are coarse: cells of an image, or its main class; needs Pillow, the extra images",
    )
    title = "Taskonomy"
    layouts = (("taskonomy_folder", ""),)
    ways = "It is at taskonomy.stanford.edu."
    backbone = "cnn"
    backbone_options = {"channels": 8, "hidden": 64}  # noqa: RUF012
    settings = TrainingSettings(epochs=8, batch_size=64, patience=3)

    def __init__(
        self,
        name: str,
        data_dir: Path | None = None,
        *,
        domains: tuple[str, ...] = FIVE_DOMAINS,
        buildings: Mapping[str, Iterable[str]] | None = None,
        side: int = 64,
        grid: int = 4,
        standardise: bool = True,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(name, data_dir, **options)
        if side < 1 or grid < 1:
            raise UsageError(f"side and grid must be 1 or more, not {side} and {grid}.")
        self.tasks = tuple(domain_task(domain, grid) for domain in domains)
        self.info = with_tasks(self.info, domains)
        self._buildings, self._seed = buildings, seed
        self._side, self._grid, self._standardise = side, grid, standardise

    def data(self) -> MultiTaskData:
        """Return the images and their targets.

        Raises
        ------
        DataError
            If the folder has no images, a building is absent, or a file is malformed.
        MissingDependencyError
            If Pillow is not installed.
        """
        folder = self.folder()
        views = find_views(folder, self.info.tasks)
        splits = _splits(folder, [view.building for view in views], self._buildings, self._seed)
        images = cached_images("taskonomy", [view.files["rgb"] for view in views], (self._side, self._side))
        targets = []
        for task in self.tasks:
            regression = task.kind == "regression"
            values = view_targets(views, task.name, task.outputs if regression else 1, self._grid)
            if regression and self._standardise:
                values = _standardised(values, splits["train"][0])
            targets.append(values if regression else values[:, 0])
        return MultiTaskData(
            self.tasks, (images,), tuple(targets), splits, name=self.name, provenance=f"Taskonomy, {folder}"
        )


def _standardised(values: NDArray[np.float64], train: NDArray[np.int64]) -> NDArray[np.float64]:
    known = values[train][~np.isnan(values[train])]
    if not len(known):
        return values
    mean, deviation = centre(known)
    scaled: NDArray[np.float64] = (values - mean) / deviation
    return scaled


def _splits(
    folder: Path, owners: list[str], buildings: Mapping[str, Iterable[str]] | None, seed: int
) -> dict[str, tuple[NDArray[np.int64], ...]]:
    known = sorted(set(owners))
    if buildings is None:
        if len(known) < 3:
            raise DataError(f"{folder}: three buildings at least are needed to split by building.")
        order = [known[index] for index in np.random.default_rng(seed).permutation(len(known))]
        held = max(1, round(len(known) * 0.2))
        buildings = {"test": order[:held], "valid": order[held : 2 * held], "train": order[2 * held :]}
    chosen = {part: list(names) for part, names in buildings.items()}
    absent = next((name for names in chosen.values() for name in names if name not in known), None)
    if absent is not None:
        raise DataError(f"{folder}: there is no building {absent!r}.")
    column = np.array(owners)
    return {part: (np.flatnonzero(np.isin(column, names)),) for part, names in chosen.items()}
