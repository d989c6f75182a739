"""Every import contract is shown to fail on a breach planted in a copy of the packages."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT

pytest.importorskip("importlinter")

BREACHES = {
    "The engine stands in layers": ("engine/errors.py", "import engine.gains.tensor"),
    "No package goes in circles": ("engine/problem/objectives.py", "import engine.problem.table"),
    "The engine knows no plug-in": ("engine/solving/solve.py", "import solvers.cpsat"),
    "The engine loads neither a solver library nor torch": ("engine/solving/solve.py", "import torch"),
    "Plug-ins do not know one another": ("solvers/cpsat.py", "import backbones.mlp"),
    "Gain sources may use backbones only": ("gain_sources/ridge.py", "import solvers.cpsat"),
    "Nothing knows the gain sources": ("instances/toy4.py", "import gain_sources.ridge"),
}


def contracts(folder: Path) -> dict[str, str]:
    """Return what import-linter says of each contract of the tree in a folder: KEPT or BROKEN."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    told = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", plain, re.M))
    assert told, done.stdout + done.stderr
    return told


def test_every_contract_can_break(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, line in BREACHES.values():
        with (tmp_path / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    told = contracts(tmp_path)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(told) == {one["name"] for one in declared["tool"]["importlinter"]["contracts"]}
    assert set(BREACHES) == set(told)
    assert set(told.values()) == {"BROKEN"}
