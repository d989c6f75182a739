"""The package as users see it: what it exports, lazily, and ``python -m engine``."""

from __future__ import annotations

import subprocess
import sys

import pytest

import engine
from tests.waiting import HANGING


@pytest.mark.parametrize("name", engine.__all__)  # type: ignore[attr-defined]
def test_every_export_is_there(name: str) -> None:
    assert getattr(engine, name) is not None


def test_dir_lists_public_names_only() -> None:
    assert dir(engine) == sorted(engine.__all__)  # type: ignore[attr-defined]
    assert not any(name.startswith("_") for name in dir(engine))
    for name in ("solve", "frontier", "compare", "open_instance", "FileInstance", "draw", "save_figure"):
        assert name in dir(engine)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="sole"):
        _ = engine.sole  # type: ignore[attr-defined]


def test_the_package_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGING,
    )
    assert done.stdout.startswith("engine ")
