"""Every registered solver, and the template, against the suites for the kinds of problem it takes."""

from engine import Kind
from engine.plugins import SOLVERS
from engine.testing import LatticeConformance, SolverConformance
from engine.testing.random_lattices import LATTICE_KINDS
from solvers.TEMPLATE import BestSingleCover
from tests.solvers.listing import Listing

for _name in SOLVERS.names():
    _kinds = SOLVERS.load(_name).info.kinds
    _class = f"Test{_name.title().replace('-', '')}"
    if Kind.TABLE in _kinds:
        globals()[_class] = type(_class, (SolverConformance,), {"solver": _name})
    if _kinds & LATTICE_KINDS:
        _class += "OverLattices"
        globals()[_class] = type(_class, (LatticeConformance,), {"solver": _name})


class TestTemplate(SolverConformance):
    solver = BestSingleCover


class TestOptions(SolverConformance):
    solver = "local-search"
    options = {"iterations": 3, "evaluations": 40}  # noqa: RUF012


class TestListing(LatticeConformance):
    """The suite itself, on a solver that is right."""

    solver = Listing
