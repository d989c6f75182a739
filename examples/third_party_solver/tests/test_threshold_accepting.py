"""The conformance suite of the engine, and what the suite cannot know."""

import pytest

import engine
from engine.testing import SolverConformance


class TestThresholdAccepting(SolverConformance):
    solver = "threshold-accepting"


def test_finds_the_optimum_that_a_pencil_finds() -> None:
    problem = engine.Problem(engine.load_instance("toy4").gains())
    for budget, best in ((1, 0.08), (2, 0.35), (3, 0.40), (4, 0.44)):
        found = engine.solve(problem.with_budget(budget), "threshold-accepting")
        assert found.value == pytest.approx(best)


def test_options_are_checked() -> None:
    problem = engine.Problem(engine.load_instance("toy4").gains())
    with pytest.raises(engine.UsageError, match="steps of 1 or more"):
        engine.solve(problem, "threshold-accepting", options={"steps": 0})
