"""Published instances for the tests of solvers."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Instance, load_instance


@pytest.fixture(scope="session")
def mimic27(data_dir: Path) -> Instance:
    return load_instance("mimic27", data_dir)


@pytest.fixture(scope="session")
def ettm1(data_dir: Path) -> Instance:
    return load_instance("ettm1", data_dir)


@pytest.fixture(scope="session")
def taskonomy5(data_dir: Path) -> Instance:
    return load_instance("taskonomy5", data_dir)
