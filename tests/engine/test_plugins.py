from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import solve
from engine.errors import MissingDependencyError, UsageError
from engine.plugins import INSTANCES, OBJECTIVES, SOLVERS, Registry, _installed, missing_modules
from engine.testing.examples import easy_problem
from tests.engine.fakes import Singles
from tests.waiting import HANGING


def test_installed_plug_ins_are_listed_sorted() -> None:
    for registry, known in ((SOLVERS, "cpsat"), (INSTANCES, "mimic27"), (OBJECTIVES, "total")):
        names = registry.names()
        assert known in names
        assert list(names) == sorted(names)


def test_every_installed_plug_in_can_be_loaded() -> None:
    for registry in (SOLVERS, INSTANCES, OBJECTIVES):
        for name in registry.names():
            assert registry.load(name).__name__


def test_a_plug_in_of_ones_own_for_this_process() -> None:
    registry = Registry("solver", "taskgrouping.nothing")
    assert registry.names() == ()
    registry.register("mine", Singles)
    registry.register("lazy", "tests.engine.fakes:Singles")
    assert registry.names() == ("lazy", "mine")
    assert registry.load("mine") is Singles
    assert registry.load("lazy") is Singles
    registry.unregister("mine")
    registry.unregister("mine")
    assert registry.names() == ("lazy",)


def test_a_registered_name_hides_an_installed_one() -> None:
    SOLVERS.register("greedy", Singles)
    try:
        assert SOLVERS.load("greedy") is Singles
    finally:
        SOLVERS.unregister("greedy")
    assert SOLVERS.load("greedy") is not Singles


def test_a_class_by_its_module() -> None:
    assert SOLVERS.load("tests.engine.fakes:Singles") is Singles


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gredy", "Did you mean 'greedy'"),
        ("no.such:Thing", "no module named"),
        ("tests.engine.fakes:Thing", "has no 'Thing'"),
    ],
)
def test_what_cannot_be_found_is_explained(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        SOLVERS.load(name)


def test_a_module_that_breaks_or_lacks_a_library_is_explained(tmp_path, monkeypatch) -> None:
    (tmp_path / "breaking_plug_in.py").write_text("1 / 0\n")
    (tmp_path / "lacking_plug_in.py").write_text("import no_such_library\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        SOLVERS.load("breaking_plug_in:Thing")
    with pytest.raises(MissingDependencyError, match="no_such_library"):
        SOLVERS.load("lacking_plug_in:Thing")


def test_missing_modules() -> None:
    absent = ("no_such_library", "no_such_library.part")
    assert missing_modules(("numpy", *absent)) == absent


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Give a function that installs a distribution with one solver, as pip would lay it out."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(distribution: str, name: str, target: str, code: str | None = None) -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[taskgrouping.solvers]\n{name} = {target}\n")
        if code is not None:
            (tmp_path / f"{target.partition(':')[0]}.py").write_text(code)
        _installed.cache_clear()

    yield add
    _installed.cache_clear()


def listed() -> list[dict[str, Any]]:
    """Return what ``engine solvers`` lists."""
    command = [sys.executable, "-m", "engine", "solvers", "--format", "json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, check=True, timeout=HANGING, env=environment)
    found: list[dict[str, Any]] = json.loads(done.stdout)["solvers"]
    return found


THIRD_PARTY = """
from dataclasses import dataclass
from typing import ClassVar

import engine


@dataclass(frozen=True)
class Whole(engine.Solver):
    info: ClassVar = engine.SolverInfo("all in one group", exact=False, features=frozenset(engine.Feature))

    def solve(self, problem, control):
        return engine.Outcome(problem.gains.find(problem.gains.tasks))
"""


def test_a_solver_of_another_distribution_is_found_listed_and_solves(install: Callable[..., None]) -> None:
    install("their-solvers", "whole", "their_solver:Whole", THIRD_PARTY)
    assert "whole" in SOLVERS.names()
    assert {one["name"]: one["problem"] for one in listed()}["whole"] == ""
    solution = solve(easy_problem(), "whole")
    assert solution.certificate.solver == "whole"
    assert [group.tasks for group in solution.groups] == [("a", "b", "c", "d")]


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("their_absent:Whole", None, "no module named 'their_absent'"),
        ("their_empty:Whole", "", "has no 'Whole'"),
        ("their_broken:Whole", "1 / 0", "ZeroDivisionError"),
        ("their_lacking:Whole", "import no_such_library", "needs the module 'no_such_library'"),
    ],
)
def test_a_broken_entry_point_is_named_with_its_distribution(
    install: Callable[..., None], target: str, code: str | None, words: str
) -> None:
    install("their-solvers", "whole", target, code)
    with pytest.raises(UsageError, match=words) as caught:
        SOLVERS.load("whole")
    assert f"'whole' ({target} of the package their-solvers)" in str(caught.value)
    assert {one["name"] for one in listed() if one["problem"]} == {"whole"}
    assert solve(easy_problem()).found


def test_two_packages_of_one_name_refuse_that_name_only(install: Callable[..., None]) -> None:
    install("their-solvers", "greedy", "their_solver:Whole", THIRD_PARTY)
    with pytest.raises(UsageError, match="Two installed packages provide the solver 'greedy'") as caught:
        SOLVERS.load("greedy")
    for word in ("their_solver:Whole of the package their-solvers", "task-grouping-engine", "module:Name"):
        assert word in str(caught.value)
    assert "greedy" in SOLVERS.names()
    assert {one["name"] for one in listed() if one["problem"]} == {"greedy"}
    assert solve(easy_problem()).found
    assert solve(easy_problem(), "their_solver:Whole").found


def test_the_same_entry_point_seen_twice_is_no_clash(install: Callable[..., None]) -> None:
    install("their-copy", "greedy", "solvers.greedy:Greedy")
    assert SOLVERS.load("greedy").__name__ == "Greedy"
