from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest

import engine.cli.telling.progress as module
from engine import Event, Observer, Problem, solve
from engine.cli.telling.progress import Line, progress
from tests.engine.cli.terminals import read_all
from tests.engine.fakes import gains
from tests.waiting import HANGING


def test_a_line_tells_stage_incumbent_bound_and_gap() -> None:
    line = Line()
    line.on_start(Problem(gains()).with_budget(2), "cpsat")
    assert str(line).startswith("cpsat on measured, budget 2  start  0.0 s  incumbent –  bound –")
    line.on_stage("search")
    line.on_incumbent(Event("incumbent", 0.1, 1.0, None))
    line.on_bound(Event("bound", 0.2, 1.0, 1.25))
    assert re.fullmatch(r"cpsat .*  search  \d\.\d s  incumbent 1  bound 1\.25  gap 20 %", str(line))


def test_the_first_line_says_that_it_starts() -> None:
    assert str(Line()).startswith("starting  0.0 s")


def test_plain_lines_are_throttled(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])  # type: ignore[attr-defined]
    shown: list[str] = []
    line = Line(shown.append)
    line.on_start(Problem(gains()), "x")
    for value in range(1000):
        now[0] += 0.01
        line.on_incumbent(Event("incumbent", now[0], float(value), None))
    assert 15 <= len(shown) <= 25


def test_only_what_is_waited_for_is_shown_off_a_terminal(capsys) -> None:
    with progress(verbose=False) as observers:
        solve(Problem(gains()).with_budget(2), "brute-force", observers=observers)
        assert capsys.readouterr() == ("", "")
        for observer in observers:
            observer.on_notice("compiling")
    assert capsys.readouterr() == ("", "engine: compiling\n")


def test_verbose_lines_go_to_stderr(capsys) -> None:
    with progress(verbose=True) as observers:
        solve(Problem(gains()).with_budget(2), "brute-force", observers=observers)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert all(line.startswith("engine: brute-force on measured, budget 2") for line in lines)
    assert "OPTIMAL" in lines[-1]


def test_a_live_line_on_a_terminal(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress(verbose=False) as observers:
        assert isinstance(observers[0], Observer)
        solve(Problem(gains()).with_budget(2), "brute-force", observers=observers)
    assert "brute-force" in screen.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_stdout_stays_pure_while_a_terminal_shows_progress(tmp_path) -> None:
    import json

    leader, follower = pty.openpty()
    arguments = ["solve", "--instance", "tests.engine.fakes:Toy", "--solver", "tests.engine.fakes:Slow"]
    arguments += ["--time-limit", "0.6", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=follower,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(follower)
    shown = b"".join(read_all(leader))  # all the time: a terminal that nobody reads is full soon
    told, _ = process.communicate(timeout=HANGING)
    assert process.returncode == 0
    assert json.loads(told)["status"] == "FEASIBLE"
    assert b"incumbent" in shown
