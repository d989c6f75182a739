from __future__ import annotations

import csv
import io
import json

import pytest

from engine.plugins import INSTANCES, SOLVERS, Registry
from tests.engine.fakes import gains


def test_solvers_table_and_json(engine) -> None:
    result = engine("solvers")
    assert result.exit_code == 0
    for name in SOLVERS.names():
        assert name in result.stdout
    data = json.loads(engine("solvers", "--format", "json").stdout)["solvers"]
    by_name = {one["name"]: one for one in data}
    assert set(by_name) == set(SOLVERS.names())
    assert by_name["brute-force"]["exact"]
    assert by_name["brute-force"]["options"] == {"max_sets": 2000000}
    assert by_name["lacking"]["missing"] == ["no_such_library"]
    assert not by_name["lacking"]["installed"]
    assert set(by_name["singles"]) >= {"features", "requires", "summary", "reference", "rank"}


def test_solvers_tell_which_kinds_of_problem_they_take(engine) -> None:
    data = json.loads(engine("solvers", "--format", "json").stdout)["solvers"]
    kinds = {one["name"]: one["kinds"] for one in data}
    assert kinds["milp"] == ["table"]
    assert kinds["lattice"] == ["lattice", "graph"]
    assert kinds["spectral"] == ["table", "graph"]
    rows = csv.DictReader(io.StringIO(engine("solvers", "--format", "csv").stdout))
    assert {row["name"]: row["kinds"].split("|") for row in rows} == kinds
    shown = engine("solvers").stdout
    assert shown.count("takes: ") == len(kinds)
    assert "takes: lattice, graph\n" in shown
    assert "lattice: all groups of a gain model; graph: partitions of a pairwise graph" in shown


def test_a_broken_plug_in_does_not_hide_the_others(engine) -> None:
    for registry, command in ((SOLVERS, "solvers"), (INSTANCES, "instances")):
        registry.register("broken", "no.such.module:Thing")
        try:
            result = engine(command)
        finally:
            registry.unregister("broken")
        assert result.exit_code == 0
        assert "'broken' cannot be imported: no module named" in result.stdout


def test_instances_table_and_json_load_no_data(engine) -> None:
    result = engine("instances")
    assert result.exit_code == 0
    for name in INSTANCES.names():
        assert name in result.stdout
    assert "where those hold what it takes: additive, extra-trees, gaussian-process, hoa," in result.stdout
    assert "nowhere, made up" in result.stdout
    data = json.loads(engine("instances", "--format", "json").stdout)["instances"]
    (fake,) = [one for one in data if one["name"] == "fake"]
    assert fake["tasks"] == ["a", "b", "c", "d"]
    assert fake["splits"] == ["valid", "test"]
    assert fake["sources"] == ["measured", "guess"]


def test_one_instance_in_numbers(engine) -> None:
    result = engine("instances", "show", "fake")
    assert result.exit_code == 0
    assert "4 of 1, 6 of 2, 4 of 3, 1 of 4" in result.stdout
    assert "correlation" in result.stdout
    assert "not at all alike" in result.stdout
    data = json.loads(engine("instances", "show", "fake", "--format", "json").stdout)
    assert data["groups"] == 15
    assert [one["groups"] for one in data["coverage"]] == [8, 8, 8, 8]
    assert [one["split"] for one in data["splits"]] == ["valid", "test"]
    several = gains().values[gains().sizes[gains().entry_rows] > 1]
    mean = sum(one["mean"] * 7 for one in data["coverage"]) / 28
    assert mean == pytest.approx(several.mean())
    assert data["splits"][0]["quantiles"]["least"] <= data["splits"][0]["quantiles"]["median"]
    assert -1 <= data["correlation"] <= 1


def test_an_instance_of_losses(engine) -> None:
    result = engine("instances", "show", "fake-loss")
    assert result.exit_code == 0
    assert "11 at 1" in result.stdout
    assert "4 at 0.5" in result.stdout
    data = json.loads(engine("instances", "show", "fake-loss", "--format", "json").stdout)
    assert data["splits"][0]["positive"] is None
    assert data["correlation"] is None


@pytest.mark.parametrize(("command", "names"), [("solvers", SOLVERS), ("instances", INSTANCES)])
def test_lists_as_csv(engine, command: str, names: Registry) -> None:
    rows = list(csv.DictReader(io.StringIO(engine(command, "--format", "csv").stdout)))
    assert [row["name"] for row in rows] == list(names.names())
    assert all(row["summary"] for row in rows)


def test_one_instance_as_csv(engine) -> None:
    result = engine("instances", "show", "fake", "--format", "csv")
    assert result.stdout.splitlines()[0] == "task,groups,mean,best"
    assert result.stdout.count("\n") == 5


def test_an_instance_with_one_split_for_both_shows_it_once(engine, data_dir) -> None:
    arguments = ("instances", "show", "taskonomy5", "--data-dir", data_dir)
    data = json.loads(engine(*arguments, "--format", "json").stdout)
    assert [one["role"] for one in data["splits"]] == ["source"]
    assert data["correlation"] is None
    result = engine(*arguments)
    assert "correlation" not in result.stdout
    assert "One gain file is both source and evaluation" in result.stdout


def test_an_unknown_instance(engine) -> None:
    result = engine("instances", "show", "fakee")
    assert result.exit_code in (2, 5)
    assert result.stderr.count("\n") == 1
