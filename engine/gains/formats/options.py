"""What a caller may ask of a reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How a file of gains is read.

    Attributes
    ----------
    merge_duplicates
        Average what is given more than once for a task in a group of the same cost, instead of
        refusing it. The standard error of the mean of n values is √(Σ std²)/n, unknown where one of
        them is unknown; a merged row counts as measured where all its parts are.
    single_task_baseline
        Whether gains are relative to the single-task rows, which then must be 0.
    tasks
        Names and order of the tasks. By default in order of first appearance, or as stored; for a
        text pair t0, t1, ….
    source, split
        Where the values come from, for files that do not say it themselves.
    """

    merge_duplicates: bool = False
    single_task_baseline: bool = True
    tasks: Sequence[str] | None = None
    source: str = "measured"
    split: str = ""

    def __post_init__(self) -> None:
        if self.tasks is not None:
            object.__setattr__(self, "tasks", tuple(self.tasks))

    def changed(self) -> tuple[str, ...]:
        """Return the names of the options that are not at their default."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != field.default)


def expanded(path: str | Path) -> Path:
    """Return the path with ``~`` replaced, where there is such a home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
