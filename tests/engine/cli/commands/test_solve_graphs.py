from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import numpy as np
import pytest

from engine import Affinity, PairMeanModel, load_instance, task_affinity, write_affinity

TOY4 = ("--instance", "toy4", "--graph")
TASKS = ("cat", "dog", "car", "bus")


def data(engine, *arguments: object, code: int = 0) -> dict:
    result = engine(*arguments, "--format", "json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, *others = items
    for rest in partitions(others):
        yield [[first], *rest]
        for index, group in enumerate(rest):
            yield [*rest[:index], [first, *group], *rest[index + 1 :]]


def weight(matrix: np.ndarray, partition: list[list[int]]) -> float:
    """Add up (A[i, j] + A[j, i]) / 2 over the pairs in one group."""
    return sum(
        (matrix[i, j] + matrix[j, i]) / 2 for group in partition for i in group for j in group if i < j
    )


def best_weight(matrix: np.ndarray, allowed=lambda partition: True) -> float:
    every = partitions(list(range(len(matrix))))
    return max(weight(matrix, one) for one in every if allowed(one))


def pair_mean_total(matrix: np.ndarray, groups: list[list[int]]) -> float:
    together = [group for group in groups if len(group) > 1]
    return sum(float(np.mean([matrix[i, j] for i in group if i != j])) for group in together for j in group)


def affinity(count: int) -> Affinity:
    matrix = np.round(np.random.default_rng(8).normal(0, 0.05, (count, count)), 3)
    return Affinity(tuple(f"t{index}" for index in range(count)), matrix)


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.json"
    write_affinity(affinity(7), path)
    return path


def indices(found: dict) -> list[list[int]]:
    return [[found["tasks"].index(task) for task in group] for group in found["groups"]]


def test_the_graph_objective_and_the_selection_value(engine) -> None:
    found = data(engine, "solve", *TOY4)
    matrix = task_affinity(load_instance("toy4").gains()).matrix
    assert found["value"] == pytest.approx(best_weight(matrix))
    assert found["value"] == pytest.approx(0.215)  # 8 + 8 + 5.5 − 3 + 1.5 + 1.5 percent, by hand
    assert (found["kind"], found["candidate_groups"], found["budget"]) == ("graph", 15, None)
    assert (found["status"], found["gap"]) == ("OPTIMAL", 0.0)
    assert found["bound"] == pytest.approx(0.215)
    assert found["graph"] == {
        "affinity": "pairs of measured",
        "directed": True,
        "pair_weight": "(A[i, j] + A[j, i]) / 2",
        "pairs": 6,
        "positive_pairs": 5,
    }
    selection = found["selection"]
    assert (selection["model"], selection["not_recorded"]) == ("pair-mean", "")
    assert selection["value"] == pytest.approx(43 / 300)  # (7 + 11 + 14 + 11) / 3 percent
    assert selection["mean"] == pytest.approx(43 / 1200)
    assert selection["task_values"]["car"] == pytest.approx(14 / 300)
    assert selection["recorded"]["total"] == pytest.approx(0.08)
    assert set(selection["recorded"]["measured"].values()) == {True}
    assert found["evaluation"]["total"] == pytest.approx(0.06)
    assert found["evaluation"]["optimism"] == pytest.approx(43 / 1200 - 0.015)


def test_the_table_tells_both(engine) -> None:
    shown = engine("solve", *TOY4).stdout
    for text in (
        "kind       graph: partitions of a pairwise graph",
        "value      0.215000  (weights of the pairs in one group, added up)",
        "selection  0.143333 total gain by the pair-mean rule  (predicted)",
        "0.080000 total gain on valid  (measured)",
        "mean gain  3.583 % by the pair-mean rule  (predicted)",
        "2.000 % on valid  (measured)",
        "1.500 % on test  (measured)",
        "pairs of measured (6 pairs, 5 of weight above 0)",
        "directed, so a pair weighs (A[i, j] + A[j, i]) / 2",
    ):
        assert text in shown


def test_csv(engine) -> None:
    rows = lines(engine("solve", *TOY4, "--format", "csv").stdout)
    assert [row["task"] for row in rows] == list(TASKS)
    assert sum(float(row["graph_value"]) for row in rows) == pytest.approx(0.215)
    assert sum(float(row["selection_gain"]) for row in rows) == pytest.approx(43 / 300)
    assert [float(row["recorded_gain"]) for row in rows] == [0.02, 0.03, 0.01, 0.02]
    assert [float(row["evaluation_gain"]) for row in rows] == [0.01, 0.02, 0.01, 0.02]
    assert {(row["kind"], row["candidate_groups"]) for row in rows} == {("graph", "15")}
    assert {(row["recorded_measured"], row["evaluation_measured"]) for row in rows} == {("true", "true")}


def test_groups_that_are_not_recorded(engine) -> None:
    found = data(engine, "solve", *TOY4, "--mandatory", "cat|dog|car")
    assert found["selection"]["recorded"] is None
    assert found["selection"]["not_recorded"] == "The recorded gains lack the group cat|dog|car"
    assert found["not_evaluated_tasks"] == ["cat", "dog", "car"]
    result = engine("solve", *TOY4, "--mandatory", "cat|dog|car")
    assert "The recorded gains lack the group cat|dog|car" in result.stdout
    assert "total gain on valid" not in result.stdout
    rows = lines(engine("solve", *TOY4, "--mandatory", "cat|dog|car", "--format", "csv").stdout)
    assert [row["recorded_gain"] for row in rows] == ["", "", "", "0.0"]


@pytest.mark.parametrize("solver", ["branch-and-cut", "lattice", "cpsat", "subset-dp", None])
def test_an_affinity_file(engine, pairs, solver: str | None) -> None:
    chosen = () if solver is None else ("--solver", solver)
    found = data(engine, "solve", "--instance", pairs, "--graph", *chosen)
    matrix = affinity(7).matrix
    assert found["value"] == pytest.approx(best_weight(matrix))
    assert found["value"] == pytest.approx(weight(matrix, indices(found)))
    assert found["selection"]["value"] == pytest.approx(pair_mean_total(matrix, indices(found)))
    assert (found["budget"], found["candidate_groups"], found["graph"]["affinity"]) == (None, 127, "pairs")
    assert (found["selection"]["recorded"], found["selection"]["not_recorded"]) == (None, "")
    assert found["evaluation"] is None


def test_an_affinity_file_is_judged_on_given_gains(engine, pairs, tmp_path) -> None:
    from engine import all_groups, tabulate, write_gains

    judge = tmp_path / "judge.csv"
    truth = tabulate(PairMeanModel.from_affinity(affinity(7)), all_groups(7))
    write_gains(truth, judge)
    found = data(engine, "solve", "--instance", pairs, "--graph", "--evaluate", judge)
    assert found["evaluation"]["total"] == pytest.approx(found["selection"]["value"])
    assert found["evaluation"]["optimism"] == pytest.approx(0, abs=1e-12)


def test_a_symmetric_affinity_is_said_to_be_one(engine, tmp_path) -> None:
    path = tmp_path / "pairs.json"
    one = affinity(5)
    write_affinity(Affinity(one.tasks, one.symmetrised()), path)
    assert not data(engine, "solve", "--instance", path, "--graph")["graph"]["directed"]
    assert "symmetric: a pair weighs" in engine("solve", "--instance", path, "--graph").stdout


def test_demands(engine, pairs) -> None:
    matrix = affinity(7).matrix
    asked = ("solve", "--instance", pairs, "--graph")
    found = data(engine, *asked, "--groups-exactly", "3", "--max-group-size", "3")
    assert sorted(map(len, found["groups"])) in ([1, 3, 3], [2, 2, 3])
    assert found["value"] == pytest.approx(
        best_weight(matrix, lambda one: len(one) == 3 and max(map(len, one)) <= 3)
    )
    found = data(engine, *asked, "--together", "t0,t1", "--apart", "t2,t3,t4")

    def allowed(partition: list[list[int]]) -> bool:
        return all(((0 in group) == (1 in group)) and len({2, 3, 4} & set(group)) <= 1 for group in partition)

    assert found["value"] == pytest.approx(best_weight(matrix, allowed))
    assert found["value"] < best_weight(matrix) - 1e-9
    found = data(engine, *asked, "--budget", "2")
    assert found["value"] == pytest.approx(best_weight(matrix, lambda one: len(one) <= 2))


def test_infeasible_exits_3(engine) -> None:
    demands = ("--together", "cat,dog", "--apart", "cat,dog")
    found = data(engine, "solve", *TOY4, *demands, code=3)
    assert (found["status"], found["selection"]) == ("INFEASIBLE", None)
    assert "'cat' and 'dog' together" in found["conflict"]
    result = engine("solve", *TOY4, *demands, "--format", "csv")
    assert (result.exit_code, result.stdout.count("\n")) == (3, 1)
    assert engine("solve", *TOY4, *demands).exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*TOY4, "--lattice"), "not both"),
        ((*TOY4, "--solver", "greedy"), "Solvers that do: agglomerative, branch-and-cut"),
        (
            (*TOY4, "--objective", "worst", "--floor", "0"),
            "--objective and --floor cannot be given",
        ),
        ((*TOY4, "--kappa", "1"), "--lattice --partition"),
        ((*TOY4, "--apart", "cat,x"), "'x'"),
        (("--instance", "fake-loss", "--graph"), "holds losses"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(engine, arguments: tuple[str, ...], words: str) -> None:
    result = engine("solve", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert words in line


def test_an_affinity_is_the_graph_itself(engine, pairs) -> None:
    result = engine("solve", "--instance", pairs, "--graph", "--gains", "hoa")
    assert result.exit_code == 2
    assert "leave out --gains" in result.stderr


def test_another_source_gives_another_graph(engine) -> None:
    found = data(engine, "solve", "--instance", "fake", "--graph", "--gains", "guess")
    matrix = task_affinity(load_instance("fake").gains("guess")).matrix
    assert found["value"] == pytest.approx(best_weight(matrix))
    assert found["graph"]["affinity"] == "pairs of guess"
    known = load_instance("fake").gains()
    expected = 0.0
    for group in found["groups"]:
        (row,) = known.find(group)
        expected += float(known.values[known.row(row)].sum())
    assert found["selection"]["recorded"]["total"] == pytest.approx(expected)


def test_a_warm_start_and_progress(engine, tmp_path) -> None:
    start = tmp_path / "start.json"
    assert engine("solve", *TOY4, "--format", "json", "--output", start).exit_code == 0
    result = engine(
        "solve", *TOY4, "--solver", "spectral", "--warm-start", start, "--format", "json", "--verbose"
    )
    assert json.loads(result.stdout)["value"] == pytest.approx(0.215)
    assert result.stderr.startswith("engine: spectral on pairs of measured  start")


def test_frontier(engine, pairs, tmp_path) -> None:
    target = tmp_path / "out.svg"
    asked = ("frontier", "--instance", pairs, "--graph")
    rows = lines(engine(*asked, "--format", "csv", "--plot", target).stdout)
    assert target.read_bytes()[:5] == b"<?xml"
    matrix = affinity(7).matrix
    assert [float(row["budget"]) for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    for row in rows:
        most = float(row["budget"])
        assert float(row["value"]) == pytest.approx(
            best_weight(matrix, lambda one, most=most: len(one) <= most)
        )
        assert float(row["mean"]) == pytest.approx(float(row["selection_value"]) / 7)
    assert {(row["kind"], row["candidate_groups"]) for row in rows} == {("graph", "127")}
    shown = engine(*asked).stdout
    assert "selection value" in shown
    assert "kind      graph: partitions of a pairwise graph, 127 groups" in shown


def test_27_tasks(engine, data_dir) -> None:
    arguments = ("--instance", "mimic27", "--data-dir", data_dir, "--graph")
    found = data(engine, "solve", *arguments)
    known = load_instance("mimic27", data_dir).gains()
    matrix = task_affinity(known).matrix
    assert found["proven"]
    assert found["value"] == pytest.approx(weight(matrix, indices(found)))
    assert found["value"] == pytest.approx(1.560395, abs=1e-5)
    assert found["selection"]["value"] == pytest.approx(pair_mean_total(matrix, indices(found)))
    unjudged = [task for task, group in found["serving"].items() if not known.find(found["groups"][group])]
    assert found["not_evaluated_tasks"] == unjudged
    assert 0 < len(unjudged) < 27
