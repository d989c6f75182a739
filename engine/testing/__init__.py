"""Tools to test solvers with: random problems, an oracle, checks and a conformance suite.

A solver of one's own is tested by inheriting the suite::

    from engine.testing import SolverConformance


    class TestMySolver(SolverConformance):
        solver = MySolver

Needs pytest; the strategy :func:`problems` needs hypothesis. The engine itself imports neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.testing.checks import check_solution
from engine.testing.oracle import optimum
from engine.testing.random_problems import PricedGain, random_problem

if TYPE_CHECKING:
    from engine.testing.conformance import SolverConformance
    from engine.testing.strategies import problems

__all__ = [
    "PricedGain",
    "SolverConformance",
    "check_solution",
    "optimum",
    "problems",
    "random_problem",
]


def __getattr__(name: str) -> Any:
    if name == "SolverConformance":
        from engine.testing.conformance import SolverConformance

        return SolverConformance
    if name == "problems":
        from engine.testing.strategies import problems

        return problems
    raise AttributeError(f"module 'engine.testing' has no attribute {name!r}")
