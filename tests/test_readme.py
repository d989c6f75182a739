"""Every example of the README runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CONSOLE = re.findall(r"```console\n\$ engine (.*?)\n(.*?)```", README, re.DOTALL)
OWN_GAINS = next(block for block in re.findall(r"```text\n(.*?)```", README, re.DOTALL) if "detect" in block)


@pytest.mark.parametrize("code", PYTHON, ids=["api", "objective"])
def test_python_examples_run(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out


@pytest.mark.parametrize(("command", "expected"), CONSOLE)
def test_console_examples_print_what_the_readme_shows(command: str, expected: str) -> None:
    result = CliRunner().invoke(main, shlex.split(command))
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == expected.split()


def test_the_example_of_own_gains_can_be_solved(tmp_path: Path) -> None:
    path = tmp_path / "my_gains.csv"
    path.write_text(OWN_GAINS, encoding="utf-8")
    result = CliRunner().invoke(main, ["solve", "--instance", str(path), "--budget", "2", "--format", "json"])
    assert result.exit_code == 0, result.output
    assert '"status": "OPTIMAL"' in result.stdout


def test_the_first_screen_names_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:30])
    assert "make solve" in first_screen
    assert "make test" in first_screen
