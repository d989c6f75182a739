from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from engine import Claim, Feature, Kind, Solver, SolverInfo, write_gains
from engine.plugins import SOLVERS
from tests.engine.fakes import gains

BASE = ("compare", "--instance", "fake", "--budgets", "1-3")


def test_the_table(engine) -> None:
    result = engine(*BASE, "--solvers", "brute-force,singles,narrow", "--sources", "measured,guess")
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.stdout.splitlines() if line.strip()]
    assert "fake, measured" in lines
    assert "fake, guess" in lines
    exact = [line for line in lines if line.startswith("brute-force ")]
    assert [line.count("*") for line in exact] == [0, 0, 0, 3, 3, 3]  # value, mean and optimism
    assert sum("UNSUPPORTED" in line for line in lines) == 6
    assert sum("does not support" in line and "budget 1, 2, 3:" in line for line in lines) == 2
    assert "gains      source 'guess', split valid, 15 groups (predicted)" in lines
    assert "note       The splits are not at all alike." in lines
    assert {"every value is measured", "* predicted, in whole or in part"} <= set(lines)


def test_predicted_evaluations_are_marked(engine) -> None:
    arguments = ("compare", "--instance", "half-judged", "--solvers", "brute-force")
    shown = engine(*arguments).stdout
    rows = list(csv.DictReader(io.StringIO(engine(*arguments, "--format", "csv").stdout)))
    counts = [int(row["evaluation_predicted_servings"]) for row in rows]
    lines = [line for line in shown.splitlines() if line.startswith("brute-force ")]
    assert any(counts)
    assert [line.count("*") for line in lines] == [2 if count else 0 for count in counts]


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
    result = engine(*arguments, "--sources", "measured,guess")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("engine: fake-loss guess is left out: Unknown source")
    rows = json.loads(result.stdout)["rows"]
    by_instance = {(row["instance"], row["source"], row["status"]) for row in rows}
    assert by_instance == {
        ("fake", "measured", "OPTIMAL"),
        ("fake", "guess", "OPTIMAL"),
        ("fake-loss", "measured", "OPTIMAL"),
    }
    assert {row["quantity"] for row in rows} == {"gain", "loss"}
    assert [one["split"] for one in json.loads(result.stdout)["problems"]] == ["valid", "valid", "all"]


def test_a_source_that_no_instance_has_is_a_mistake(engine) -> None:
    result = engine(
        "compare", "--instances", "fake,fake-loss", "--solvers", "greedy", "--sources", "measured,hao"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert "Did you mean 'hoa'" in line


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("--solvers", "brute-force,singles"), 0),
        (("--solvers", "brute-force", "--floor", "9"), 3),
        (("--solvers", "nothing"), 4),
        (("--solvers", "nothing,singles"), 0),
        (("--solvers", "narrow"), 2),
        (("--solvers", "narrow,singles"), 0),
        (("--solvers", "at-once"), 130),
        (("--solvers", "cheat,brute-force"), 1),
    ],
)
def test_exit_codes(engine, given: tuple[str, ...], code: int) -> None:
    assert engine(*BASE, *given).exit_code == code


def test_a_plot_of_nothing_is_skipped(engine, tmp_path) -> None:
    target = tmp_path / "out.png"
    result = engine(*BASE, "--solvers", "brute-force", "--floor", "9", "--plot", target)
    assert result.exit_code == 3
    assert result.stderr.startswith("engine: no plot: no budget has a grouping")
    assert not target.exists()


def test_files_go_by_their_stem_unless_two_share_it(engine, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    one, two = tmp_path / "mine.csv", tmp_path / "other" / "mine.csv"
    write_gains(gains(), one)
    write_gains(gains(1), two)
    arguments = ("--solvers", "greedy", "--budgets", "1", "--format", "json")
    data = json.loads(engine("compare", "--instance", one, *arguments).stdout)
    assert {row["instance"] for row in data["rows"]} == {"mine"}
    data = json.loads(engine("compare", "--instance", one, "--instance", two, *arguments).stdout)
    assert {row["instance"] for row in data["rows"]} == {str(one), str(two)}


def test_options_of_one_solver(engine) -> None:
    assert engine(*BASE, "--solvers", "singles", "--option", "singles.depth=2").exit_code == 0


def test_an_interrupt_ends_the_table(engine) -> None:
    result = engine(*BASE, "--solvers", "interrupted,brute-force", "--format", "json")
    data = json.loads(result.stdout)
    assert data["interrupted"]
    assert result.exit_code == 130
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


def test_over_the_lattice(engine) -> None:
    asked = ("compare", "--instance", "toy4", "--lattice", "--solvers", "lattice,subset-dp,greedy")
    data = json.loads(engine(*asked, "--format", "json").stdout)
    values = {(row["solver"], row["budget"]): row["value"] for row in data["rows"]}
    expected = {1.0: 43 / 300, 2.0: 0.32, 3.0: 0.36, 4.0: 0.36}
    for budget, value in expected.items():
        assert values["lattice", budget] == pytest.approx(value)
        assert values["subset-dp", budget] == pytest.approx(value)
        assert values["greedy", budget] is None
    assert {row["source"] for row in data["rows"]} == {"hoa"}
    (problem,) = data["problems"]
    assert (problem["kind"], problem["groups"], problem["split"]) == ("lattice", 15, "valid")
    shown = engine(*asked).stdout
    assert "kind       lattice: all groups of a gain model, 15 groups" in shown
    assert "gains      model 'hoa', split valid, fitted on 12 measured groups" in shown


def test_over_the_graph(engine, tmp_path) -> None:
    target = tmp_path / "out.svg"
    asked = ("compare", "--instance", "toy4", "--graph", "--solvers", "branch-and-cut,louvain")
    result = engine(*asked, "--format", "json", "--plot", target)
    assert result.exit_code == 0, result.output
    exact, _ = json.loads(result.stdout)["rows"]
    assert exact["budget"] == 4  # as many groups as tasks: no limit
    assert exact["value"] == pytest.approx(0.215)
    assert exact["selection_value"] == pytest.approx(43 / 300)
    assert exact["mean"] == pytest.approx(43 / 1200)
    assert exact["evaluation_mean"] == pytest.approx(0.015)
    assert exact["optimism"] == pytest.approx(43 / 1200 - 0.015)
    assert target.read_bytes()[:5] == b"<?xml"
    shown = engine(*asked).stdout
    assert "selection value" in shown
    assert "directed, so a pair weighs (A[i, j] + A[j, i]) / 2" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--lattice", "--graph"), "not both"),
        (("--lattice", "--sources", "measured"), "no gain model"),
        (("--graph", "--floor", "0"), "cannot be given with --graph"),
    ],
)
def test_kinds_that_do_not_fit(engine, arguments: tuple[str, ...], words: str) -> None:
    result = engine("compare", "--instance", "toy4", "--solvers", "lattice", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_false_bound_over_a_graph_is_flagged(engine) -> None:
    SOLVERS.register("modest", Modest)
    try:
        result = engine("compare", "--instance", "toy4", "--graph", "--solvers", "modest,branch-and-cut")
    finally:
        SOLVERS.unregister("modest")
    assert result.exit_code == 1
    assert "beaten by 0.215 of branch-and-cut" in result.stdout


@dataclass(frozen=True)
class Modest(Solver):
    """Claim that no grouping of a graph is better than every task alone."""

    info: ClassVar[SolverInfo] = SolverInfo(
        "a fake", exact=True, features=frozenset(Feature), kinds=frozenset({Kind.GRAPH})
    )

    def solve(self, problem, control):
        """Claim 0."""
        return Claim(np.eye(len(problem.tasks), dtype=bool), bound=0.0)
