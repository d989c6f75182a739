"""Every example of the README runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.app import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CONSOLE = re.findall(r"```console\n\$ engine (.*?)\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^engine (.*)$", README, re.MULTILINE)
SEEN = re.findall(r"```text\n\$ engine (.*?)\n…\n(.*?)```", README, re.DOTALL)
CHECKED = ("status", "value", "bound", "gap", "optimism")
AFTER_COLLECTING = ("solve --instance digits10 --budget 3", "gains list")
OWN_GAINS = next(block for block in re.findall(r"```text\n(.*?)```", README, re.DOTALL) if "detect" in block)

pytestmark = pytest.mark.usefixtures("no_hurry")


@pytest.mark.parametrize("code", PYTHON, ids=["api", "objective"])
def test_python_examples_run(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out


@pytest.mark.parametrize(("command", "expected"), CONSOLE)
def test_console_examples_print_what_the_readme_shows(command: str, expected: str) -> None:
    result = CliRunner().invoke(main, shlex.split(command))
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == expected.split()


@pytest.fixture
def _own_gains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("my_gains.csv", "my_test_gains.csv"):
        (tmp_path / name).write_text(OWN_GAINS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_own_gains")
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if "mimic27" in command:
        request.getfixturevalue("data_dir")
    if command in AFTER_COLLECTING:
        collect = next(one for one in COMMANDS if one.startswith("collect "))
        assert CliRunner().invoke(main, shlex.split(collect)).exit_code == 0
    arguments = shlex.split(command, comments=True)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout
    if "--plot" in arguments:
        assert (tmp_path / arguments[arguments.index("--plot") + 1]).stat().st_size > 1000


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(("command", "expected"), SEEN)
def test_what_you_see_is_what_a_run_shows(command: str, expected: str) -> None:
    shown = [line.split() for line in CliRunner().invoke(main, shlex.split(command)).stdout.splitlines()]
    lines = [line.split() for line in expected.splitlines()]
    checked = [line for line in lines if line[0] in CHECKED or line[:2] == ["mean", "gain"] or line[1] == "%"]
    assert len(checked) == 7
    for line in checked:
        assert line in [found[: len(line)] for found in shown], " ".join(line)


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
