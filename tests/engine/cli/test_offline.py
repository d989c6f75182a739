"""The command line where nothing can be reached: bundled predictions, told and marked as such."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from instances.reading.bundled_predictions import FOLDER, read_predictions
from tests.waiting import HANGING

BLOCKED = """
import socket

def refuse(*_, **__):
    raise OSError("this test reaches nothing")

socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
"""
UNSHARE = ("unshare", "--map-root-user", "--net")
SOURCE = read_predictions(FOLDER / "ettm1.npz").fit.source


def unshare_works() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, timeout=HANGING).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture
def _nothing(own_cache: Path) -> None:
    """No data anywhere, and downloads are switched off."""


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("ENGINE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / "task-grouping-engine"


def test_mimic27_is_solved_in_a_sandbox_without_network(tmp_path: Path) -> None:
    """In a network namespace of its own or, where the machine allows none, with sockets that refuse."""
    sandboxed = unshare_works()
    environment = {
        key: value for key, value in os.environ.items() if key not in ("ENGINE_DATA", "ENGINE_OFFLINE")
    }
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if not sandboxed:
        (tmp_path / "sitecustomize.py").write_text(BLOCKED, encoding="utf-8")
        environment["PYTHONPATH"] = str(tmp_path)
    done = subprocess.run(
        [
            *(UNSHARE if sandboxed else ()),
            *(sys.executable, "-m", "engine", "solve", "--instance", "mimic27", "--solver", "cpsat"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGING,
    )
    assert done.returncode == 0, done.stderr
    (told,) = done.stderr.splitlines()
    assert told.startswith("engine: mimic27: every gain is predicted by ")
    for word in ("none is measured", "(1) Give a folder", "(2) put it into the cache", "(3) let it be"):
        assert word in told
    assert "status     OPTIMAL: proven optimal" in done.stdout
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if " " in line.strip())
    assert facts["value"].endswith("(predicted)")
    assert facts["gains"].endswith("5304 groups (predicted)")
    assert "% on valid  (predicted)" in done.stdout
    assert "% on test  (predicted)" in done.stdout
    assert "(measured)" not in done.stdout
    assert not (tmp_path / "cache").exists() or not any(
        path.is_file() for path in (tmp_path / "cache").rglob("*")
    )


@pytest.mark.usefixtures("_nothing")
@pytest.mark.parametrize("instance", ["mimic27", "ettm1"])
def test_nobody_is_asked_twice_for_what_cannot_be_had(
    engine, monkeypatch: pytest.MonkeyPatch, instance: str
) -> None:
    """What keeps a user waiting where nothing can be reached is how often that is tried."""
    asked: list[object] = []

    def refuse(*given: object, **_: object) -> None:
        asked.append(given)
        raise OSError("this test reaches nothing")

    monkeypatch.setenv("ENGINE_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert engine("solve", "--instance", instance, "--solver", "branch-and-bound").exit_code == 0
    assert len(asked) == 1


@pytest.mark.usefixtures("_nothing")
def test_every_figure_is_marked_for_machines(engine) -> None:
    result = engine("solve", "--instance", "ettm1", "--budget", "3", "--format", "json")
    assert result.exit_code == 0
    assert result.stderr.count("\n") == 1
    found = json.loads(result.stdout)
    assert found["measured"] == [False] * len(found["groups"])
    assert found["predicted_groups"] == len(found["groups"])
    assert (found["gains"]["source"], found["gains"]["measured_groups"]) == (SOURCE, 0)
    assert found["gains"]["provenance"]["text"].startswith(f"{SOURCE} fitted on 127 measured valid gains of ")
    assert not any(found["evaluation"]["measured"].values())
    assert found["evaluation"]["source"] == SOURCE
    assert found["evaluation"]["predicted_servings"] == len(found["tasks"])
    assert "Every gain is predicted" in found["note"]
    rows = csv.DictReader(io.StringIO(engine("solve", "--instance", "ettm1", "--format", "csv").stdout))
    assert {(row["source_measured"], row["evaluation_measured"]) for row in rows} == {("false", "false")}


@pytest.mark.usefixtures("_nothing")
def test_every_figure_of_a_table_is_starred(engine) -> None:
    shown = engine("solve", "--instance", "ettm1", "--budget", "3").stdout
    serving = [line.split() for line in shown.split("task ", 1)[1].splitlines()[2:9]]
    assert all(valid.endswith("*") and test.endswith("*") for *_, valid, test in serving)
    assert "* predicted, in whole or in part" in shown
    shown = engine("frontier", "--instance", "ettm1").stdout
    assert f"source '{SOURCE}', split valid, 127 groups (predicted)" in shown
    for line in shown.splitlines()[2:9]:
        assert line.count("*") == 4


@pytest.mark.usefixtures("_nothing")
def test_compare_leaves_out_what_is_not_here(engine) -> None:
    names = ("--instances", "ettm1,taskonomy5", "--solvers", "branch-and-bound,beam", "--budgets", "3")
    result = engine("compare", *names, "--sources", f"measured,hoa,{SOURCE}", "--format", "json")
    assert result.exit_code == 2  # no instance has measured gains
    result = engine("compare", *names, "--sources", f"hoa,{SOURCE}", "--format", "json")
    assert result.exit_code == 0
    assert result.stderr.count("every gain is predicted") == 2
    rows = json.loads(result.stdout)["rows"]
    assert len(rows) == 8
    for row in rows:
        tasks = 7 if row["instance"] == "ettm1" else 5
        assert row["predicted_servings"] == row["evaluation_predicted_servings"] == tasks
    beside = engine(
        *("compare", "--instances", "ettm1,toy4", "--solvers", "branch-and-bound"),
        *("--budgets", "3", "--sources", "measured", "--format", "json"),
    )
    assert {row["instance"] for row in json.loads(beside.stdout)["rows"]} == {"toy4"}
    assert "ettm1 measured is left out" in beside.stderr


@pytest.mark.usefixtures("_nothing")
def test_a_fit_on_predictions_says_so(engine, tmp_path: Path) -> None:
    path = tmp_path / "predicted.csv"
    command = ("predict", "--instance", "ettm1", "--source", "additive", "--groups", "pairs")
    result = engine(*command, "--output", path)
    assert result.exit_code == 0
    assert f"21 groups predicted by additive from predictions of {SOURCE}, 0 measured" in result.stderr
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert {row["measured"] for row in rows} == {"false"}
    shown = engine("solve", "--instance", "ettm1", "--lattice", "--gains", "additive", "--budget", "2").stdout
    assert "fitted on predictions" in shown
    assert f"additive fitted on predicted {SOURCE} valid gains" in shown


@pytest.mark.usefixtures("_nothing")
def test_measured_gains_are_not_made_up(engine) -> None:
    result = engine("solve", "--instance", "ettm1", "--gains", "measured")
    assert result.exit_code == 2
    assert "no gains of 'measured' on 'valid' here" in result.stderr
    assert not result.stdout


@pytest.mark.usefixtures("_nothing")
def test_an_instance_of_predictions_is_described_as_one(engine) -> None:
    result = engine("instances", "show", "ettm1")
    assert result.exit_code == 0
    assert "127 over 7 tasks (predicted)" in result.stdout
    assert f"gains predicted by {SOURCE}: off by" in result.stdout
    assert result.stderr.count("\n") == 1
    assert json.loads(engine("instances", "show", "ettm1", "--format", "json").stdout)["measured_groups"] == 0


def test_the_list_says_what_comes_with_the_engine(engine) -> None:
    shown = engine("instances").stdout
    assert shown.count("where those cannot be had: predictions of ") == 3
    listed = json.loads(engine("instances", "--format", "json").stdout)["instances"]
    bundled = {one["name"]: one["bundled"] for one in listed if one.get("bundled")}
    assert bundled == {
        name: f"predictions of {count} groups, which come with the engine"
        for name, count in {"mimic27": 5304, "ettm1": 127, "taskonomy5": 31}.items()
    }
    assert "bundled" in engine("instances", "--format", "csv").stdout.splitlines()[0].split(",")


def test_a_folder_without_the_data_is_an_error(engine, own_cache: Path, tmp_path: Path) -> None:
    result = engine("solve", "--instance", "mimic27", "--data-dir", tmp_path)
    assert result.exit_code == 5
    assert "leave out --data-dir and unset ENGINE_DATA" in result.stderr
    assert not result.stdout


def test_measured_gains_are_used_where_they_are(
    engine, own_cache: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_DATA", str(data_dir))
    result = engine("solve", "--instance", "ettm1", "--format", "json")
    assert result.exit_code == 0
    assert not result.stderr
    found = json.loads(result.stdout)
    assert (found["gains"]["source"], found["predicted_groups"]) == ("measured", 0)
