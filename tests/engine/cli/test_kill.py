from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import HANGING, running, wait_until

SLOW = (
    *(sys.executable, "-m", "engine.cli.main", "solve", "--format", "json"),
    *("--instance", "tests.engine.fakes:Toy", "--solver", "tests.engine.fakes:Slow"),
)
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@contextmanager
def solving(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Give a solve that would last forever, once the solver is at work."""
    with running(*SLOW, *arguments, cwd=folder, **PIPES) as process:
        wait_until((folder / "solving").exists, process)
        yield process


@pytest.mark.parametrize("old", [None, "what was there"])
def test_a_killed_solve_leaves_no_partial_file(tmp_path, old: str | None) -> None:
    target = tmp_path / "out.json"
    if old is not None:
        target.write_text(old)
    with solving(tmp_path, "--output", "out.json") as process:
        process.kill()
        process.communicate(timeout=HANGING)
    assert {one.name for one in tmp_path.iterdir()} == {"solving"} | ({"out.json"} if old else set())
    if old is not None:
        assert target.read_text() == old


def test_ctrl_c_writes_the_incumbent_whole(tmp_path) -> None:
    with solving(tmp_path, "--output", "out.json") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGING)
    assert process.returncode == 130, err
    assert out == ""
    assert "interrupted" in err
    data = json.loads((tmp_path / "out.json").read_text())
    assert (data["status"], data["termination"]) == ("FEASIBLE", "INTERRUPTED")
    assert {one.name for one in tmp_path.iterdir()} == {"solving", "out.json"}


def test_a_time_limit_prints_the_incumbent(tmp_path) -> None:
    done = subprocess.run([*SLOW, "--time-limit", "0.1"], cwd=tmp_path, timeout=HANGING, **PIPES)  # type: ignore[call-overload]
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["termination"] == "TIME_LIMIT"
