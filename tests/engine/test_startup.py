from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from tests.waiting import HANGING

HEAVY = {
    "ortools",
    "highspy",
    "pyomo",
    "numba",
    "sklearn",
    "torch",
    "pandas",
    "scipy",
    "matplotlib",
    "networkx",
}


def loaded(code: str) -> set[str]:
    """Return the top-level modules that a piece of code loads in a fresh interpreter."""
    return {name.partition(".")[0] for name in all_loaded(code)}


def all_loaded(code: str) -> set[str]:
    """Return all modules that are loaded once a piece of code has run in a fresh interpreter."""
    script = f"import io, json, sys\nkept, sys.stdout = sys.stdout, io.StringIO()\n{code}\n"
    script += "json.dump(sorted(sys.modules), kept)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=HANGING, check=True
    )
    return set(json.loads(done.stdout))


def command(*arguments: str) -> str:
    return f"from engine.cli.app import main\ntry: main({list(arguments)!r})\nexcept SystemExit: pass"


def test_importing_engine_loads_nothing_heavy() -> None:
    assert not loaded("import engine, engine.cli.app") & {*HEAVY, "numpy", "rich"}


def test_the_start_itself_loads_nothing() -> None:
    assert not loaded("import engine.cli.main") & {*HEAVY, "numpy", "rich", "click"}


def test_what_most_users_import_loads_no_solver_library() -> None:
    names = "GainTensor, Problem, Solution, TotalGain, frontier, solve, compare"
    assert not loaded(f"from engine import {names}") & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["solve", "--help"]])
def test_help_loads_click_alone(arguments: list[str]) -> None:
    """The time to the first word is that of importing some 150 modules, nearly all of them Python's own."""
    modules = all_loaded(command(*arguments)) - all_loaded("pass")
    names = {name.partition(".")[0] for name in modules}
    assert names - set(sys.stdlib_module_names) == {"engine", "click", "lazy_loader"}
    assert len(modules) < 200


@pytest.mark.parametrize("listing", ["solvers", "instances"])
def test_listing_loads_no_solver_library(listing: str) -> None:
    assert not loaded(command(listing)) & HEAVY


WATCHED = """
import sys
from importlib.metadata import entry_points


class Watch:
    asked = set()

    def find_spec(self, name, path=None, target=None):
        self.asked.add(name.partition(".")[0])


sys.meta_path.insert(0, Watch())
for kind in ("solvers", "gain_sources", "instances", "objectives"):
    for point in entry_points(group=f"taskgrouping.{kind}"):
        point.load()
import engine
for name in dir(engine):
    getattr(engine, name)
assert "solvers" in Watch.asked and "instances" in Watch.asked
assert "torch" not in Watch.asked, "something asks for torch"
"""


def test_nothing_but_a_backbone_asks_for_torch_when_it_is_looked_up() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, timeout=HANGING)
    assert done.returncode == 0, done.stderr


def test_torch_is_required_by_extras_only() -> None:
    needed = [Requirement(text) for text in requires("task-grouping-engine") or ()]
    base = {one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})}
    assert {"numpy", "click"} <= base
    assert not base & {"torch", "torchvision", "pytorch-lightning", "transformers", "ray"}


ORTOOLS = """
from ortools.sat.python import cp_model
model = cp_model.CpModel()
x = model.new_int_var(0, 10, "x")
model.add(2 * x <= 9)
model.maximize(x)
cpsat = cp_model.CpSolver()
cpsat.parameters.num_workers = 1
assert cpsat.solve(model) == cp_model.OPTIMAL and cpsat.value(x) == 4
"""
HIGHSPY = """
import highspy
highs = highspy.Highs()
highs.silent()
y = highs.addVariable(lb=0, ub=10, obj=-1, type=highspy.HighsVarType.kInteger)
highs.addConstr(2 * y <= 9)
highs.minimize()
assert highs.getObjectiveValue() == -4
"""


@pytest.mark.parametrize(
    "code", [ORTOOLS + HIGHSPY, HIGHSPY + ORTOOLS, "import highspy\n" + ORTOOLS + HIGHSPY]
)
def test_ortools_and_highspy_coexist(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGING)
    assert done.returncode == 0, done.stderr
