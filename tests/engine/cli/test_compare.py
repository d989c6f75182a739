from __future__ import annotations

import csv
import io
import json

BASE = ("compare", "--instance", "fake", "--budgets", "1-3")


def test_the_table(engine) -> None:
    result = engine(*BASE, "--solvers", "brute-force,singles,narrow", "--sources", "measured,guess")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    assert sum(" brute-force " in line for line in lines) == 6
    assert sum("guess (predicted)" in line for line in lines) == 6
    assert sum("UNSUPPORTED" in line and "does not support" in line for line in lines) == 6
    assert "gains  fake guess: 15 groups, split valid, 0 measured, made up" in lines


def test_json_and_csv(engine) -> None:
    result = engine(*BASE, "--solvers", "brute-force,singles", "--format", "json", "--verbose")
    rows = json.loads(result.stdout)["rows"]
    assert [(row["solver"], row["budget"]) for row in rows] == [
        (solver, float(budget)) for solver in ("brute-force", "singles") for budget in (1, 2, 3)
    ]
    assert all(row["agreement"] == 1 for row in rows[:3])
    rows = list(csv.DictReader(io.StringIO(engine(*BASE, "--solvers", "singles", "--format", "csv").stdout)))
    assert {"instance", "source", "solver", "budget", "value", "bound", "gap", "status", "flag"} <= set(
        rows[0]
    )


def test_a_refuted_bound_is_flagged_and_exits_1(engine) -> None:
    result = engine(*BASE, "--solvers", "brute-force,liar")
    assert result.exit_code == 1
    assert "beaten by" in result.stdout
    assert "engine: liar on fake measured, budget 3: bound" in result.stderr


def test_several_instances_and_a_source_that_one_lacks(engine) -> None:
    arguments = ("compare", "--instances", "fake,fake-loss", "--solvers", "brute-force", "--format", "json")
    rows = json.loads(engine(*arguments, "--sources", "measured,guess").stdout)["rows"]
    by_instance = {(row["instance"], row["source"], row["status"]) for row in rows}
    assert by_instance == {
        ("fake", "measured", "OPTIMAL"),
        ("fake", "guess", "OPTIMAL"),
        ("fake-loss", "measured", "OPTIMAL"),
        ("fake-loss", "guess", "UNSUPPORTED"),
    }
    assert {row["quantity"] for row in rows if row["status"] == "OPTIMAL"} == {"gain", "loss"}


def test_options_of_one_solver(engine) -> None:
    assert engine(*BASE, "--solvers", "singles", "--option", "singles.depth=2").exit_code == 0


def test_an_interrupt_ends_the_table(engine) -> None:
    result = engine(*BASE, "--solvers", "interrupted,brute-force", "--format", "json")
    data = json.loads(result.stdout)
    assert data["interrupted"]
    assert [row["solver"] for row in data["rows"]] == ["interrupted"]
    assert "interrupted" in result.stderr


def test_plot(engine, tmp_path) -> None:
    target = tmp_path / "out.svg"
    result = engine(
        *BASE, "--solvers", "brute-force,singles", "--sources", "measured,guess", "--plot", target
    )
    assert result.exit_code == 0
    assert target.stat().st_size > 1000


def test_a_crashing_solver_is_told_once_and_exits_1(engine) -> None:
    result = engine(*BASE, "--solvers", "crash,brute-force", "--format", "json")
    assert result.exit_code == 1
    assert [row["status"] for row in json.loads(result.stdout)["rows"]] == ["ERROR"] * 3 + ["OPTIMAL"] * 3
    assert result.stderr == "engine: crash on fake measured: RuntimeError: boom\n"
