"""Tests of what an extra brings are skipped, with the reason, where the extra is not installed."""

from __future__ import annotations

import re
from importlib.util import find_spec

from engine.errors import MissingDependencyError

EXTRAS = {
    "PIL": "images",
    "matplotlib": "plot",
    "psycopg": "postgresql",
    "pyarrow": "parquet",
    "ray": "ray",
    "rdkit": "molecules",
    "safetensors": "train",
    "sqlalchemy": "train",
    "tensorboard": "tensorboard",
    "torch": "train",
    "xarray": "xarray",
}
"""Module → the extra that brings it."""

MISSING = tuple(module for module in EXTRAS if find_spec(module) is None)


SAID: list[str] = []
"""What the engine said, in this process and this test, of libraries that are not installed."""


def listen() -> None:
    """Keep what the engine says of missing libraries; where none is missing, nothing is kept."""
    if not MISSING:
        return
    original = MissingDependencyError.__init__

    def said(self: MissingDependencyError, *arguments: object) -> None:
        SAID.extend(map(str, arguments))
        original(self, *arguments)

    MissingDependencyError.__init__ = said  # type: ignore[assignment]


def missing_extra(text: str) -> str:
    """Return why a test or file that failed with this text cannot run here; empty where it could.

    Only an extra that is really not installed is a reason, and only where the failure names the module that
    Python did not find, or the engine said so.
    """
    told = "\n".join((text, *SAID))
    for module in MISSING:
        extra = re.escape(f"task-grouping-engine[{EXTRAS[module]}]")
        if re.search(rf"No module named ['\"]{module}\b|{extra}", told):
            return f"needs {module}: the extra {EXTRAS[module]!r} is not installed"
    return ""
