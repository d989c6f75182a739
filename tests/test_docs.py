"""Every code block of docs/ is run, page by page, and prints what the page shows.

Python blocks of a page share their names. One that begins with the path of a file of this project is an
excerpt of it; one that begins with another file name is that file. A text block after a Python block is what
that prints. A console line is run; lines after one that begins with ``$`` are what it prints.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.app import main
from tests.waiting import HANGING

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+\.\w+)\n")
RUN_ELSEWHERE = ("pip install ./examples/", "python -m pytest examples/")
"""Run by ``test_examples.py``, in an environment of their own."""

pytestmark = pytest.mark.usefixtures("no_hurry")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_run_and_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert {kind for kind, _ in blocks} <= {"python", "text", "console", "toml"}
    names: dict[str, object] = {"__name__": page.stem}
    elsewhere = any(line.startswith(RUN_ELSEWHERE) for _, code in blocks for line in code.splitlines())
    for (kind, code), (following, shown) in pairwise([*blocks, ("", "")]):
        file = FILE.match(code)
        if kind == "python" and file and (ROOT / file[1]).exists():
            assert code[file.end() :] in (ROOT / file[1]).read_text(encoding="utf-8")
        elif kind == "python" and file:
            (tmp_path / file[1]).write_text(code, encoding="utf-8")
        elif kind == "python":
            exec(compile(code, page.name, "exec", dont_inherit=True), names)
            printed = capsys.readouterr().out
            if following == "text":
                assert printed == shown
        elif kind == "toml":
            assert any(
                code in one.read_text(encoding="utf-8") for one in ROOT.glob("examples/*/pyproject.toml")
            )
        elif kind == "console" and not elsewhere:
            run_console(code)


def run_console(code: str) -> None:
    for command, expected in re.findall(
        r"^(?:\$ )?(engine .*)\n((?:(?!engine |\$ ).*\n)*)", code, re.MULTILINE
    ):
        result = CliRunner().invoke(main, shlex.split(command, comments=True)[1:])
        assert result.exit_code == 0, result.output
        assert result.stdout or " --output " in command
        if expected:
            assert result.stdout.split() == expected.split()
    for line in code.splitlines():
        if not line.startswith(("engine ", "$ ")):
            assert "$ engine" in code, f"{line!r} is not run by any test"


def test_the_commands_of_the_plug_in_page(tmp_path: Path) -> None:
    """The page's own lines, with the package installed beside the environment instead of into it."""
    (code,) = [
        code for kind, code in BLOCK.findall((DOCS / "plug-in-a-solver.md").read_text()) if kind == "console"
    ]
    installed = tmp_path / "installed"
    quiet = "--quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index"
    for line in code.splitlines():
        if line.startswith("python -m pytest"):
            continue  # half a minute: test_examples.py does it
        command = shlex.split(line)
        if command[0] == "pip":
            command = [*command[:2], *quiet.split(), "--target", str(installed), *command[2:]]
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=HANGING,
        )
        assert done.returncode == 0, done.stderr
        if command[0] == "engine":
            assert "threshold-accepting" in done.stdout


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("examples/**/README.md")], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


def test_the_map_names_every_page_and_example() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert page.name == "index.md" or f"]({page.name})" in text, page.name
    for script in (ROOT / "examples").iterdir():
        assert script.name.startswith((".", "_")) or script.name in text, script.name
