"""What a caller may ask of a reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReadOptions:
    """Options of :func:`~engine.gains.formats.gains_file.read_gains`, as every format gets them.

    Attributes
    ----------
    merge_duplicates, single_task_baseline, tasks, source, split
        As in :func:`~engine.gains.formats.gains_file.read_gains`.
    """

    merge_duplicates: bool = False
    single_task_baseline: bool = True
    tasks: tuple[str, ...] | None = None
    source: str = "measured"
    split: str = ""


def expanded(path: str | Path) -> Path:
    """Return the path with ``~`` replaced, where there is such a home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
