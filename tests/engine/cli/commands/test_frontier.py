from __future__ import annotations

import csv
import io
import json

import pytest

from engine import Problem, frontier
from tests.engine.fakes import BUDGETS, gains

EXACT = ("--instance", "fake", "--solver", "brute-force")


def test_the_table_has_a_line_per_budget(engine) -> None:
    result = engine("frontier", *EXACT)
    assert result.exit_code == 0
    assert result.stderr == ""
    expected = frontier(Problem(gains()), BUDGETS, "brute-force")
    for budget, solution in expected.items():
        (line,) = [one for one in result.stdout.splitlines() if one.split()[:1] == [f"{budget:g}"]]
        scores = solution.evaluate(gains(1, split="test"))
        for text in (
            str(len(solution.groups)),
            f"{solution.value:.6f}",
            f"{100 * solution.mean:.3f}",
            " OPTIMAL ",
            f"{100 * scores.mean:.3f}",
            f"{100 * scores.optimism:.3f}",
        ):
            assert text in line
    assert "every value is measured" in result.stdout
    assert "note       The splits are not at all alike." in result.stdout
    assert "made up" in result.stdout


def test_json_and_csv(engine) -> None:
    data = json.loads(engine("frontier", *EXACT, "--budgets", "1-3", "--format", "json").stdout)
    assert [one["budget"] for one in data["solutions"]] == [1, 2, 3]
    assert all(one["proven"] for one in data["solutions"])
    rows = list(csv.DictReader(io.StringIO(engine("frontier", *EXACT, "--format", "csv").stdout)))
    assert [float(row["budget"]) for row in rows] == list(BUDGETS)
    values = [float(row["value"]) for row in rows]
    assert values == sorted(values)
    assert {"mean", "evaluation_mean", "optimism", "gap", "status", "seconds"} <= set(rows[0])


def test_losses_at_half_budgets(engine) -> None:
    result = engine("frontier", "--instance", "fake-loss", "--solver", "brute-force", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["budget"] for row in rows] == ["1.0", "1.5", "2.0"]
    assert rows[0]["evaluation_mean"] == ""
    table = engine("frontier", "--instance", "fake-loss", "--solver", "brute-force").stdout
    assert "mean loss" in table
    assert "points" not in table


def test_predictions_are_marked(engine) -> None:
    shown = engine("frontier", *EXACT, "--gains", "guess").stdout
    lines = [line for line in shown.splitlines() if line.split()[:1] in ([f"{one:g}"] for one in BUDGETS)]
    assert [line.count("*") for line in lines] == [3] * len(BUDGETS)  # value, mean and optimism
    assert "* predicted, in whole or in part" in shown


def test_predicted_evaluations_are_marked(engine) -> None:
    arguments = ("frontier", "--instance", "half-judged", "--solver", "brute-force")
    shown = engine(*arguments).stdout
    assert "* predicted, in whole or in part" in shown
    rows = list(csv.DictReader(io.StringIO(engine(*arguments, "--format", "csv").stdout)))
    counts = [int(row["evaluation_predicted_servings"]) for row in rows]
    assert any(counts)
    for row, count in zip(rows, counts, strict=True):
        (line,) = [one for one in shown.splitlines() if one.split()[:1] == [f"{float(row['budget']):g}"]]
        assert line.count("*") == (2 if count else 0)  # mean and optimism
    data = json.loads(engine(*arguments, "--format", "json").stdout)["solutions"]
    assert [one["evaluation"]["predicted_servings"] for one in data] == counts
    assert [sum(not one for one in each["evaluation"]["measured"].values()) for each in data] == counts


@pytest.mark.parametrize(("solver", "code"), [("nothing", 4), ("cheat", 1), ("singles", 0)])
def test_exit_codes(engine, solver: str, code: int) -> None:
    result = engine("frontier", "--instance", "fake", "--solver", solver)
    assert result.exit_code == code


def test_infeasible_everywhere_exits_3_and_in_part_0(engine) -> None:
    assert engine("frontier", *EXACT, "--floor", "9").exit_code == 3
    part = engine("frontier", *EXACT, "--groups-at-least", "3")
    assert part.exit_code == 0
    assert "INFEASIBLE" in part.stdout
    assert "conflict" in part.stdout
    assert "budget 1: " in part.stdout
    rows = list(
        csv.DictReader(io.StringIO(engine("frontier", *EXACT, "--floor", "9", "--format", "csv").stdout))
    )
    assert all("worse than 9" in row["reason"] for row in rows)


@pytest.mark.parametrize(("given", "code"), [(("--floor", "9"), 3), (("--solver", "nothing"), 4)])
def test_a_plot_of_nothing_is_skipped(engine, tmp_path, given: tuple[str, ...], code: int) -> None:
    target = tmp_path / "out.png"
    result = engine("frontier", *EXACT, *given, "--plot", target)
    assert result.exit_code == code
    assert result.stderr.startswith("engine: no plot: no budget has a grouping")
    assert not target.exists()


def test_an_interrupt_before_anything_is_found_is_told_after_the_plot(engine, tmp_path) -> None:
    target = tmp_path / "out.png"
    result = engine("frontier", "--instance", "fake", "--solver", "at-once", "--plot", target)
    assert result.exit_code == 130
    assert "no plot" in result.stderr
    assert "interrupted: 1 of 4 budgets" in result.stderr


def test_an_interrupt_keeps_what_is_solved(engine) -> None:
    result = engine("frontier", "--instance", "fake", "--solver", "interrupted", "--format", "json")
    assert [one["budget"] for one in json.loads(result.stdout)["solutions"]] == [4.0]
    assert "1 of 4 budgets" in result.stderr
    assert result.exit_code == 130


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_plot(engine, tmp_path, ending: str) -> None:
    target = tmp_path / f"out.{ending}"
    result = engine("frontier", *EXACT, "--plot", target, "--format", "json")
    assert result.exit_code == 0, result.stderr
    json.loads(result.stdout)
    assert target.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")
    assert [one.name for one in tmp_path.iterdir()] == [target.name]


def test_plot_without_matplotlib_says_so_at_once(engine, monkeypatch) -> None:
    monkeypatch.setattr("engine.plots.drawing.importlib.util.find_spec", lambda name: None)
    result = engine("frontier", "--instance", "fake", "--solver", "crash", "--plot", "out.png")
    assert result.exit_code == 2
    assert "task-grouping-engine[plot]" in result.stderr
