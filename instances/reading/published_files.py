"""Published data: looked up locally, else downloaded from the publisher, always checked by SHA-256."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from engine.errors import DataError
from engine.files import read_bytes

TIMEOUT = 5.0
"""Seconds until a publisher must have answered, whatever names and addresses are tried on the way, and
seconds that it may keep us waiting for the next bytes."""
DEADLINE = 30.0
"""Seconds that one file may take in all; the largest has 0.7 MB."""

RAW = "https://raw.githubusercontent.com"
"""Where GitHub gives the files of its repositories."""


class UnobtainableError(DataError):
    """A published file is in no folder, and cannot be downloaded."""


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


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Who publishes data.

    Attributes
    ----------
    origin, licence
        As :class:`~engine.InstanceInfo` says them.
    url
        Of the folder with the files; empty where none is downloaded.
    folder
        Where they lie below a data folder.
    """

    origin: str
    licence: str
    url: str = ""
    folder: str = ""

    def file(self, name: str, sha256: str, within: str = "") -> PublishedFile:
        """Return a file.

        Parameters
        ----------
        name
            Its path below the folder.
        sha256
            What it must hash to.
        within
            What stands between the URL of the publisher and the name.
        """
        return PublishedFile(
            f"{self.folder}/{name}", "/".join(filter(None, (self.url, within, name))), sha256
        )


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
    UnobtainableError
        If it cannot be had, naming all the ways.
    DataError
        If what is there, or what the publisher has there now, is not what was published.
    """
    folders = named_folders(data_dir)
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
    failed = None
    if os.environ.get("ENGINE_OFFLINE", "0") not in ("", "0"):
        reason = "downloads are switched off by ENGINE_OFFLINE"
    else:
        failed = _download(file, cached)
        if failed is None:
            return cached
        cause = _innermost(failed)
        words = shorten(str(cause).replace(file.url, "it"), 200, placeholder=" …")
        reason = f"which failed: {type(cause).__name__}: {words}"
    looked = ", ".join(map(str, folders)) or "no folder was given"
    missing = UnobtainableError(
        f"The published file {file.path} is missing. (1) Give a folder that holds it with --data-dir or "
        f"ENGINE_DATA ({looked}); or (2) put it into the cache as {cached}; or (3) let it be downloaded "
        f"from {file.url} ({reason})."
    )
    if isinstance(failed, ValueError) and not isinstance(failed, OSError):
        raise DataError(str(missing))  # something else was there
    raise missing


def named_folders(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders that were named for published data: the one given, then that of ENGINE_DATA."""
    environment = os.environ.get("ENGINE_DATA")
    return tuple(folder for folder in (data_dir, Path(environment) if environment else None) if folder)


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _download(file: PublishedFile, target: Path) -> Exception | None:
    """Download into the cache; return why it failed, None if it did not.

    Every error of requests is an OSError; a wrong hash is a ValueError alone.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=_fetch,
        )
    except (OSError, ValueError) as error:
        return error
    return None


def _fetch(url: str, output: str, _: object) -> None:
    """Download into memory, then into the file that pooch names, or give up after the deadline.

    The work is done in a thread of its own, since no timeout of a socket ends a server that trickles.
    """
    import requests  # comes with pooch

    end = time.monotonic() + DEADLINE
    content: list[bytes] = []
    failed: list[Exception] = []
    answered = threading.Event()

    def work() -> None:
        try:
            with requests.get(url, stream=True, timeout=TIMEOUT) as response:
                answered.set()
                response.raise_for_status()
                for chunk in response.iter_content(1 << 16):
                    content.append(chunk)
                    if time.monotonic() > end:
                        return
        except Exception as error:
            failed.append(error)
        finally:
            answered.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    if not answered.wait(min(TIMEOUT, DEADLINE)) and time.monotonic() < end:
        raise TimeoutError(f"there was no answer within {TIMEOUT:g} seconds")
    thread.join(max(0.0, end - time.monotonic()))
    if thread.is_alive() or time.monotonic() > end:
        raise TimeoutError(f"the download took more than {DEADLINE:g} seconds")
    if failed:
        raise failed[0]
    Path(output).write_bytes(b"".join(content))


def _innermost(error: BaseException) -> BaseException:
    """Return the error at the root of what a library for HTTP wraps several times."""
    candidates = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    inner = next((one for one in candidates if isinstance(one, BaseException)), None)
    return error if inner is None else _innermost(inner)
