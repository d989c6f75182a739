from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest

from engine import (
    Affinity,
    GainSourceInfo,
    LatticeProblem,
    PairMeanModel,
    PairSumModel,
    Predictor,
    load_instance,
    solve,
    write_affinity,
)
from engine.plugins import GAIN_SOURCES
from tests.engine.fakes import TASKS, gains

TOY4 = ("--instance", "toy4", "--lattice")
LACKED = ("--partition", "--mandatory", "cat|dog|car")
"""No gains of this group are recorded: cat, dog and car cannot be judged, bus alone can."""


class Guess(Predictor):
    """Fits a model that adds up pairs; shares its name with a recorded source of the fake instance."""

    info = GainSourceInfo("a fake")

    def fit(self, gains):
        """Add up what pairs gain."""
        pairs = PairMeanModel.from_gains(gains).pairs
        nothing = np.zeros(len(gains.tasks))
        return PairSumModel(gains.tasks, pairs, nothing, nothing, source="guess")


@pytest.fixture
def guess() -> Iterator[None]:
    GAIN_SOURCES.register("guess", Guess)
    yield
    GAIN_SOURCES.unregister("guess")


def data(engine, *arguments: object, code: int = 0) -> dict:
    result = engine(*arguments, "--format", "json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def best_total(values: np.ndarray, budget: int, aggregate=np.sum) -> float:
    """Return the best total over all choices of at most so many groups; values hold NaN for strangers."""
    totals = []
    for count in range(1, budget + 1):
        for chosen in combinations(range(len(values)), count):
            served = np.where(np.isnan(values[list(chosen)]), -np.inf, values[list(chosen)]).max(axis=0)
            totals.append(aggregate(served))
    return max(totals)


def every_group(count: int) -> np.ndarray:
    return (np.arange(1, 2**count)[:, None] >> np.arange(count) & 1).astype(bool)


def test_the_default_is_hoa_over_all_groups(engine) -> None:
    found = data(engine, "solve", *TOY4)
    model = PairMeanModel.from_gains(load_instance("toy4").gains())
    assert found["value"] == pytest.approx(best_total(model.predict(every_group(4)), 2))
    assert found["value"] == pytest.approx(0.32)  # cat|dog and car|bus, by hand
    assert (found["kind"], found["candidate_groups"], found["budget"]) == ("lattice", 15, 2.0)
    assert (found["gains"]["source"], found["gains"]["split"]) == ("hoa", "valid")
    assert (found["status"], found["proven"], found["solver"]) == ("OPTIMAL", True, "lattice")
    assert (found["predicted_groups"], found["measured"]) == (0, [True, True])
    assert found["evaluation"]["total"] == pytest.approx(0.28)  # 9 + 6 + 3 + 10 percent on test
    assert (found["graph"], found["selection"]) == (None, None)
    assert (found["not_evaluated"], found["not_evaluated_tasks"]) == ("", [])


def test_the_table_names_the_model_and_the_groups(engine) -> None:
    shown = engine("solve", *TOY4).stdout
    for text in (
        "kind       lattice: all groups of a gain model",
        "groups     2 of all 15 groups of 4 tasks (measured)",
        "gains      model 'hoa', split valid, fitted on 12 measured groups",
        "judged on  source 'measured', split test",
        "hoa fitted on measured valid gains",
        "every value is measured",
    ):
        assert text in shown


def test_predicted_groups_are_told_and_marked(engine) -> None:
    result = engine("solve", *TOY4, "--budget", "1")
    assert "groups     1 of all 15 groups of 4 tasks (predicted)" in result.stdout
    assert "* predicted, in whole or in part" in result.stdout
    found = data(engine, "solve", *TOY4, "--budget", "1")
    assert (found["predicted_groups"], found["gains"]["predicted_servings"]) == (1, 4)
    assert found["value"] == pytest.approx(43 / 300)  # (7 + 11 + 14 + 11) / 3 percent, by hand
    assert found["evaluation"]["total"] == pytest.approx(0.06)


def test_a_recorded_source_of_the_same_name_does_not_get_in_the_way(engine, guess) -> None:
    recorded = data(engine, "solve", "--instance", "fake", "--gains", "guess")
    assert (recorded["kind"], recorded["candidate_groups"]) == ("table", 15)
    found = data(engine, "solve", "--instance", "fake", "--lattice", "--gains", "guess")
    assert found["gains"]["source"] == "guess"
    values = Guess().fit(gains()).predict(every_group(4))
    assert found["value"] == pytest.approx(best_total(values, 2))
    assert found["value"] != pytest.approx(recorded["value"])


def test_what_cannot_be_judged_is_named(engine) -> None:
    found = data(engine, "solve", *TOY4, *LACKED)
    assert sorted(found["groups"], key=len, reverse=True) == [["cat", "dog", "car"], ["bus"]]
    assert found["evaluation"] is None
    assert found["not_evaluated_tasks"] == ["cat", "dog", "car"]
    assert found["partial_evaluation"]["task_values"] == {"bus": 0.0}
    result = engine("solve", *TOY4, *LACKED)
    assert "lack the group cat|dog|car: there are none for cat, dog, car." in result.stdout
    assert "split test: 1 of 4 tasks" in result.stdout
    assert "optimism" not in result.stdout
    shown = {line.split()[0]: line.split()[-1] for line in result.stdout.splitlines() if line.strip()}
    assert [shown[task] for task in ("cat", "dog", "car", "bus")] == ["–", "–", "–", "0.000"]


def test_csv(engine) -> None:
    result = engine("solve", *TOY4, *LACKED, "--format", "csv")
    rows = lines(result.stdout)
    assert [row["task"] for row in rows] == ["cat", "dog", "car", "bus"]
    assert {(row["kind"], row["candidate_groups"]) for row in rows} == {("lattice", "15")}
    assert [row["evaluation_gain"] for row in rows] == ["", "", "", "0.0"]
    assert [row["source_measured"] for row in rows] == ["false"] * 3 + ["true"]
    assert result.stderr == (
        "engine: not evaluated: The evaluation gains lack the group cat|dog|car: there are none for "
        "cat, dog, car.\n"
    )


def test_nothing_at_all_to_judge(engine, tmp_path) -> None:
    path = tmp_path / "judge.csv"
    path.write_text("group,task,gain\n" + "".join(f"{one},{one},0\n" for one in TASKS))
    write_affinity(affinity(4), tmp_path / "pairs.json")
    arguments = ("--instance", tmp_path / "pairs.json", "--evaluate", path, "--budget", "1")
    found = data(engine, "solve", *arguments, "--lattice")
    assert (found["evaluation"], found["partial_evaluation"]) == (None, None)
    assert found["not_evaluated_tasks"] == list(TASKS)
    assert found["not_evaluated"] == "The evaluation gains lack the group a|b|c|d"
    shown = engine("solve", *arguments, "--lattice").stdout
    assert "lack the group a|b|c|d: there are none for any task." in shown
    assert "judged on" not in shown


def test_losses(engine) -> None:
    found = data(engine, "solve", "--instance", "fake-loss", "--lattice", "--budget", "2")
    known = load_instance("fake-loss").gains()
    values = PairMeanModel.from_gains(known).predict(every_group(4))
    assert found["value"] == pytest.approx(-best_total(-values, 2))
    assert (found["quantity"], found["kind"]) == ("loss", "lattice")
    assert "minimize total loss over all 15 groups" in found["objective"]


def test_default_budgets_are_whole_numbers_of_groups(engine) -> None:
    assert data(engine, "solve", "--instance", "fake-loss", "--lattice")["budget"] == 1
    found = data(engine, "frontier", "--instance", "fake-loss", "--lattice")["solutions"]
    assert [one["budget"] for one in found] == [1, 2]
    assert data(engine, "solve", *TOY4, "--groups-exactly", "3")["budget"] is None


def affinity(count: int) -> Affinity:
    names = TASKS if count == len(TASKS) else tuple(f"t{index}" for index in range(count))
    return Affinity(names, np.round(np.random.default_rng(3).normal(0, 0.05, (count, count)), 3))


def test_an_affinity_of_many_tasks(engine, tmp_path) -> None:
    path = tmp_path / "pairs.json"
    write_affinity(affinity(14), path)
    assert engine("solve", "--instance", path).exit_code == 5  # too many groups to list
    found = data(engine, "solve", "--instance", path, "--lattice")
    expected = solve(LatticeProblem(PairMeanModel.from_affinity(affinity(14))).with_budget(4), "lattice")
    assert found["value"] == pytest.approx(expected.value)
    assert (found["candidate_groups"], found["budget"], found["instance"]) == (2**14 - 1, 4.0, "pairs")
    assert found["predicted_groups"] == len(found["groups"])
    assert "fitted on predictions" in engine("solve", "--instance", path, "--lattice").stdout


def test_demands(engine) -> None:
    found = data(engine, "solve", *TOY4, "--max-group-size", "2", "--apart", "cat,dog", "--budget", "3")
    assert all(len(one) <= 2 and {"cat", "dog"} != set(one) for one in found["groups"])
    found = data(engine, "solve", *TOY4, "--objective", "worst", "--budget", "2")
    values = PairMeanModel.from_gains(load_instance("toy4").gains()).predict(every_group(4))
    assert found["value"] == pytest.approx(best_total(values, 2, np.min))
    found = data(engine, "solve", *TOY4, "--weight", "car=10", "--budget", "2")
    assert found["value"] == pytest.approx(best_total(values * [1, 1, 10, 1], 2))


def test_infeasible_exits_3(engine) -> None:
    found = data(engine, "solve", *TOY4, "--floor", "0.5", code=3)
    assert (found["status"], found["kind"], found["groups"]) == ("INFEASIBLE", "lattice", [])
    assert any("0.5" in one for one in found["conflict"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--graph",), "not both"),
        (
            ("--gains", "measured"),
            "no gain model of all groups",
        ),
        (("--gains", "hao"), "Did you mean 'hoa'"),
        (("--solver", "greedy"), "Solvers that do: lattice"),
        (("--weight", "a=1,b=2"), "--weight again"),
        (("--together", "cat,x"), "'x'"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(engine, arguments: tuple[str, ...], words: str) -> None:
    result = engine("solve", *TOY4, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert words in line


def test_what_needs_a_list_of_groups_is_refused_over_many_tasks(engine, tmp_path) -> None:
    path = tmp_path / "pairs.json"
    write_affinity(affinity(17), path)
    result = engine("solve", "--instance", path, "--lattice", "--objective", "membership-average")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "Over all groups of 17 tasks this cannot be solved" in line
    assert "Leave out --lattice" in line


def test_an_instance_without_the_pairs_is_bad_data(engine, tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("group,task,gain\na|b,a,0.1\na|b,b,0.1\nc,c,0\n")
    result = engine("solve", "--instance", path, "--lattice")
    assert result.exit_code == 5
    assert "the pair a|c is missing" in result.stderr


def test_progress_names_solver_model_and_budget(engine) -> None:
    result = engine("solve", *TOY4, "--verbose")
    assert result.stderr.startswith("engine: lattice on hoa, budget 2  start")
    assert "OPTIMAL" in result.stderr.splitlines()[-1]


def test_frontier(engine, tmp_path) -> None:
    target = tmp_path / "out.svg"
    rows = lines(engine("frontier", *TOY4, "--format", "csv", "--plot", target).stdout)
    assert target.read_bytes()[:5] == b"<?xml"
    assert [float(row["budget"]) for row in rows] == [1, 2, 3, 4]
    values = PairMeanModel.from_gains(load_instance("toy4").gains()).predict(every_group(4))
    for row in rows:
        assert float(row["value"]) == pytest.approx(best_total(values, int(float(row["budget"]))))
    assert {(row["kind"], row["candidate_groups"]) for row in rows} == {("lattice", "15")}
    assert [row["predicted_groups"] for row in rows] == ["1", "0", "0", "0"]
    assert [row["unevaluated_tasks"] for row in rows] == ["0"] * 4
    shown = engine("frontier", *TOY4).stdout
    assert "kind       lattice: all groups of a gain model, 15 groups" in shown
    assert "gains      model 'hoa', split valid, fitted on 12 measured groups" in shown


def test_a_frontier_tells_what_cannot_be_judged(engine) -> None:
    arguments = ("frontier", *TOY4, *LACKED, "--budgets", "2-4")
    told = (
        "budget 2, 3, 4: The evaluation gains lack the group cat|dog|car: there are none for cat, dog, car."
    )
    result = engine(*arguments)
    assert result.stderr == ""
    assert f"not judged  {told}" in result.stdout
    assert "judged on" not in result.stdout
    result = engine(*arguments, "--format", "csv")
    assert result.stderr == f"engine: not evaluated: {told}\n"
    rows = lines(result.stdout)
    assert [(row["evaluation_mean"], row["unevaluated_tasks"]) for row in rows] == [("", "3")] * 3


def test_budgets_that_cannot_be_judged_show_a_dash_without_a_star(engine) -> None:
    arguments = ("frontier", *TOY4, "--mandatory", "cat|dog|car", "--budgets", "2-4")
    shown = engine(*arguments).stdout
    counts = [line.count("–") for line in shown.splitlines() if line[:6].strip() in {"2", "3", "4"}]
    rows = lines(engine(*arguments, "--format", "csv").stdout)
    expected = [2 if int(row["unevaluated_tasks"]) else 0 for row in rows]  # test mean and optimism
    assert 0 < sum(expected) < 6
    assert counts == expected
    assert "–*" not in shown


def test_27_tasks(engine, data_dir) -> None:
    arguments = ("--instance", "mimic27", "--data-dir", data_dir, "--gains", "hoa", "--lattice")
    found = data(engine, "solve", *arguments, "--budget", "6")
    assert found["value"] == pytest.approx(0.815474, abs=1e-5)
    assert (found["proven"], found["candidate_groups"]) == (True, 134217727)
    assert found["predicted_groups"] == found["measured"].count(False) > 0
    judged = load_instance("mimic27", data_dir).evaluation()
    unjudged = [task for task, group in found["serving"].items() if not judged.find(found["groups"][group])]
    assert found["not_evaluated_tasks"] == unjudged
    assert 0 < len(unjudged) < 27
    assert set(found["partial_evaluation"]["task_values"]) == set(found["tasks"]) - set(unjudged)
    result = engine("frontier", *arguments, "--budgets", "1-6", "--format", "csv")
    (line,) = result.stderr.splitlines()
    assert f"{len(unjudged)} at budget 6; engine solve names them." in line
    result = engine("solve", "--instance", "mimic27", "--data-dir", data_dir, "--lattice", "--gains", "tag")
    assert result.exit_code == 2
    assert "'tag' of instance 'mimic27' is recorded, no gain model" in result.stderr


def test_gains_of_all_groups_are_a_model(engine, tmp_path) -> None:
    complete = tmp_path / "complete.csv"
    complete.write_text("group,task,gain\na,a,0\nb,b,0\na|b,a,0.1\na|b,b,0.2\n")
    result = engine("solve", "--instance", complete, "--lattice", "--gains", "measured", "--budget", "1")
    assert result.exit_code == 0, result.stderr
    assert "0.300000" in result.stdout
    complete.write_text("group,task,gain\na,a,0\nb,b,0\n")
    result = engine("solve", "--instance", complete, "--lattice", "--gains", "measured", "--budget", "1")
    assert result.exit_code == 2
    assert "lacks the group a|b (1 of 3 groups are missing)" in result.stderr
