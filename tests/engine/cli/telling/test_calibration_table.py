from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from engine import GainTensor, Predictor, all_groups, make_gain_source, read_gains, write_gains
from engine.gains.calibration import calibrate

Engine = Callable[..., Result]
TASKS = ("a", "b", "c", "d", "e")


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """Gains of all groups of five tasks, made of a sum of effects and noise."""
    membership, random = all_groups(5), np.random.default_rng(0)
    values = membership @ random.normal(0, 0.1, (5, 5)) + random.normal(0, 0.02, membership.shape)
    values[membership.sum(axis=1) == 1] = 0.0
    write_gains(
        GainTensor.from_dense(TASKS, membership, np.where(membership, values, np.nan)), tmp_path / "known.npz"
    )
    return tmp_path / "known.npz"


def test_the_table_shows_tasks_all_tasks_and_quantiles(engine: Engine, known: Path) -> None:
    result = engine("predict", "--instance", known, "--calibrate")
    assert result.exit_code == 0, result.stderr
    found = calibrate(make_gain_source("ridge", Predictor), read_gains(known))
    lines = [line.split() for line in result.stdout.splitlines()]
    overall = found.overall
    assert overall.error is not None
    assert overall.coverage[0] is not None
    for one in found.tasks:
        assert [one.task, str(one.entries)] in [line[:2] for line in lines]
    row = next(line for line in lines if line[:2] == ["all", "tasks"])
    assert row[2:4] == [str(overall.entries), f"{100 * overall.error:.3f}"]
    assert f"{100 * overall.coverage[0]:.1f}" in row
    assert ["50", f"{100 * dict(found.quantiles)[0.5]:.1f}"] in lines
    assert "26 groups in 5 folds" in result.stdout


def test_json_and_csv_hold_all_numbers(engine: Engine, known: Path, tmp_path: Path) -> None:
    command = ("predict", "--instance", known, "--source", "ridge", "--calibrate", "--seed", "3", "--format")
    found = calibrate(make_gain_source("ridge", Predictor), read_gains(known), seed=3)
    told = json.loads(engine(*command, "json").stdout)
    assert told["overall"]["surprise"] == found.overall.surprise
    assert told["levels"] == [0.5, 0.9]
    assert told["quantiles"] == [list(pair) for pair in found.quantiles]
    output = tmp_path / "found.txt"
    assert engine(*command, "csv", "--output", output).stdout == ""
    assert engine(*command, "csv", "--output", tmp_path / "nowhere" / "found.csv").exit_code == 2
    rows = list(csv.DictReader(io.StringIO(output.read_text())))
    assert [row["task"] for row in rows] == [*TASKS, ""]
    assert float(rows[-1]["within_0.9"]) == found.overall.coverage[1]


def test_small_groups_stay_known_when_a_size_is_given(engine: Engine, known: Path) -> None:
    failed = engine("predict", "--instance", known, "--source", "hoa", "--calibrate")
    assert failed.exit_code == 5
    assert "every pair" in failed.stderr
    result = engine("predict", "--instance", known, "--source", "hoa", "--calibrate", "3")
    assert result.exit_code == 0, result.stderr
    assert "16 groups in 5 folds" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--calibrate", "--groups", "all"), "--calibrate predicts known groups"),
        (("--calibrate", "--predict-all"), "--calibrate predicts known groups"),
        (("--source", "tag", "--calibrate"), "'tag' fits no known gains"),
        (("--format", "json"), "--format is about --calibrate"),
        (("--calibrate", "1"), "1 is not in the range"),
    ],
)
def test_what_has_no_meaning_is_refused(
    engine: Engine, known: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = engine("predict", "--instance", known, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
