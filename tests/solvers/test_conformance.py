"""Every registered solver, and the template, against the conformance suite."""

from engine.plugins import SOLVERS
from engine.testing import SolverConformance
from solvers.TEMPLATE import BestSingleCover

for _name in SOLVERS.names():
    _class = f"Test{_name.title().replace('-', '')}"
    globals()[_class] = type(_class, (SolverConformance,), {"solver": _name})


class TestTemplate(SolverConformance):
    solver = BestSingleCover


class TestOptions(SolverConformance):
    solver = "local-search"
    options = {"iterations": 3, "evaluations": 40}  # noqa: RUF012
