from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import HANGING, wait_until

SLOW = (
    "solve",
    "--instance",
    "tests.engine.fakes:Toy",
    "--solver",
    "tests.engine.fakes:Slow",
    "--format",
    "json",
)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a solve that would last forever, and wait until the solver is at work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", *SLOW, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until((folder / "solving").exists, process)
    return process


@pytest.mark.parametrize("old", [None, "what was there"])
def test_a_killed_solve_leaves_no_partial_file(tmp_path, old: str | None) -> None:
    target = tmp_path / "out.json"
    if old is not None:
        target.write_text(old)
    process = start(tmp_path, "--output", "out.json")
    process.kill()
    process.communicate(timeout=HANGING)
    assert {one.name for one in tmp_path.iterdir()} == {"solving"} | ({"out.json"} if old else set())
    if old is not None:
        assert target.read_text() == old


def test_ctrl_c_writes_the_incumbent_whole(tmp_path) -> None:
    process = start(tmp_path, "--output", "out.json")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=HANGING)
    assert process.returncode == 0, err
    assert out == ""
    assert "interrupted" in err
    data = json.loads((tmp_path / "out.json").read_text())
    assert (data["status"], data["termination"]) == ("FEASIBLE", "INTERRUPTED")
    assert {one.name for one in tmp_path.iterdir()} == {"solving", "out.json"}


def test_a_time_limit_prints_the_incumbent(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", *SLOW, "--time-limit", "0.1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["termination"] == "TIME_LIMIT"
