from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from engine import (
    Affinity,
    AffinitySource,
    Experiment,
    GainSourceInfo,
    GainTensor,
    Predictor,
    all_groups,
    make_gain_source,
    read_affinity,
    read_gains,
    write_gains,
)
from engine.gains.formats.options import ReadOptions

Engine = Callable[..., Result]
TASKS = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Differences(AffinitySource):
    """``matrix[i, j] = scale · (i − j) + seed``."""

    scale: float = 1.0
    info = GainSourceInfo(summary="differences of the task numbers")

    def affinity(self, experiment: Experiment, seed: int = 0) -> Affinity:
        """Return the differences."""
        index = np.arange(len(experiment.tasks), dtype=float)
        return Affinity(experiment.tasks, self.scale * np.subtract.outer(index, index) + seed, "differences")


HERE = "tests.engine.cli.commands.test_predict:Differences"


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """Measured gains of all groups of up to three of four tasks."""
    membership = all_groups(4)[:-1]
    values = np.random.default_rng(0).normal(0, 0.1, membership.shape)
    values[membership.sum(axis=1) == 1] = 0.0
    std = np.where(membership, 0.01, np.nan)
    gains = GainTensor.from_dense(TASKS, membership, np.where(membership, values, np.nan), std=std)
    write_gains(gains, tmp_path / "known.npz")
    return tmp_path / "known.npz"


@pytest.mark.parametrize("source", ["ridge", "additive", "hoa"])
@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_measured_groups_are_handed_through_and_others_predicted(
    engine: Engine, known: Path, tmp_path: Path, source: str, suffix: str
) -> None:
    output = tmp_path / f"found{suffix}"
    result = engine("predict", "--instance", known, "--source", source, "--groups", "all", "--output", output)
    assert result.exit_code == 0, result.stderr
    assert f"1 groups predicted by {source}, 14 measured" in result.stderr
    assert result.stdout == ""
    found, given = read_gains(output, ReadOptions(tasks=TASKS)), read_gains(known)
    assert found.measured.sum() == 14
    assert np.array_equal(found.membership, all_groups(4))
    assert np.array_equal(found.gains[found.measured], given.gains, equal_nan=True)
    model = make_gain_source(source, Predictor).fit(given)
    assert np.array_equal(found.gains[-1:], model.predict(found.membership[-1:]))
    assert found.std is not None
    errors = found.dense(found.std)
    assert np.nanmax(np.abs(errors[:-1] - 0.01)) < 1e-15
    assert np.isnan(errors[-1]).all() if source == "hoa" else (errors[-1] > 0).all()


def test_the_listed_groups_are_predicted_when_asked(engine: Engine, known: Path) -> None:
    kept = engine("predict", "--instance", known)
    assert {row["measured"] for row in csv.DictReader(io.StringIO(kept.stdout))} == {"true"}
    result = engine("predict", "--instance", known, "--predict-all")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["measured"] for row in rows} == {"false"}
    model = make_gain_source("ridge", Predictor).fit(read_gains(known))
    expected = model.predict(read_gains(known).membership)
    assert [float(row["gain"]) for row in rows] == expected[np.isfinite(expected)].tolist()


def test_options_of_the_source_are_read(engine: Engine, known: Path) -> None:
    rows = [
        engine("predict", "--instance", known, "--source", "additive", "--groups", "a|b|c|d", *more).stdout
        for more in ((), ("--source-option", "mean=true"))
    ]
    assert rows[0] != rows[1]
    result = engine("predict", "--instance", known, "--source-option", "meen=true")
    assert result.exit_code == 2


def test_an_affinity_is_extended_by_pair_means_and_written(engine: Engine, tmp_path: Path) -> None:
    affinity, output = tmp_path / "affinity.json", tmp_path / "found.npz"
    command = ("predict", "--instance", "digits10", "--source", HERE, "--seed", "3", "--groups")
    files = ("--affinity-output", affinity, "--output", output, "--source-option", "scale=2")
    result = engine(*command, "pairs,digit_0|digit_4|digit_9", *files)
    assert result.exit_code == 0, result.stderr
    expected = 2 * np.subtract.outer(np.arange(10.0), np.arange(10.0)) + 3
    np.fill_diagonal(expected, np.nan)
    written = read_affinity(affinity).matrix.copy()
    np.fill_diagonal(written, np.nan)
    assert np.array_equal(written, expected, equal_nan=True)
    found = read_gains(output)
    assert found.n_groups == 46
    assert not found.measured.any()
    mean = [(expected[4, 0] + expected[9, 0]) / 2, (expected[0, 4] + expected[9, 4]) / 2]
    assert found.gains[-1][[0, 4]].tolist() == mean
    assert json.loads(affinity.read_text())["digit_1"]["digit_0"] == 5.0


def test_a_kind_of_file_that_is_not_known_is_refused_before_training(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Differences, "affinity", lambda *given: pytest.fail("it was trained"))
    command = ("predict", "--instance", "digits10", "--source", HERE, "--groups", "pairs", "--output")
    result = engine(*command, tmp_path / "found.txt")
    assert result.exit_code == 2
    assert "kind of file is not known" in result.stderr


def test_all_groups_of_a_few_tasks_are_the_default_of_an_affinity(engine: Engine, tmp_path: Path) -> None:
    output = tmp_path / "all.npz"
    assert engine("predict", "--instance", "digits10", "--source", HERE, "--output", output).exit_code == 0
    assert read_gains(output).n_groups == 1023


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "ridge"), "Give the known gains"),
        (("--source", "measured", "--instance", "digits10"), "use engine collect --source measured"),
        (("--source", "ridgy", "--instance", "fake"), "ridge"),
        (("--instance", "fake", "--epochs", "3"), "--epochs are about training"),
        (("--instance", "fake", "--experiment", "x"), "give --store URL"),
        (("--instance", "fake", "--affinity-output", "a.json"), "no affinity to write"),
        (("--instance", "fake", "--groups", "listed,pairs"), "'listed' stands alone"),
        (("--source", HERE, "--instance", "digits10", "--groups", "listed"), "no listed groups"),
        (("--source", HERE, "--instance", "digits10", "--predict-all"), "without --store"),
        (("--source", HERE, "--instance", "toy4"), "no data to train on"),
        (("--instance", "fake", "--groups", "nobody"), "names no groups"),
        (("--instance", "fake", "--output", "missing/x.csv"), "no folder"),
    ],
)
def test_what_does_not_fit_is_refused(engine: Engine, arguments: tuple[str, ...], message: str) -> None:
    result = engine("predict", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_measuring_actively_fits_on_k_times_n_groups(engine: Engine, tmp_path: Path) -> None:
    output = tmp_path / "found.npz"
    command = ("predict", "--instance", "fake", "--model", "ridge", "--measure")
    result = engine(*command, "2", "--groups", "all", "--output", output)
    assert result.exit_code == 0, result.stderr
    found = read_gains(output)
    assert found.measured[found.sizes > 1].sum() == 1 + 2 * 4
    assert found.measured[found.sizes == 4].all()
    assert f"{15 - found.measured.sum()} groups predicted by ridge" in result.stderr
    again = tmp_path / "again.npz"
    assert engine(*command, "2", "--groups", "all", "--output", again).exit_code == 0
    assert read_gains(again).digest == found.digest
    assert engine(*command, "0").exit_code == 2


def test_task_embeddings_are_written_and_drawn(engine: Engine, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    table, picture = tmp_path / "e.csv", tmp_path / "e.svg"
    options = (
        "--source-option",
        "repeats=1",
        "--source-option",
        "width=8",
        "--embeddings-output",
        table,
        "--embeddings-plot",
        picture,
    )
    result = engine(
        "predict", "--instance", "fake", "--model", "mtgnet", *options, "--output", tmp_path / "g.npz"
    )
    assert result.exit_code == 0, result.stderr
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["task"] for row in rows] == list(TASKS)
    assert len(rows[0]) > 2
    assert picture.read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--instance", "fake", "--embeddings-output", "e.csv"), "embeds no tasks"),
        (("--instance", "fake", "--calibrate", "--measure", "2"), "no --measure"),
        (("--instance", "fake", "--calibrate", "--embeddings-output", "e.csv"), "no embeddings"),
        (("--source", HERE, "--instance", "digits10", "--embeddings-plot", "e.svg"), "embeds no tasks"),
        (("--source", HERE, "--instance", "digits10", "--measure", "2"), "--measure"),
    ],
)
def test_what_does_not_fit_measuring_or_embeddings(
    engine: Engine, arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = engine("predict", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.iterdir())
