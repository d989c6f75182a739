"""Published data: looked up locally, else downloaded from the publisher, always checked by SHA-256."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DataError
from engine.files import read_bytes

TIMEOUT = 5.0
"""Seconds that a publisher may keep us waiting."""

_RAW = "https://raw.githubusercontent.com"
_MTGNET = f"{_RAW}/ShawnKS/MTG-Net/dd361daa0dd2811ea07b0f25a972e675d5b9e29f/gain_collection/collected_gain"
_STANDLEY = f"{_RAW}/tstandley/taskgrouping/077e842d1b4796dade82a3a5697cfe601b347880/network_selection"


@dataclass(frozen=True)
class PublishedFile:
    """One file of a publisher.

    Attributes
    ----------
    path
        Where it lies below a data folder.
    url
        Where the publisher has it.
    sha256
        What it must hash to.
    """

    path: str
    url: str
    sha256: str


def mtgnet(name: str, sha256: str) -> PublishedFile:
    """Return a file of MTG-Net's collected gains, for instance ``"ETT/ETTm1_x.csv"``."""
    return PublishedFile(f"mtgnet/{name}", f"{_MTGNET}/{name}", sha256)


def standley(name: str, sha256: str) -> PublishedFile:
    """Return a file of Standley et al.'s network selection, for instance ``"results.txt"``."""
    return PublishedFile(f"standley/{name}", f"{_STANDLEY}/{name}", sha256)


def cache_dir() -> Path:
    """Return the folder where downloads are kept, in the place the operating system has for it."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(base)) / "task-grouping-engine"


def locate(file: PublishedFile, data_dir: Path | None = None) -> Path:
    """Return the path of a published file, downloading it if need be.

    Looked for in ``data_dir``, then in the folder that the environment variable ``ENGINE_DATA`` names,
    then in the user cache, then at the publisher, unless ``ENGINE_OFFLINE`` is set to anything but 0.

    Parameters
    ----------
    file
        What is wanted.
    data_dir
        Folder to look in first.

    Raises
    ------
    DataError
        If it cannot be had, naming all the ways; or if what is there is not what was published.
    """
    environment = os.environ.get("ENGINE_DATA")
    folders = [folder for folder in (data_dir, Path(environment) if environment else None) if folder]
    for folder in folders:
        local = folder / file.path
        if local.is_file():
            if _sha256(local) != file.sha256:
                raise DataError(
                    f"{local}: this is not the published file (its SHA-256 is not {file.sha256[:12]}…). "
                    f"Replace it by {file.url}"
                )
            return local
    cached = cache_dir() / file.path
    if cached.is_file() and _sha256(cached) == file.sha256:
        return cached
    if os.environ.get("ENGINE_OFFLINE", "0") not in ("", "0"):
        reason = "downloads are switched off by ENGINE_OFFLINE"
    else:
        reason = _download(file, cached)
        if not reason:
            return cached
    looked = ", ".join(map(str, folders)) or "no folder was given"
    raise DataError(
        f"The published file {file.path} is missing. (1) Give a folder that holds it with --data-dir or "
        f"ENGINE_DATA ({looked}); or (2) put it into the cache as {cached}; or (3) let it be downloaded "
        f"from {file.url} ({reason})."
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _download(file: PublishedFile, target: Path) -> str:
    """Download into the cache; return why it failed, empty if it did not."""
    import pooch

    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
        )
    except (OSError, ValueError) as error:  # every error of requests is an OSError, a wrong hash a ValueError
        return f"which failed: {type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return ""
