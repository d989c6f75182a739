"""``engine collect --guided``, on recorded gains and on a source that trains nothing."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from engine import GainStore, Solution, write_gains
from tests.engine import fakes
from tests.engine.collection.fakes import end_leases
from tests.waiting import HANGING, running, wait_until

Engine = Callable[..., Result]
FAKE = "tests.engine.collection.fakes:Fake"
REHEARSAL = ("collect", "--instance", "fake", "--guided", "--predictor", "ridge")

pytestmark = pytest.mark.usefixtures("no_hurry")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table with the tasks a, b, c, d and two inputs."""
    rows = np.random.default_rng(0).standard_normal((40, 6))
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["a,b,c,d,x,y", *(",".join(map(str, row)) for row in rows)]))
    return path


def training(table: Path, *more: str) -> tuple[str, ...]:
    store = f"sqlite:///{table.parent / 'gains.db'}"
    command = ("collect", "--guided", "--predictor", "ridge", "--data", str(table), "--targets", "a,b,c,d")
    log = f"log={table.parent / 'log'}"
    return (*command, "--source", FAKE, "--source-option", log, "--store", store, *more)


def trained(table: Path) -> list[str]:
    return (table.parent / "log").read_text().splitlines()


def test_a_rehearsal_on_recorded_gains_tells_what_it_would_have_found(engine: Engine) -> None:
    result = engine(*REHEARSAL, "--runs", "6", "--batch", "2", "--budget-groups", "2,3", "--format", "json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["measured_groups"], told["stopped"], told["quantity"]) == (6, "runs", "gain")
    assert [one["budget"] for one in told["decisions"]] == [2.0, 3.0]
    for one in told["decisions"]:
        solution = Solution.from_dict(one["solution"])
        assert len(solution.groups) == one["groups"]
        assert one["promised"] == pytest.approx(solution.mean)
        assert sum(not group.measured for group in solution.groups) == one["predicted_groups"]
    again = engine(*REHEARSAL, "--runs", "6", "--batch", "2", "--budget-groups", "2,3", "--format", "json")
    values = [[one["promised"] for one in json.loads(two.stdout)["decisions"]] for two in (result, again)]
    assert values[0] == values[1]


def test_everything_measured_is_the_optimum(engine: Engine) -> None:
    rows = engine(*REHEARSAL, "--runs", "99", "--budget-groups", "2", "--format", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(rows))
    solved = json.loads(engine("solve", "--instance", "fake", "--budget", "2", "--format", "json").stdout)
    assert float(row["promised"]) == pytest.approx(Solution.from_dict(solved).mean)
    assert row["predicted_groups"] == "0"


def test_the_table_and_the_progress_lines(engine: Engine) -> None:
    result = engine(*REHEARSAL, "--runs", "4", "--verbose", "--stop-below", "0.00001")
    assert "measured     4 groups of 4 tasks of fake" in result.stdout
    assert "all runs are spent" in result.stdout
    assert "left to win  at most" in result.stdout
    lines = [line for line in result.stderr.splitlines() if "/4 groups" in line]
    assert len(lines) == 4
    assert "to win" in lines[-1]


def test_the_rule_that_stops(engine: Engine) -> None:
    result = engine(*REHEARSAL, "--runs", "11", "--stop-below", "5", "--format", "json")
    told = json.loads(result.stdout)
    assert told["stopped"] == "improvement"
    assert told["measured_groups"] < 11
    assert told["improvement_bound"] < 5


def test_losses_are_called_losses(engine: Engine) -> None:
    command = ("collect", "--instance", "fake-loss", "--guided", "--predictor", "ridge", "--runs", "4")
    result = engine(*command, "--verbose")
    assert result.exit_code == 0, result.stderr
    assert "mean source loss" in result.stdout
    assert "gain" not in result.stdout
    assert "best mean loss" in result.stderr


def test_of_several_costs_the_standard_network_is_measured(engine: Engine) -> None:
    result = engine("collect", "--instance", "two-costs", "--guided", "--predictor", "ridge", "--runs", "4")
    assert result.exit_code == 0, result.stderr
    assert "several costs" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--guided",), "--runs"),
        (("--runs", "3", "--batch", "2"), "--runs and --batch can only be given with --guided"),
        (("--stop-below", "0.1"), "--stop-below can only be given with --guided"),
        (("--guided", "--runs", "0"), "--runs"),
        (("--guided", "--runs", "3", "--groups", "pairs"), "--groups cannot be given with --guided"),
        (("--guided", "--runs", "3", "--until-reliable", "0.9"), "--until-reliable cannot"),
        (("--guided", "--runs", "3", "--acquisition", "optimist"), "Did you mean 'optimistic'"),
        (("--guided", "--runs", "3", "--acquisition-option", "kapa=1"), "kapa"),
        (("--guided", "--runs", "3", "--predictor", "ridgy"), "ridge"),
        (("--guided", "--runs", "3", "--predictor", "measured"), "does not predict"),
        (("--guided", "--runs", "3", "--predictor-option", "x=1"), "option of predictor"),
        (("--guided", "--runs", "3", "--budget-groups", "x"), "--budget-groups"),
        (("--guided", "--runs", "3", "--epochs", "3"), "--epochs are about training"),
        (("--guided", "--runs", "3", "--seeds", "1", "--store", "sqlite:///x.db"), "--seeds and --store"),
    ],
)
def test_what_does_not_fit_is_refused(engine: Engine, arguments: tuple[str, ...], message: str) -> None:
    result = engine("collect", "--instance", "fake", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_predicted_gains_are_not_measured(engine: Engine, tmp_path: Path) -> None:
    write_gains(fakes.gains(measured=False), tmp_path / "guessed.npz")
    result = engine("collect", "--instance", tmp_path / "guessed.npz", "--guided", "--runs", "3")
    assert result.exit_code == 5
    assert "nothing can be learned by measuring" in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_what_the_study_asks_for_is_trained_once_and_judged_on_test(engine: Engine, table: Path) -> None:
    result = engine(*training(table, "--runs", "5", "--budget-groups", "2", "--format", "json"))
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["measured_groups"] == 5
    (decision,) = told["decisions"]
    if not decision["predicted_groups"]:
        assert decision["evaluated"] is not None
    runs = trained(table)
    assert len(runs) == len(set(runs)) == 4 + 5
    more = engine(*training(table, "--runs", "7", "--batch", "2", "--budget-groups", "2"))
    assert more.exit_code == 0, more.stderr
    assert len(trained(table)) == len(set(trained(table))) == 4 + 7
    assert f"engine solve --instance '{told['store']}'" in more.stdout
    assert engine("solve", "--instance", told["store"], "--budget", "2").exit_code == 0


def test_runs_that_the_store_holds_already_count(engine: Engine, table: Path) -> None:
    plain = [one for one in training(table) if one not in ("--guided", "--predictor", "ridge")]
    assert engine(*plain, "--groups", "pairs").exit_code == 0
    result = engine(*training(table, "--runs", "6", "--format", "json"))
    assert json.loads(result.stdout)["measured_groups"] == 6
    assert len(trained(table)) == 4 + 6


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_what_was_stopped_goes_on(engine: Engine, table: Path, stop: signal.Signals) -> None:
    pytest.importorskip("sqlalchemy")
    command = training(table, "--runs", "8", "--source-option", "hold=7", "--format", "json")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(sys.executable, "-m", "engine.cli.main", *command, **pipes) as process:
        wait_until(lambda: (table.parent / "log").exists() and len(trained(table)) >= 4 + 3, process)
        process.send_signal(stop)
        out, err = process.communicate(timeout=HANGING)
    if stop is signal.SIGINT:
        assert process.returncode == 130, err
        assert json.loads(out)["stopped"] == "interrupted"
        assert b"goes on from there" in err
    with GainStore.open(f"sqlite:///{table.parent / 'gains.db'}") as store:
        kept = int(sum(len(one) for one in store.done(1).values()))
    assert kept >= 4 + 2
    before = len(trained(table))
    if stop is signal.SIGKILL:
        end_leases(table.parent / "gains.db")
    result = engine(*training(table, "--runs", "8", "--format", "json"))
    assert json.loads(result.stdout)["measured_groups"] == 8
    assert len(trained(table)) - before == 4 + 8 - kept


def test_a_solution_of_the_report_is_trained_for_good(engine: Engine, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'gains.db'}"
    command = ("collect", "--instance", "digits10", "--epochs", "2", "--guided", "--predictor", "ridge")
    result = engine(*command, "--runs", "3", "--budget-groups", "3", "--store", store, "--format", "json")
    assert result.exit_code == 0, result.stderr
    (decision,) = json.loads(result.stdout)["decisions"]
    (tmp_path / "s.json").write_text(json.dumps(decision["solution"]))
    train = ("train", "--solution", tmp_path / "s.json", "--instance", "digits10", "--epochs", "2")
    done = engine(*train, "--output", tmp_path / "models")
    assert done.exit_code == 0, done.stderr
    assert "promise" not in done.stderr


def test_the_budget_is_the_instance_s_own_where_none_is_given(engine: Engine) -> None:
    rehearsal = ("collect", "--instance", "fake-loss", "--guided", "--predictor", "ridge", "--runs", "3")
    report = json.loads(engine(*rehearsal, "--format", "json").stdout)
    assert report["budgets"] == [1.5]
    assert report["budgets_from"] == "the instance's own"
    assert "budget     1.5 (the instance's own)" in engine(*rehearsal).stdout
    assert "budget     2 (--budget-groups)" in engine(*rehearsal, "--budget-groups", "2").stdout


def test_training_decides_for_the_instance_s_own_budget(engine: Engine, tmp_path: Path) -> None:
    store, log = f"sqlite:///{tmp_path / 'gains.db'}", f"log={tmp_path / 'log'}"
    command = ("collect", "--guided", "--predictor", "ridge", "--runs", "1", "--format", "json")
    made = ("--source", FAKE, "--source-option", log, "--store", store)
    report = json.loads(engine(*command, "--instance", "digits10", *made).stdout)
    assert (report["budgets"], report["budgets_from"]) == ([3.0], "the instance's own")


def test_a_table_has_no_budget_of_its_own(engine: Engine, table: Path) -> None:
    report = json.loads(engine(*training(table, "--runs", "2", "--format", "json")).stdout)
    assert (report["budgets"], report["budgets_from"]) == ([2.0], "a quarter of the tasks")
