from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine import GainStore, read_gains
from engine.cli.app import main
from tests.engine.store.made import experiment, groups, trained

ALL = groups("1000", "0100", "0010", "0001", "1100", "1111")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with one experiment, which is also the default store."""
    url = f"sqlite:///{tmp_path / 'gains.db'}"
    monkeypatch.setenv("ENGINE_STORE", url)
    with GainStore.open(url) as store:
        number = store.register(experiment())
        for seed in (0, 1):
            store.save(number, trained(ALL, seed))
        store.claim(number, [(ALL[0], 2)], "me", 60)
    return url


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["gains", *arguments])
    assert result.exit_code == code, result.output
    return result


def test_list(url) -> None:
    (listed,) = json.loads(run("list", "--format", "json").stdout)["experiments"]
    assert listed["digest"] == experiment().digest
    assert (listed["groups"], listed["seeds"], listed["done"], listed["leased"]) == (6, 2, 12, 1)
    (row,) = csv.DictReader(io.StringIO(run("list", "--format", "csv").stdout))
    assert (row["name"], row["tasks"], row["diverged"]) == ("made", "4", "0")
    assert experiment().digest[:12] in run("list").stdout


def test_list_of_an_empty_store(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    GainStore.open(url).close()
    assert "engine collect" in run("list", "--store", url).stdout


def test_show(url) -> None:
    shown = json.loads(run("show", "made", "--format", "json").stdout)
    assert shown["runs_by_seed"] == {"0": 6, "1": 6}
    assert shown["sizes"] == [
        {"size": 1, "groups": 4, "runs": 8},
        {"size": 2, "groups": 1, "runs": 2},
        {"size": 4, "groups": 1, "runs": 2},
    ]
    assert shown["description"] == experiment().description
    table = run("show", experiment().digest[:10]).stdout
    assert "12 done, 0 diverged, 1 leased" in table
    assert "learning_rate=0.001" in table
    assert run("show", "1", "--format", "csv").stdout.splitlines() == [
        "size,groups,runs",
        "1,4,8",
        "2,1,2",
        "4,1,2",
    ]


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_export(url, tmp_path, suffix) -> None:
    path = tmp_path / f"gains{suffix}"
    result = run("export", "made", str(path), "--split", "test", "--of", "loss", "--form", "log-ratio")
    assert "6 groups of 4 tasks written" in result.stderr
    assert result.stdout == ""
    with GainStore.open(url) as store:
        expected = store.tensor(1, split="test", of="loss", form="log-ratio")
    read = read_gains(path)
    np.testing.assert_array_equal(read.gains, expected.gains)
    np.testing.assert_array_equal(read.std, expected.std)


def test_export_as_text_and_import(url, tmp_path) -> None:
    path, other = tmp_path / "results.csv", f"sqlite:///{tmp_path / 'other.db'}"
    assert "12 runs written" in run("export", "made", str(path), "--raw").stderr
    assert "experiment 1: 12 runs added." in run("import", str(path), "--store", other).stderr
    assert "0 runs added, 12 were there" in run("import", str(path), "--store", other).stderr
    with GainStore.open(url) as first, GainStore.open(other) as second:
        assert first.tensor(1).digest == second.tensor(1).digest


def test_a_file_that_is_none_makes_no_store(tmp_path) -> None:
    (tmp_path / "results.csv").write_text("group,task,gain\n")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    assert (
        "not a file of raw results"
        in run("import", str(tmp_path / "results.csv"), "--store", other, code=5).stderr
    )
    assert "cannot be read" in run("import", str(tmp_path / "none.csv"), "--store", other, code=5).stderr
    assert [one.name for one in tmp_path.iterdir()] == ["results.csv"]


def test_merge(url, tmp_path) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"
    with GainStore.open(other) as store:
        number = store.register(experiment())
        store.save(number, trained(ALL, 0, salt=1))
    assert "differ" in run("merge", other, code=5).stderr
    assert "6 differ and stay" in run("merge", other, "--keep", "ours").stderr
    assert "6 replaced" in run("merge", other, "--keep", "theirs").stderr
    assert "0 runs added, 6 were there" in run("merge", other).stderr


def test_repair(url) -> None:
    assert "no run is damaged" in run("repair", "made").stderr
    with GainStore.open(url) as store, store.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE results SET loss = 5 WHERE run = 1 AND task = 3")
    assert "engine gains repair 1" in run("export", "made", "gains.csv", code=5).stderr
    assert "1 damaged runs removed" in run("repair", "made").stderr


def test_errors(url, tmp_path, monkeypatch) -> None:
    assert "Unknown experiment" in run("show", "nothing", code=5).stderr
    assert "no gain store" in run("list", "--store", f"sqlite:///{tmp_path / 'none.db'}", code=5).stderr
    assert "no gain store" in run("merge", f"sqlite:///{tmp_path / 'none.db'}", code=5).stderr
    assert (
        "no results on the split 'train'"
        in run("export", "made", str(tmp_path / "x.csv"), "--split", "train", code=5).stderr
    )
    assert "no folder" in run("export", "made", str(tmp_path / "none" / "x.csv"), code=2).stderr
    assert "database URL" in run("list", "--store", "gains.db", code=2).stderr
