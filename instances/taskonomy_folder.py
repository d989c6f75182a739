"""Indoor scenes with many targets per image, from a folder in the layout of Taskonomy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data import MultiTaskData
from engine.data.readers.inputs import centre
from engine.errors import DataError, UsageError
from instances.images.image_files import read_image
from instances.reading.array_cache import cached_array, file_stamps
from instances.reading.taskonomy_targets import domain_target, domain_task

FIVE_DOMAINS = ("segment_semantic", "depth_zbuffer", "normal", "keypoints2d", "edge_texture")
"""The domains of setting 1 of Standley et al. (2020)."""

_NAME = re.compile(r"(point_\d+_view_\d+)_domain_\w+\.png")


@dataclass(frozen=True)
class View:
    """One image of a building, and the files of its targets.

    Attributes
    ----------
    building
        Its name.
    files
        By domain.
    """

    building: str
    files: Mapping[str, Path]


def read_taskonomy_data(
    folder: Path | str,
    domains: Sequence[str] = FIVE_DOMAINS,
    *,
    buildings: Mapping[str, Iterable[str]] | None = None,
    side: int = 64,
    grid: int = 4,
    standardise: bool = True,
    seed: int = 0,
) -> MultiTaskData:
    """Return one task per domain on the images of the domain ``rgb``.

    Images and targets are made small once and kept in the user cache. A task predicts a vector, so that
    the image of a target is reduced to one:
    :func:`~instances.reading.taskonomy_targets.domain_target` says how.

    Parameters
    ----------
    folder
        Holds ``<domain>/<building>/point_<P>_view_<V>_domain_<name>.png``, or the same with the two
        folders the other way round. Views that lack the image of a domain have no label there.
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
    DataError
        If the folder has no images, a building is absent, or a file is malformed.
    UsageError
        If a domain or a number is not usable.
    MissingDependencyError
        If Pillow is not installed.
    """
    folder = Path(folder)
    if side < 1 or grid < 1:
        raise UsageError(f"side and grid must be 1 or more, not {side} and {grid}.")
    tasks = [domain_task(domain, grid) for domain in domains]
    views = find_views(folder, domains)
    splits = _splits(folder, [view.building for view in views], buildings, seed)

    def fill_images(array: NDArray[Any]) -> None:
        for row, view in enumerate(views):
            array[row] = read_image(view.files["rgb"], "RGB", size=(side, side)).transpose(2, 0, 1)

    stamps = file_stamps([view.files["rgb"] for view in views])
    images = cached_array("taskonomy", stamps, (len(views), 3, side, side), np.uint8, fill_images)
    targets = []
    for domain, task in zip(domains, tasks, strict=True):
        values = _targets(views, domain, task.outputs if task.kind == "regression" else 1, grid)
        if task.kind == "regression" and standardise:
            values = _standardised(values, splits["train"][0])
        targets.append(values if task.kind == "regression" else values[:, 0])
    return MultiTaskData(
        tuple(tasks), (images,), tuple(targets), splits, name="taskonomy", provenance=f"Taskonomy, {folder}"
    )


def find_views(folder: Path, domains: Iterable[str]) -> list[View]:
    """Return the views of a folder, ordered by building and number.

    Raises
    ------
    DataError
        If there is none, or none has an image of some domain.
    """
    images = _files(folder, "rgb")
    if not images:
        raise DataError(
            f"{folder}: there is no image rgb/<building>/point_<P>_view_<V>_domain_rgb.png or "
            "<building>/rgb/point_<P>_view_<V>_domain_rgb.png."
        )
    found = {domain: _files(folder, domain) for domain in domains}
    for domain, files in found.items():
        if not files.keys() & images.keys():
            raise DataError(f"{folder}: no image of rgb has one of the domain {domain!r} beside it.")
    return [
        View(key[0], {"rgb": path, **{domain: files[key] for domain, files in found.items() if key in files}})
        for key, path in sorted(images.items())
    ]


def _files(folder: Path, domain: str) -> dict[tuple[str, str], Path]:
    """Return the files of a domain by building and view."""
    files = {}
    for path in (*folder.glob(f"{domain}/*/*.png"), *folder.glob(f"*/{domain}/*.png")):
        match = _NAME.fullmatch(path.name)
        building = path.parent.name if path.parent.parent.name == domain else path.parent.parent.name
        if match is not None:
            files[building, match[1]] = path
    return files


def _targets(views: list[View], domain: str, outputs: int, grid: int) -> NDArray[np.float64]:
    paths = [view.files[domain] for view in views if domain in view.files]

    def fill(array: NDArray[Any]) -> None:
        for row, view in enumerate(views):
            path = view.files.get(domain)
            array[row] = np.nan if path is None else domain_target(domain, read_image(path), grid, path)

    key = [file_stamps(paths), [domain in view.files for view in views], domain, grid]
    return np.array(cached_array("taskonomy", key, (len(views), outputs), np.float64, fill))


def _standardised(values: NDArray[np.float64], train: NDArray[np.int64]) -> NDArray[np.float64]:
    known = values[train][~np.isnan(values[train])]
    if not len(known):
        return values
    mean, deviation = centre(known)
    scaled: NDArray[np.float64] = (values - mean) / deviation
    return scaled


def _splits(
    folder: Path, of: list[str], buildings: Mapping[str, Iterable[str]] | None, seed: int
) -> dict[str, tuple[NDArray[np.int64], ...]]:
    known = sorted(set(of))
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
    column = np.array(of)
    return {part: (np.flatnonzero(np.isin(column, names)),) for part, names in chosen.items()}
