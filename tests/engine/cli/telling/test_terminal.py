"""What a person sees on a terminal of 80 columns: whole names and numbers."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import GainTensor, write_gains
from engine.cli.telling.messages import STEERING
from tests.engine.cli.conftest import Engine
from tests.engine.cli.terminals import read_all
from tests.waiting import HANGING

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals", allow_module_level=True)

import fcntl
import pty
import termios

COLUMNS = 80
LONG = "a_task_whose_name_goes_on_and_on_beyond_what_any_column_of_a_terminal_could_ever_hold"


def on_terminal(*arguments: str) -> str:
    """Return what a command shows on a terminal, without its colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", *map(str, arguments)],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"},
    )
    os.close(follower)
    shown = b"".join(read_all(leader))
    _, errors = process.communicate(timeout=HANGING)
    assert process.returncode == 0, errors
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r", "")


@pytest.fixture
def long_names(tmp_path: Path) -> Path:
    path = tmp_path / "long.csv"
    lines = [f"{LONG},{LONG},0,true", "b,b,0,true"]
    lines += [f"{LONG}|b,{LONG},0.123456,false", f"{LONG}|b,b,-10.123456,false"]
    path.write_text("\n".join(["group,task,gain,measured", *lines]) + "\n")
    return path


TOY = "tests.engine.fakes:Toy"
LOSSES = "tests.engine.fakes:ToyLoss"
NARROW = "tests.engine.fakes:Narrow"
SOLVERS = "branch-and-bound,local-search,greedy"


@pytest.mark.parametrize(
    ("command", "numbers"),
    [
        (("solve", "--instance", "toy4"), ["0.350000", "14.000", "cat, dog, bus", "every value is measured"]),
        (("solve", "--instance", "toy4", "--lattice"), ["0.320000", "2 of all 15 groups of 4 tasks"]),
        (
            ("solve", "--instance", "toy4", "--graph"),
            ["0.215000", "0.143333", "0.080000 total gain on valid"],
        ),
        (("frontier", "--instance", "toy4", "--lattice"), ["0.360000", "9.000", "OPTIMAL"]),
        (("frontier", "--instance", "toy4", "--graph"), ["0.215000*", "0.143333*", "1.500", "OPTIMAL"]),
        (("solve", "--instance", TOY, "--gains", "guess"), ["* predicted, in whole or in part"]),
        (("frontier", "--instance", "toy4"), ["0.440000", "11.000", "8.500", "OPTIMAL"]),
        (("frontier", "--instance", LOSSES), ["OPTIMAL"]),
        (("compare", "--instance", "toy4", "--solvers", SOLVERS), ["branch-and-bound", "11.000", "8.500"]),
        (
            ("compare", "--instance", "toy4", "--instance", LOSSES, "--solvers", f"{SOLVERS},{NARROW}"),
            ["UNSUPPORTED", "does not", "minimize total loss"],
        ),
        (
            ("compare", "--instance", "toy4", "--graph", "--solvers", "branch-and-cut,louvain"),
            ["0.215000*", "branch-and-cut", "OPTIMAL"],
        ),
        (("instances",), ["taskonomy5", "gain_collection/collected_gain", "3185"]),
        (("instances", "show", "toy4"), ["largest", "14.000", "positive %"]),
        (("instances", "show", LOSSES), ["largest", "11 at 1"]),
        (("solvers",), ["https://developers.google.com/optimization", "branch-and-bound"]),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_nothing_is_cut(command: tuple[str, ...], numbers: list[str]) -> None:
    shown = on_terminal(*command)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= COLUMNS
    for text in numbers:
        assert text in shown


@pytest.mark.parametrize("command", ["solve", "frontier", "compare", "instances show"])
def test_long_names_are_whole(command: str, long_names: Path) -> None:
    name = [] if command == "instances show" else ["--instance"]
    more = ["--solvers", "branch-and-bound,greedy"] if command == "compare" else []
    shown = on_terminal(*command.split(), *name, long_names, *more)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= COLUMNS
    assert LONG[:30] in shown or command in ("frontier", "compare")


def test_what_is_left_out_is_told() -> None:
    shown = on_terminal("compare", "--instance", "toy4", "--solvers", SOLVERS)
    assert "not shown at this width: " in shown
    assert "bound" in shown


STEERS = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202e"


@pytest.mark.parametrize("format", ["table", "json", "csv"])
@pytest.mark.parametrize("command", ["solve --instance", "frontier --instance", "instances show"])
def test_nothing_from_a_file_steers_the_terminal(command: str, format: str, tmp_path: Path) -> None:
    gains = GainTensor.from_dense(["a", "b"], np.ones((1, 2), dtype=bool), np.ones((1, 2)))
    provenance = replace(gains.provenance, text=STEERS)
    path = tmp_path / f"{STEERS}.npz"
    write_gains(replace(gains, source=STEERS, split=STEERS, provenance=provenance), path)
    shown = on_terminal(*command.split(), path, "--format", format)
    assert "owned" in shown or format == "csv"
    assert not STEERING.search(shown)


def test_nothing_from_a_file_steers_the_terminal_in_an_error(engine: Engine, tmp_path: Path) -> None:
    result = engine("solve", "--instance", tmp_path / f"{STEERS}.npz")
    assert "owned" in result.stderr
    assert not STEERING.search(result.stderr)
