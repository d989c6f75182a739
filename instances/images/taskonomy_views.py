"""Views of buildings: the images of a folder in the layout of Taskonomy, and what is predicted of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import DataError
from instances.images.image_files import read_image
from instances.images.taskonomy_targets import domain_target
from instances.reading.array_cache import cached_array, file_stamps

_NAME = re.compile(r"(point_\d+_view_\d+)_domain_\w+\.png")


@dataclass(frozen=True)
class BuildingView:
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


def find_views(folder: Path, domains: Iterable[str]) -> list[BuildingView]:
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
        BuildingView(
            key[0], {"rgb": path, **{domain: files[key] for domain, files in found.items() if key in files}}
        )
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


def view_targets(views: list[BuildingView], domain: str, outputs: int, grid: int) -> NDArray[np.float64]:
    """Return the targets of a domain, kept in the user cache.

    Parameters
    ----------
    views
        Those to be predicted of.
    domain, grid
        As in :func:`~instances.images.taskonomy_targets.domain_target`.
    outputs
        Numbers per target.

    Returns
    -------
    array
        Shape (views, outputs), NaN where a view lacks the domain.

    Raises
    ------
    DataError
        If a file is malformed.
    """
    paths = [view.files[domain] for view in views if domain in view.files]

    def fill(array: NDArray[Any]) -> None:
        for row, view in enumerate(views):
            path = view.files.get(domain)
            array[row] = np.nan if path is None else domain_target(domain, read_image(path), grid, path)

    key = [file_stamps(paths), [domain in view.files for view in views], domain, grid]
    return np.array(cached_array("taskonomy", key, (len(views), outputs), np.float64, fill))
