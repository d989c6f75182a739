"""Published files in their formats, made small, for tests without the published data."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from instances.reading.published_files import PublishedFile


def stand_in(monkeypatch: pytest.MonkeyPatch, cls: Any, folder: Path, content: bytes) -> Path:
    """Put a file where an instance looks for its published one, and let it be the right one."""
    file: PublishedFile = cls.file
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    own = PublishedFile(file.path, file.url, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(cls, "file", own)
    return path


def refuse_module(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the import of a module fail, as where it is not installed."""
    monkeypatch.setitem(sys.modules, name, None)
