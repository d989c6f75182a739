"""Tools to test plug-ins with: random problems, oracles, checks and conformance suites.

A solver of one's own is tested by inheriting the suite::

    from engine.testing import SolverConformance


    class TestMySolver(SolverConformance):
        solver = MySolver

A solver that takes gain models or graphs inherits ``LatticeConformance``, an instance
``InstanceConformance``, a gain source that predicts ``PredictorConformance``, likewise. The suites
need pytest, the strategies :func:`problems` and :func:`lattice_problems` hypothesis. The engine itself
imports neither. Time limits are tested with :func:`solve_within`, which counts how often the clock is
read, so that no test depends on how fast a machine is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.testing.agreement import check_extension
from engine.testing.checks import check_solution
from engine.testing.counted_control import CountedControl, solve_within
from engine.testing.lattice_oracle import lattice_optimum
from engine.testing.oracle import optimum
from engine.testing.random_lattices import random_lattice_problem
from engine.testing.random_problems import PricedGain, random_problem

if TYPE_CHECKING:
    from engine.testing.conformance import SolverConformance
    from engine.testing.instance_conformance import InstanceConformance
    from engine.testing.lattice_conformance import LatticeConformance
    from engine.testing.predictor_conformance import PredictorConformance
    from engine.testing.strategies import lattice_problems, problems

__all__ = [
    "CountedControl",
    "InstanceConformance",
    "LatticeConformance",
    "PredictorConformance",
    "PricedGain",
    "SolverConformance",
    "check_extension",
    "check_solution",
    "lattice_optimum",
    "lattice_problems",
    "optimum",
    "problems",
    "random_lattice_problem",
    "random_problem",
    "solve_within",
]

_LATER = {
    "InstanceConformance": "engine.testing.instance_conformance",
    "LatticeConformance": "engine.testing.lattice_conformance",
    "PredictorConformance": "engine.testing.predictor_conformance",
    "SolverConformance": "engine.testing.conformance",
    "lattice_problems": "engine.testing.strategies",
    "problems": "engine.testing.strategies",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'engine.testing' has no attribute {name!r}")
