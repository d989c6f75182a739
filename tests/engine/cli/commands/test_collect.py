"""``engine collect`` with a source that trains nothing: what is refused, and what is left then."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

Engine = Callable[..., Result]
FAKE = "tests.engine.collection.fakes:Fake"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table with the tasks a, b, c and two inputs."""
    rows = np.random.default_rng(0).standard_normal((40, 5))
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["a,b,c,x,y", *(",".join(map(str, row)) for row in rows)]))
    return path


@pytest.fixture
def collect(engine: Engine, table: Path, tmp_path: Path) -> Callable[..., Result]:
    """Collect into ``gains.db``."""

    def run(*more: str | Path) -> Result:
        command = ("collect", "--data", table, "--targets", "a,b,c", "--source", FAKE, "--groups", "all")
        return engine(*command, "--store", f"sqlite:///{tmp_path / 'gains.db'}", *more)

    return run


def test_what_was_collected_is_told_and_solved(collect, engine: Engine) -> None:
    result = collect("--seeds", "2", "--format", "json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["trained"], told["groups"], told["seeds"], told["complete"]) == (14, 7, 2, True)
    shown = collect().stdout
    assert "trained      0 runs" in shown
    solved = engine("solve", "--instance", f"{told['store']}#{told['experiment']}", "--budget", "1")
    assert solved.exit_code == 0, solved.stderr


def test_collected_pairs_are_solved_without_more_options(collect, engine: Engine, tmp_path: Path) -> None:
    assert collect("--groups", "pairs").exit_code == 0
    # A quarter of three tasks is one group, and no pair holds all three.
    solved = engine("solve", "--instance", f"sqlite:///{tmp_path / 'gains.db'}#1")
    assert solved.exit_code == 0, solved.stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--executor", "nosuch"), "Unknown executor"),
        (("--time-limit", "nan"), "time limit"),
        (("--until-reliable", "0.9", "--most-seeds", "1"), "cannot be the most"),
        (("--groups", "a|b", "--until-reliable", "0.9"), "name more groups"),
        (("--groups", "random:999999999999"), "from 1 to 2,000,000"),
        (("--groups", f"random:{'9' * 5000}"), "from 1 to 2,000,000"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(collect, tmp_path: Path, more, told: str) -> None:
    result = collect(*more)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]


def test_an_output_that_cannot_be_written_is_refused_before_training(
    collect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    result = collect("--output", closed / "report.txt")
    assert result.exit_code == 2
    assert "no permission" in result.stderr
    assert not (tmp_path / "gains.db").exists()


def test_a_log_that_cannot_be_written_is_told(collect, table: Path) -> None:
    pytest.importorskip("tensorboard")
    result = collect("--tensorboard", table / "log")
    assert result.exit_code == 5
    assert "cannot be written" in result.stderr


def test_a_log_that_can_be_written_no_more_ends_in_one_line_and_loses_nothing(
    collect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = pytest.importorskip("tensorboard.summary")

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(summary.Writer, "flush", full)
    monkeypatch.setattr(summary.Writer, "close", lambda self: None)
    result = collect("--tensorboard", tmp_path / "log")
    assert result.exit_code == 5
    assert "No space left on device" in result.stderr
    assert result.stderr.count("\n") == 1
    # The chunk of four that was stored before it was logged.
    assert "trained      3 runs" in collect().stdout


@pytest.mark.parametrize("more", [("--split", "temporal"), ("--task-column", "c")])
def test_how_a_table_is_read_is_not_for_an_instance(engine: Engine, more: tuple[str, str]) -> None:
    result = engine("collect", "--instance", "digits10", *more)
    assert result.exit_code == 2
    assert f"{more[0]} can only be given with --data" in result.stderr


@pytest.mark.parametrize(
    ("seeds", "told"), [("1", "unknown with one seed"), ("2", "too few, or do not vary")]
)
def test_an_unknown_reliability_is_explained(collect, seeds: str, told: str) -> None:
    shown = collect("--groups", "a|b", "--seeds", seeds).stdout
    assert told in shown


@pytest.mark.parametrize("where", ["me:secret@host/gains", "me@host/gains?password=secret"])
def test_a_password_is_on_no_output(collect, engine: Engine, tmp_path: Path, monkeypatch, where: str) -> None:
    from engine import GainStore
    from engine.store.urls import shown

    with_password = f"postgresql+psycopg://{where}"
    opened = GainStore.open

    def open_here(url: str, *, create: bool = True) -> GainStore:
        store = opened(f"sqlite:///{tmp_path / 'gains.db'}", create=create)
        store._database = replace(store._database, url=shown(url))
        return store

    monkeypatch.setattr(GainStore, "open", open_here)
    for result in (
        collect("--store", with_password),
        collect("--store", with_password, "--format", "json"),
        engine("solve", "--instance", f"{with_password}#1", "--budget", "1"),
        engine("solve", "--instance", f"{with_password}#1", "--budget", "1", "--format", "json"),
    ):
        assert result.exit_code == 0, result.stderr
        assert "secret" not in result.output
    assert "postgresql+psycopg://me" in collect("--store", with_password).stdout


@pytest.mark.parametrize(
    ("how", "flaw"), [("delete", "was deleted"), ("replace", "was replaced"), ("text", "was overwritten")]
)
def test_a_store_that_is_lost_while_it_is_written_is_no_success(
    collect, tmp_path: Path, how: str, flaw: str
) -> None:
    options = {"file": tmp_path / "gains.db", "log": tmp_path / "log", "how": how}
    more = [part for key, one in options.items() for part in ("--source-option", f"{key}={one}")]
    result = collect("--seeds", "5", "--source", "tests.engine.collection.fakes:Losing", *more)
    assert result.exit_code == 5
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert flaw in line
    assert "same command again" in line
