from __future__ import annotations

import csv
import io
import json
import math

import pytest

from engine import GainTensor, Problem, solve, write_gains
from tests.engine.fakes import TASKS, Toy, gains

EXACT = ("--solver", "brute-force")
KEYS = {
    "instance",
    "budget",
    "tasks",
    "groups",
    "serving",
    "value",
    "mean_gain",
    "bound",
    "gap",
    "status",
    "termination",
    "gains",
    "seconds",
    "versions",
    "proven",
    "evaluation",
    "solver",
    "seed",
}


def test_the_table_tells_everything(engine) -> None:
    result = engine("solve", "--instance", "fake", *EXACT)
    assert result.exit_code == 0
    assert result.stderr == ""
    best = solve(Problem(gains()).with_budget(2), "brute-force")
    scores = best.evaluate(gains(1, split="test"))
    for text in (
        f"{best.value:.6f}",
        f"{100 * best.mean:.3f} % on valid  (measured)",
        f"{100 * scores.mean:.3f} % on test  (measured)",
        f"{100 * scores.optimism:.3f} points",
        "OPTIMAL: proven optimal",
        "seed 0",
        "from       nowhere, made up",
        "source 'measured', split valid, 15 groups (measured)",
        "source 'measured', split test",
        "every value is measured",
        "note       The splits are not at all alike.",
        "read ",
        "total ",
    ):
        assert text in result.stdout
    assert "predicted" not in result.stdout
    for task in TASKS:
        assert f"\n{task} " in result.stdout


def test_json_has_every_key_and_nothing_else_is_on_stdout(engine) -> None:
    result = engine("solve", "--instance", "fake", *EXACT, "--format", "json", "--verbose", "--seed", "7")
    data = json.loads(result.stdout)
    assert set(data) >= KEYS
    assert (data["instance"], data["budget"], data["seed"], data["proven"]) == ("fake", 2.0, 7, True)
    assert data["evaluation"]["split"] == "test"
    assert set(data["evaluation"]) >= {"source", "total", "mean", "task_values", "optimism"}
    assert math.isclose(data["evaluation"]["mean"], data["evaluation"]["total"] / 4)
    assert math.isclose(data["mean_gain"] - data["evaluation"]["mean"], data["evaluation"]["optimism"])
    assert "brute-force on measured, budget 2" in result.stderr


def test_csv_has_one_line_per_task(engine) -> None:
    result = engine("solve", "--instance", "fake", *EXACT, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    columns = ["task", "group", "source_gain", "evaluation_gain", "source_measured", "evaluation_measured"]
    assert list(rows[0]) == [*columns, "kind", "candidate_groups"]
    assert [row["task"] for row in rows] == list(TASKS)
    assert {(row["source_measured"], row["evaluation_measured"]) for row in rows} == {("true", "true")}
    assert {(row["kind"], row["candidate_groups"]) for row in rows} == {("table", "15")}
    known = gains()
    for row in rows:
        (at,) = known.find(row["group"].split("|"))
        assert float(row["source_gain"]) == known.gains[at, TASKS.index(row["task"])]


def test_predictions_are_marked_on_every_line(engine) -> None:
    result = engine("solve", "--instance", "fake", "--gains", "guess", *EXACT)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines() if line.strip()]
    concerned = [
        one for one in lines if one[0] in {*TASKS, "value", "optimism"} or one[:2] == ["mean", "gain"]
    ]
    assert len(concerned) == 7
    assert all("predicted" in " ".join(one) or "*" in " ".join(one) for one in concerned)
    assert "* predicted, in whole or in part" in result.stdout
    data = json.loads(
        engine("solve", "--instance", "fake", "--gains", "guess", *EXACT, "--format", "json").stdout
    )
    assert data["measured"] == [False] * len(data["groups"])
    assert data["gains"]["predicted_servings"] == 4
    assert data["evaluation"]["measured"] == dict.fromkeys(TASKS, True)
    assert data["evaluation"]["predicted_servings"] == 0


def test_predicted_evaluations_are_marked(engine) -> None:
    arguments = ("solve", "--instance", "half-judged", "--budget", "3", *EXACT)
    rows = list(csv.DictReader(io.StringIO(engine(*arguments, "--format", "csv").stdout)))
    guessed = [row["task"] for row in rows if row["evaluation_measured"] == "false"]
    assert guessed == [row["task"] for row in rows if "c" in row["group"]]
    assert 0 < len(guessed) < 4
    assert {row["source_measured"] for row in rows} == {"true"}
    shown = engine(*arguments).stdout
    assert f"on test  ({len(guessed)} of 4 tasks predicted)" in shown
    lines = [line for line in shown.splitlines() if line[:2].strip() in TASKS]
    assert [line[0] for line in lines if line.endswith("*")] == guessed


def test_evaluation_gains_are_those_at_the_cost_that_serves(engine) -> None:
    result = engine("solve", "--instance", "two-costs", "--budget", "1", *EXACT, "--format", "json")
    data = json.loads(result.stdout)
    assert data["costs"] == [0.5, 0.5]
    assert data["evaluation"]["predicted_servings"] == 4


def test_losses_are_not_percent(engine) -> None:
    result = engine("solve", "--instance", "fake-loss", *EXACT)
    assert result.exit_code == 0
    assert "mean loss" in result.stdout
    assert "gain" not in result.stdout.replace("gains", "")
    assert "%" not in result.stdout.replace("gap", "").replace("0 %", "")
    data = json.loads(engine("solve", "--instance", "fake-loss", *EXACT, "--format", "json").stdout)
    assert data["budget"] == 1.5
    assert data["evaluation"] is None
    assert "mean_loss" in data


def test_infeasible_names_the_demands_and_exits_3(engine) -> None:
    demands = ("--together", "a,b", "--apart", "a,b", "--floor", "0.5")
    result = engine("solve", "--instance", "fake", *EXACT, *demands)
    assert result.exit_code == 3
    assert "INFEASIBLE: proven" in result.stdout
    assert "worse than 0.5" in result.stdout
    data = json.loads(engine("solve", "--instance", "fake", *EXACT, *demands, "--format", "json").stdout)
    assert data["status"] == "INFEASIBLE"
    assert data["conflict"]
    assert data["groups"] == []
    assert data["evaluation"] is None
    result = engine("solve", "--instance", "fake", *EXACT, *demands, "--format", "csv")
    assert (result.exit_code, result.stdout.count("\n")) == (3, 1)
    assert result.stderr.startswith("engine: infeasible, these demands cannot all be met: ")
    assert "worse than 0.5" in result.stderr


@pytest.mark.parametrize(
    ("solver", "code", "status"),
    [
        ("singles", 0, "FEASIBLE: not proven"),
        ("nothing", 4, "NONE: not proven"),
        ("cheat", 1, "ERROR: refuted"),
    ],
)
def test_exit_codes(engine, solver: str, code: int, status: str) -> None:
    result = engine("solve", "--instance", "fake", "--solver", solver)
    assert result.exit_code == code
    assert status in result.stdout
    assert ("refuted cheat" in result.stderr) == (solver == "cheat")


def test_a_crashing_solver_is_one_line(engine) -> None:
    result = engine("solve", "--instance", "fake", "--solver", "crash")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "RuntimeError: boom" in result.stderr


def test_an_interrupt_prints_the_incumbent(engine) -> None:
    result = engine("solve", "--instance", "fake", "--solver", "interrupted", "--format", "json")
    assert result.exit_code == 130
    data = json.loads(result.stdout)
    assert (data["status"], data["termination"], data["proven"]) == ("FEASIBLE", "INTERRUPTED", False)
    assert result.stderr == "engine: interrupted: this is the best known by then.\n"


def test_an_interrupt_before_anything_is_found(engine) -> None:
    result = engine("solve", "--instance", "fake", "--solver", "at-once")
    assert result.exit_code == 130
    assert result.stderr == "engine: interrupted before any grouping was found.\n"


def solved(engine, *arguments: str) -> dict:
    result = engine("solve", "--instance", "fake", *EXACT, "--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_demands_are_met(engine) -> None:
    assert len(solved(engine, "--groups-exactly", "3")["groups"]) == 3
    assert solved(engine, "--groups-exactly", "3")["budget"] is None
    assert len(solved(engine, "--groups-at-least", "2", "--budget", "3")["groups"]) >= 2
    assert len(solved(engine, "--groups-at-most", "1")["groups"]) == 1
    assert {len(one) for one in solved(engine, "--max-group-size", "2", "--budget", "4")["groups"]} <= {1, 2}
    assert {len(one) for one in solved(engine, "--min-group-size", "3")["groups"]} <= {3, 4}
    assert ["a", "c"] in solved(engine, "--mandatory", "c|a", "--budget", "3")["groups"]
    assert ["a", "c"] in solved(engine, "--mandatory", "c|a@1", "--budget", "3")["groups"]
    free = solved(engine)["groups"]
    assert free[0] not in solved(engine, "--forbidden", "|".join(free[0]))["groups"]
    groups = solved(engine, "--partition", "--budget", "4")["groups"]
    assert sorted(task for group in groups for task in group) == list(TASKS)
    assert min(solved(engine, "--floor", "0", "--budget", "4")["task_values"].values()) >= 0
    assert all(
        ("a" in one) == ("d" in one) for one in solved(engine, "--together", "a,d", "--budget", "3")["groups"]
    )
    assert not any(
        {"a", "d"} <= set(one) for one in solved(engine, "--apart", "a,d", "--budget", "3")["groups"]
    )
    groups = solved(engine, "--memberships-at-most", "1", "--budget", "4")["groups"]
    assert sorted(task for group in groups for task in group) == list(TASKS)


def test_objectives(engine) -> None:
    plain = solved(engine)
    worst = solved(engine, "--objective", "worst")
    assert worst["value"] == min(worst["task_values"].values())
    assert worst["value"] >= min(plain["task_values"].values())
    heavy = solved(engine, "--weight", "a=100")
    assert heavy["objective"].startswith("maximize weighted gain")
    assert heavy["task_values"]["a"] >= plain["task_values"]["a"]
    assert "κ = 2" in solved(engine, "--kappa", "2")["objective"]
    assert "Cubes" in solved(engine, "--objective", "tests.engine.fakes:Cubes")["objective"]


def test_solver_options_reach_the_certificate(engine) -> None:
    result = engine(
        "solve", "--instance", "fake", "--solver", "singles", "--option", "depth=3", "--format", "json"
    )
    assert json.loads(result.stdout)["options"] == {"depth": 3}


def test_the_engine_chooses_an_exact_solver(engine) -> None:
    data = json.loads(engine("solve", "--instance", "fake", "--format", "json").stdout)
    assert data["status"] == "OPTIMAL"


def test_a_warm_start_is_never_made_worse(engine, tmp_path) -> None:
    start = tmp_path / "start.json"
    assert engine("solve", "--instance", "fake", *EXACT, "--format", "json", "--output", start).exit_code == 0
    best = json.loads(start.read_text())
    result = engine(
        "solve", "--instance", "fake", "--solver", "singles", "--format", "json", "--warm-start", start
    )
    assert json.loads(result.stdout)["value"] == best["value"]


def test_output_goes_to_the_file_alone(engine, tmp_path) -> None:
    target = tmp_path / "out.txt"
    result = engine("solve", "--instance", "fake", *EXACT, "--output", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "proven optimal" in target.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["out.txt"]


def test_output_to_a_device_leaves_it_one(engine) -> None:
    import stat
    from pathlib import Path

    assert engine("solve", "--instance", "fake", *EXACT, "--output", "/dev/null").exit_code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_file_of_ones_own(engine, tmp_path) -> None:
    source, judged = tmp_path / "mine.csv", tmp_path / "judge.csv"
    write_gains(gains(), source)
    write_gains(gains(1), judged)
    arguments = ("solve", "--instance", source, "--budget", "2", *EXACT, "--format", "json")
    data = json.loads(engine(*arguments, "--evaluate", judged).stdout)
    best = solve(Problem(gains()).with_budget(2), "brute-force")
    assert data["value"] == pytest.approx(best.value)
    assert data["evaluation"]["mean"] == pytest.approx(best.evaluate(gains(1)).mean)
    assert json.loads(engine(*arguments).stdout)["evaluation"] is None


def test_gains_that_look_like_percent_are_told(engine, tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("group,task,gain\na|b,a,3\na|b,b,0.5\na|c,a,-4\na|c,c,2\n")
    for command in (["solve"], ["frontier"], ["compare", "--solvers", "greedy"]):
        result = engine(*command, "--instance", path, "--budget" + "s" * (command != ["solve"]), "2")
        assert result.exit_code == 0
        assert "gains are fractions: 3 means 300 %" in result.stderr
    assert "300 %" in engine("instances", "show", path).stderr
    path.write_text("group,task,gain\na|b,a,3\na|b,b,0.5\n")
    assert "300 %" not in engine("solve", "--instance", path).stderr


def test_evaluation_gains_that_lack_a_group_cost_no_result(engine, tmp_path) -> None:
    known = gains(1)
    best = solve(Problem(gains()).with_budget(2), "brute-force")
    lacking = known.select([row for row in range(15) if known.group(row) != best.groups[0].tasks])
    source, judged = tmp_path / "mine.csv", tmp_path / "judge.csv"
    write_gains(gains(), source)
    write_gains(lacking, judged)
    arguments = ("--budget", "2", *EXACT, "--format", "json", "--evaluate", judged)
    result = engine("solve", "--instance", source, *arguments)
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert data["evaluation"] is None
    assert "lack the group" in result.stderr
    unjudged = [
        task for task, group in data["serving"].items() if data["groups"][group] == list(best.groups[0].tasks)
    ]
    assert data["not_evaluated_tasks"] == unjudged
    kept = data["partial_evaluation"]["task_values"]
    assert sorted([*kept, *unjudged]) == list(TASKS)
    scores = best.evaluate(known)
    assert kept == pytest.approx({task: scores.task_values[task] for task in kept})


def test_odd_task_names_are_printed_as_they_are(engine, tmp_path) -> None:
    names = ("[bold]x[/bold]", ":smile:", "γ €")
    odd = GainTensor.from_groups([dict.fromkeys(names, 0.1)])
    write_gains(odd, tmp_path / "odd.csv")
    result = engine("solve", "--instance", tmp_path / "odd.csv", "--budget", "1", *EXACT)
    assert result.exit_code == 0
    for name in names:
        assert name in result.stdout


def test_the_default_budget_is_the_instances(engine) -> None:
    assert solved(engine)["budget"] == Toy.info.default_budget


@pytest.mark.parametrize(
    ("budget", "mean", "judged"),
    [(1, 9.184, 5.49), (6, 12.134, 8.28), (13, 12.581, 9.07), (27, 12.638, 9.35)],
)
def test_published_gains_give_the_known_optima(
    engine, data_dir, budget: int, mean: float, judged: float
) -> None:
    arguments = ("--instance", "mimic27", "--data-dir", data_dir, "--budget", budget, "--format", "json")
    result = engine("solve", "--solver", "branch-and-bound", *arguments)
    assert result.exit_code == 0, result.stderr
    data = json.loads(result.stdout)
    assert data["proven"]
    assert 100 * data["mean_gain"] == pytest.approx(mean, abs=5e-4)
    assert 100 * data["evaluation"]["mean"] == pytest.approx(judged, abs=5e-3)


def test_no_presolve_is_named_wherever_a_result_is_shown(engine) -> None:
    solving = ("--instance", "fake", "--solver", "branch-and-bound", "--no-presolve")
    assert ", no presolve" in engine("solve", *solving).stdout
    assert json.loads(engine("solve", *solving, "--format", "json").stdout)["presolve"] is False
    assert ", no presolve" in engine("frontier", *solving).stdout
    rows = csv.DictReader(io.StringIO(engine("frontier", *solving, "--format", "csv").stdout))
    assert {row["presolve"] for row in rows} == {"false"}
    comparing = ("compare", "--instance", "fake", "--solvers", "branch-and-bound", "--no-presolve")
    assert "presolve   none" in engine(*comparing).stdout.replace("presolve          none", "presolve   none")
    rows = csv.DictReader(io.StringIO(engine(*comparing, "--format", "csv").stdout))
    assert {row["presolve"] for row in rows} == {"false"}
    assert "presolve" not in engine("solve", *solving[:-1]).stdout.split("solver  ")[1].split("seconds")[0]


def test_how_a_heuristic_came_to_its_grouping_is_told(engine) -> None:
    solving = ("--instance", "fake", "--solver", "spectral")
    assert "method     spectral clusters" in engine("solve", *solving).stdout
    polished = engine("solve", *solving, "--option", "polish=true").stdout
    assert "polished by local search" in polished
    assert ", polish True" in polished
    assert ": spectral clusters" in engine("frontier", *solving).stdout
    comparing = ("compare", "--instance", "fake", "--solvers", "spectral,greedy", "--budgets", "2")
    assert "budget 2: spectral clusters" in engine(*comparing).stdout
    rows = list(csv.DictReader(io.StringIO(engine(*comparing, "--format", "csv").stdout)))
    assert [row["method"] for row in rows] == ["spectral clusters", ""]


def test_losses_are_called_losses_in_every_format(engine) -> None:
    solving = ("--instance", "fake-loss", "--solver", "brute-force")
    solved = json.loads(engine("solve", *solving, "--format", "json").stdout)
    assert "mean_loss" in solved
    for command in ("solve", "frontier"):
        for format in ("json", "csv"):
            shown = engine(command, *solving, "--format", format).stdout
            assert "mean_gain" not in shown
            assert "_gain," not in shown
