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
from numpy.typing import NDArray

from engine import (
    Collector,
    DataError,
    Experiment,
    GainSourceInfo,
    Provenance,
    Solution,
    TrainedGroups,
    load_instance,
    solve,
)
from engine.collection.realised_gains import relative_gains, train_solution
from engine.problem.table import Problem

Engine = Callable[..., Result]
GROUPS = [[0, 1, 2], [2, 3], [4], [5, 6, 7, 8, 9]]


@dataclass(frozen=True)
class Scored(Collector):
    """Scores a task by its number, its group's size, and the seed; saves the serving map alone."""

    diverging: str = ""
    info = GainSourceInfo(summary="made-up scores")

    def chunk_size(self, experiment: Experiment) -> int:
        """Return 8."""
        return 8

    def measure(self, experiment: Experiment, membership: NDArray[np.bool_], seed: int) -> TrainedGroups:
        """Return the scores."""
        sizes = membership.sum(axis=1)[:, None]
        score = np.where(membership, 1.0 + np.arange(membership.shape[1]) - 0.01 * sizes + seed, np.nan)
        if self.diverging == "alone":
            score[(sizes == 1)[:, 0]] = np.nan
        epochs = np.ones(len(membership), dtype=np.int64)
        split = {"valid": score, "test": 2 * score}
        return TrainedGroups(membership, seed, split, split, {"valid": ()}, epochs, epochs)

    def train_for_good(self, experiment, membership, serving, seed, folder):
        """Return the scores after writing the map."""
        folder.mkdir()
        (folder / "serving.json").write_text(json.dumps(dict(serving)))
        return self.measure(experiment, membership, seed)


HERE = "tests.engine.cli.commands.test_train:Scored"


@pytest.fixture
def solution(engine: Engine, tmp_path: Path) -> Path:
    """A solution for digits10, as ``engine solve`` writes it."""
    names = [f"digit_{one}" for one in range(10)]
    lines = ["group,task,gain"]
    for group in GROUPS:
        label = "|".join(names[one] for one in group)
        lines += [f"{label},{names[one]},{0.0 if len(group) == 1 else 0.01 * one + 0.02}" for one in group]
    (tmp_path / "gains.csv").write_text("\n".join(lines))
    output = tmp_path / "solution.json"
    command = ("solve", "--instance", tmp_path / "gains.csv", "--budget", "4", "--format", "json")
    assert engine(*command, "--output", output).exit_code == 0
    return output


def train(engine: Engine, solution: Path, folder: Path, *more: str) -> Result:
    command = ("train", "--solution", solution, "--instance", "digits10", "--output", folder)
    return engine(*command, "--source", HERE, *more)


def test_realised_gains_stand_beside_the_promise(engine: Engine, solution: Path, tmp_path: Path) -> None:
    result = train(engine, solution, tmp_path / "models", "--format", "json", "--seed", "2")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    promised = Solution.load(solution).task_values
    for row in report["tasks"]:
        task, size = int(row["task"][-1]), len(row["group"].split("|"))
        alone, together = 3.0 + task - 0.01, 3.0 + task - 0.01 * size
        assert row["promised"] == promised[row["task"]]
        assert row["valid_alone"] == pytest.approx(alone)
        assert row["test_together"] == pytest.approx(2 * together)
        # The default metric is a loss: lower is better.
        assert row["valid_gain"] == pytest.approx((alone - together) / alone)
    assert report["seed"] == 2
    assert report["promised_mean"] == pytest.approx(np.mean(list(promised.values())))
    assert report["valid_mean"] == pytest.approx(np.mean([row["valid_gain"] for row in report["tasks"]]))
    assert json.loads((tmp_path / "models" / "serving.json").read_text())["digit_4"] == 2


def test_every_format_tells_the_same(engine: Engine, solution: Path, tmp_path: Path) -> None:
    rows = list(
        csv.DictReader(io.StringIO(train(engine, solution, tmp_path / "one", "--format", "csv").stdout))
    )
    table = train(engine, solution, tmp_path / "two").stdout
    assert len(rows) == 10
    for row in rows:
        line = next(line for line in table.splitlines() if line.startswith(f"{row['task']} "))
        assert f"{100 * float(row['valid_gain']):.3f}" in line
        assert f"{100 * float(row['promised']):.3f}" in line
    report = tmp_path / "report.csv"
    shown = train(engine, solution, tmp_path / "three", "--format", "csv", "--report", str(report))
    assert shown.stdout == ""
    assert list(csv.DictReader(io.StringIO(report.read_text()))) == rows


def test_a_solution_for_other_data_is_refused(engine: Engine, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    solve(Problem(load_instance("toy4").gains()), "greedy").save(other)
    result = train(engine, other, tmp_path / "models")
    assert result.exit_code == 5
    assert "for other data" in result.stderr
    assert not (tmp_path / "models").exists()


def test_a_solution_without_groups_is_refused(engine: Engine, solution: Path, tmp_path: Path) -> None:
    data = json.loads(solution.read_text())
    data |= {"groups": [], "costs": [], "measured": [], "serving": {}, "task_values": {}, "status": "NONE"}
    solution.write_text(json.dumps(data))
    result = train(engine, solution, tmp_path / "models")
    assert result.exit_code == 5
    assert "holds no grouping" in result.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data["serving"].update(digit_0=99), "by 99, which is none of its groups"),
        (lambda data: data["serving"].update(digit_0=-1), "by -1, which is none"),
        (lambda data: data["serving"].update(digit_0=0.5), "by 0.5, which is none"),
        (lambda data: data["serving"].update(digit_0=True), "by True, which is none"),
        (lambda data: data["serving"].update(digit_0=data["serving"]["digit_9"]), "which lacks it"),
        (lambda data: data["serving"].pop("digit_0"), "by None, which is none"),
        (lambda data: data["serving"].update(digit_x=0), "'digit_x', which is none of its tasks"),
        (lambda data: data["task_values"].update(digit_0="much"), "'much' for task 'digit_0'"),
        (lambda data: data["groups"][data["serving"]["digit_0"]].append("digit_x"), "Unknown task"),
    ],
)
def test_a_solution_that_was_edited_and_contradicts_itself_is_refused_before_training(
    engine: Engine, solution: Path, tmp_path: Path, change: Callable[[dict], object], told: str
) -> None:
    data = json.loads(solution.read_text())
    change(data)
    solution.write_text(json.dumps(data))
    result = train(engine, solution, tmp_path / "models")
    assert result.exit_code == 5
    assert told in result.stderr
    assert not (tmp_path / "models").exists()


def test_a_promise_of_other_gains_or_another_training_is_told(
    engine: Engine, solution: Path, tmp_path: Path
) -> None:
    digest = load_instance("digits10").experiment().digest  # type: ignore[attr-defined]
    cases = (
        ("0123456789ab", "relative", "metric", "training otherwise"),
        (digest, "log-ratio", "metric", "another kind of gain"),
        (digest, "relative", "loss", "another kind of gain"),
        (digest, "relative", "metric", ""),
    )
    for index, (experiment, form, gain_of, told) in enumerate(cases):
        made = Provenance("digits10", "sqlite:///gains.db", experiment, gain_of, form)
        data = json.loads(solution.read_text())
        data["gains"]["provenance"] = made.to_dict()
        solution.write_text(json.dumps(data))
        result = train(engine, solution, tmp_path / str(index))
        assert result.exit_code == 0
        assert result.stderr.count("\n") == (1 if told else 0)
        assert told in result.stderr


def test_a_source_that_saves_nothing_is_refused(engine: Engine, solution: Path, tmp_path: Path) -> None:
    class Forgetful(Scored):
        train_for_good = Collector.train_for_good

    with pytest.raises(Exception, match="does not save what it trains"):
        train_solution(
            Solution.load(solution),
            load_instance("digits10").experiment(),  # type: ignore[attr-defined]
            Forgetful(),
            tmp_path / "models",
        )


def test_a_divergence_alone_is_told(solution: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="task 'digit_0' alone with seed 0 diverged"):
        train_solution(
            Solution.load(solution),
            load_instance("digits10").experiment(),  # type: ignore[attr-defined]
            Scored("alone"),
            tmp_path / "models",
        )


def test_gains_that_are_not_defined_are_unknown() -> None:
    together, alone = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, 6.0])
    signs = np.array([1.0, 1.0, -1.0])
    assert relative_gains(together, alone, signs, "relative") == pytest.approx(
        [-0.5, np.nan, 0.5], nan_ok=True
    )
    assert relative_gains(together, alone, signs, "log-ratio") == pytest.approx(
        [-np.log(2), np.nan, np.log(2)], nan_ok=True
    )
