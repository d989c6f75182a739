from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import INSTANCES, load_instance


@pytest.fixture(autouse=True)
def _no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENGINE_STORE", raising=False)
    monkeypatch.delenv("ENGINE_DATA", raising=False)


def test_an_instance_that_trains_is_listed_as_such(engine) -> None:
    lines = engine("instances").stdout.splitlines()
    (line,) = [one for one in lines if one.startswith("digits10 ")]
    assert line.split()[:3] == ["digits10", "10", "trains"]
    (line,) = [one for one in lines if one.startswith("toy4 ")]
    assert line.split()[2] == str(load_instance("toy4").info.n_groups)


def test_it_is_described_without_gains(engine) -> None:
    result = engine("instances", "show", "digits10")
    assert result.exit_code == 0
    assert "mlp (hidden=32, layers=2)" in result.stdout
    assert "epochs 25, patience 5, batch size 64" in result.stdout
    assert "engine collect --instance digits10" in result.stdout


@pytest.mark.parametrize(
    "name", [name for name in INSTANCES.names() if not INSTANCES.load(name).info.n_groups]
)
def test_every_one_of_them_is_described_without_data(engine, name: str) -> None:
    told = json.loads(engine("instances", "show", name, "--format", "json").stdout)
    assert tuple(told["tasks"]) == load_instance(name).info.tasks
    rows = engine("instances", "show", name, "--format", "csv").stdout.splitlines()
    assert rows == ["task", *told["tasks"]]
