"""The conformance suite for tables of groups: a class of tests to inherit."""

from __future__ import annotations

from collections.abc import Sequence

from engine.problem.kinds import Feature
from engine.problem.table import Problem
from engine.testing.conformance_base import ConformanceBase
from engine.testing.examples import easy_problem, feature_problem, infeasible_problem
from engine.testing.oracle import optimum
from engine.testing.random_problems import random_problem


class SolverConformance(ConformanceBase[Problem]):
    """What a solver must do that chooses from a table of groups; inherit, set ``solver``, run pytest."""

    def random_problem(self, seed: int) -> Problem:
        """Return a random problem that the solver declares it can express."""
        features = self.info.features - ({Feature.SET_FUNCTION} if self.info.exact else set())
        return random_problem(seed, features=features or self.info.features)

    def optimum(self, problem: Problem) -> float | None:
        """Return the best value over all sets of groups."""
        return optimum(problem)

    def scale(self, problem: Problem) -> float:
        """Return the scale of the program."""
        return problem.program.scale

    def easy_problems(self) -> Sequence[Problem]:
        """Return the easy problem."""
        return [easy_problem()]

    def infeasible_problems(self) -> Sequence[Problem]:
        """Return the infeasible problem."""
        return [infeasible_problem()]

    def feature_problems(self, feature: Feature) -> Sequence[Problem]:
        """Return the problem that needs a feature."""
        return [feature_problem(feature)]
