"""Every registered solver, and the template, against the conformance suite."""

from importlib.metadata import entry_points
from importlib.util import find_spec

import pytest

from engine.plugins import SOLVERS
from engine.testing import SolverConformance
from solvers.TEMPLATE import BestSingleCover


def _suite(name):
    module = next(iter(entry_points(group=SOLVERS.group, name=name))).module
    missing = find_spec(module) is None
    suite = type(f"Test{name.title().replace('-', '')}", (SolverConformance,), {"solver": name})
    return pytest.mark.skipif(missing, reason=f"no module {module} yet")(suite)


for _name in SOLVERS.names():
    _class = _suite(_name)
    globals()[_class.__name__] = _class


class TestTemplate(SolverConformance):
    solver = BestSingleCover


class TestOptions(SolverConformance):
    solver = "local-search"
    options = {"iterations": 3, "evaluations": 40}  # noqa: RUF012
