from __future__ import annotations

import sys

import pytest

from engine.errors import MissingDependencyError, UsageError
from engine.plugins import INSTANCES, OBJECTIVES, SOLVERS, Registry, missing_modules
from tests.engine.fakes import Singles


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
    assert missing_modules(("numpy", "no_such_library")) == ("no_such_library",)
