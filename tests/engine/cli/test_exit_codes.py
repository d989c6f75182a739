from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.waiting import HANGING


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_help_lists_every_command(engine) -> None:
    result = engine("--help")
    assert result.exit_code == 0
    for name in ("solve", "frontier", "compare", "instances", "solvers"):
        assert f"\n  {name} " in result.stdout
    assert "3 infeasible" in result.stdout
    assert "..." not in result.stdout.partition("Commands:")[2]
    assert "Show the version." in result.stdout


@pytest.mark.parametrize("command", ["solve", "frontier", "compare", "instances", "solvers"])
def test_every_command_has_help(engine, command: str) -> None:
    result = engine(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: engine " + command)


def test_version(engine) -> None:
    result = engine("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("engine ")


def test_no_command_shows_the_help(engine) -> None:
    result = engine()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["slove"], "No such command"),
        (["solve"], "--instance"),
        (["solve", "--instance", "fake", "--bugdet", "3"], "--budget"),
        (["solve", "--instance", "fake", "--budget", "many"], "many"),
        (["solve", "--instance", "fake", "--budget", "nan"], "budget"),
        (["solve", "--instance", "fake", "--budget", "-1"], "budget"),
        (["solve", "--instance", "fake", "--time-limit", "0"], "time-limit"),
        (["solve", "--instance", "fake", "--time-limit", "nan"], "time limit"),
        (["solve", "--instance", "fake", "--solver", "sinlges"], "Did you mean 'singles'"),
        (["solve", "--instance", "fake", "--gains", "measure"], "Did you mean 'measured'"),
        (["solve", "--instance", "fake", "--solver", "lacking"], "no_such_library"),
        (["solve", "--instance", "fake", "--solver", "narrow"], "does not support"),
        (["solve", "--instance", "fake", "--objective", "tota"], "Did you mean 'total'"),
        (
            ["solve", "--instance", "fake", "--objective", "engine.gains.tensor:GainTensor"],
            "engine.Objective",
        ),
        (["solve", "--instance", "fake", "--objective", "worst", "--kappa", "2"], "no --kappa"),
        (["solve", "--instance", "fake", "--weight", "a=2", "--kappa", "2"], "one of them"),
        (["solve", "--instance", "fake", "--weight", "x=2"], "x"),
        (["solve", "--instance", "fake", "--weight", "a"], "task=number"),
        (["solve", "--instance", "fake", "--weight", "a=0,b=2"], "--weight again"),
        (["solve", "--instance", "fake", "--sources", "guess"], "Here it is called --gains"),
        (["compare", "--instance", "fake", "--gains", "guess"], "Here it is called --sources"),
        (["solve", "--instance", "toy4", "--evaluate", "x.csv"], "(--evaluate) can only be given"),
        (["solve", "--instance", "fake", "--together", "a,x"], "x"),
        (["solve", "--instance", "fake", "--together", "a,"], "empty"),
        (["solve", "--instance", "fake", "--mandatory", "a|b@much"], "a|b@cost"),
        (["solve", "--instance", "fake", "--solver", "singles", "--option", "depth=low"], "whole number"),
        (
            ["solve", "--instance", "fake", "--solver", "singles", "--option", "dept=1"],
            "Did you mean 'depth'",
        ),
        (["solve", "--instance", "fake", "--solver", "singles", "--option", "strict=2"], "true or false"),
        (["solve", "--instance", "fake", "--groups-exactly", "2", "--groups-at-most", "3"], "alone"),
        (["solve", "--instance", "fake", "--output", "no/such/folder/file"], "no folder"),
        (["solve", "--instance", "fake", "--output", "."], "folder"),
        (["frontier", "--instance", "fake", "--budgets", "3-1"], "rises"),
        (["frontier", "--instance", "fake", "--budgets", "1-9e8"], "more than"),
        (["frontier", "--instance", "fake", "--budgets", "1-2:0"], "above 0"),
        (["frontier", "--instance", "fake", "--budgets", "a"], "1-27"),
        (["frontier", "--instance", "fake", "--plot", "out.doc"], ".png"),
        (["compare", "--instance", "fake", "--solvers", "singles,nobody"], "nobody"),
        (
            ["compare", "--instance", "fake", "--solvers", "singles", "--option", "depth=1"],
            "solver.key=value",
        ),
        (["compare", "--instance", "fake", "--solvers", "singles", "--sources", "x"], "x"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(engine, arguments: list[str], words: str) -> None:
    result = engine(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = lines(result.stderr)
    assert line.startswith("engine: ")
    assert words in line


def test_a_missing_file_is_bad_data(engine) -> None:
    result = engine("solve", "--instance", "fake", "--warm-start", "no.json")
    assert result.exit_code == 5
    assert len(lines(result.stderr)) == 1


def test_an_unexpected_error_is_one_line_with_a_hint(engine) -> None:
    result = engine("solve", "--instance", "faulty")
    assert result.exit_code == 1
    (line,) = lines(result.stderr)
    assert "ZeroDivisionError: something odd" in line
    assert "--debug" in line


def test_debug_shows_the_error_itself(engine) -> None:
    result = engine("--debug", "solve", "--instance", "faulty")
    assert isinstance(result.exception, ZeroDivisionError)


def run(*arguments: str, **given) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, timeout=HANGING, **given)


def test_a_closed_pipe_is_quiet() -> None:
    script = f"'{sys.executable}' -m engine.cli.main solvers --format json | true; echo ${{PIPESTATUS[0]}}"
    result = run("bash", "-c", script)
    assert result.stderr == ""
    assert result.stdout.strip() in ("0", "141")


def test_a_reader_that_stops_early_is_no_error() -> None:
    script = "import sys; from engine.cli.app import main, click; main.add_command(click.command('flood')("
    script += "lambda: [click.echo('x' * 1000) for _ in range(1000)])); main(['flood'])"
    result = run(
        "bash",
        "-c",
        f"'{sys.executable}' -c \"$0\" | head -c 10; code=${{PIPESTATUS[0]}}; echo; echo $code",
        script,
    )
    assert result.stderr == ""
    assert result.stdout.split()[-1] == "141"


@pytest.mark.parametrize("as_package", [False, True])
def test_a_users_module_that_hides_ours_is_named(tmp_path, as_package: bool) -> None:
    hiding = tmp_path / "solvers" / "__init__.py" if as_package else tmp_path / "solvers.py"
    hiding.parent.mkdir(exist_ok=True)
    hiding.write_text("raise SystemExit('imported')\n")
    start = "from engine.cli.main import run; run()"
    result = run(sys.executable, "-c", start, "solvers", cwd=tmp_path)
    assert result.returncode == 2
    (line,) = lines(result.stderr)
    assert str(hiding) in line
    assert os.path.join("engine") in line
    assert "rename it" in line


def test_an_interrupt_while_importing_is_one_line() -> None:
    script = "import sys\nclass Stop:\n    def find_spec(self, name, *rest):\n"
    script += "        if name == 'click': raise KeyboardInterrupt\n"
    script += "sys.meta_path.insert(0, Stop())\nfrom engine.cli.main import run\nrun()"
    result = run(sys.executable, "-c", script)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "engine: interrupted.\n")


def test_a_clean_folder_passes_the_guard(tmp_path) -> None:
    result = run(sys.executable, "-c", "from engine.cli.main import run; run()", "--version", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_objective_beside_the_user_is_found(tmp_path) -> None:
    (tmp_path / "mine.py").write_text("from tests.engine.fakes import Cubes, Toy\n")
    (tmp_path / "solvers.txt").write_text("")
    start = "import sys; sys.path.remove(''); from engine.cli.main import run; run()"
    arguments = ["solve", "--instance", "mine:Toy", "--objective", "mine:Cubes", "--solver", "brute-force"]
    result = run(sys.executable, "-c", start, *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "maximize Cubes" in result.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_full_disk_is_told_as_what_it_is(form: str) -> None:
    start = "from engine.cli.main import run; run()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", start, "solvers", "--format", form],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=HANGING,
        )
    assert done.returncode == 1
    assert done.stderr == "engine: the result cannot be written to stdout (No space left on device).\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_a_closed_stdout_is_told_as_what_it_is(tmp_path) -> None:
    start = "from engine.cli.main import run; run()"
    command = f"'{sys.executable}' -c '{start}' solvers --format csv"
    done = subprocess.run(
        ["sh", "-c", f"{command} >&-"], capture_output=True, text=True, timeout=HANGING, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr == "engine: stdout is closed: give --output FILE, or leave it open.\n"
    kept = subprocess.run(
        ["sh", "-c", f"{command} --output kept.csv >&-"],
        capture_output=True,
        text=True,
        timeout=HANGING,
        cwd=tmp_path,
    )
    assert (kept.returncode, kept.stderr) == (0, "")
    assert (tmp_path / "kept.csv").read_text().startswith("name,")
