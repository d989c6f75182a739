"""The conformance suite for problems over lattices and graphs: a class of tests to inherit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest

from engine.errors import UnsupportedError
from engine.problem.kinds import Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.testing.checks import check_solution
from engine.testing.conformance_base import SEEDS, ConformanceBase
from engine.testing.counted_control import solve_within
from engine.testing.lattice_examples import (
    easy_lattice_problem,
    infeasible_lattice_problem,
    lattice_feature_problem,
)
from engine.testing.lattice_oracle import lattice_optimum
from engine.testing.random_lattices import LATTICE_FEATURES, LATTICE_KINDS, random_lattice_problem


class LatticeConformance(ConformanceBase[LatticeProblem]):
    """What a solver must do that takes gain models or graphs; inherit, set ``solver``, run pytest.

    Attributes
    ----------
    max_tasks, max_graph_tasks
        Bounds on N of the random problems over lattices and over graphs.
    """

    max_tasks: ClassVar[int] = 5
    max_graph_tasks: ClassVar[int] = 7

    @property
    def kinds(self) -> list[Kind]:
        """Kinds of problem that the solver takes and this suite is about, in a fixed order."""
        return sorted(self.info.kinds & LATTICE_KINDS)

    def random_problem(self, seed: int, *, listing: bool = False, larger: bool = False) -> LatticeProblem:
        """Return a random problem that the solver declares it can express, of each kind in turn.

        Parameters
        ----------
        seed
            Of the problem.
        listing
            Whether it may ask what only a list of all groups can answer.
        larger
            Whether it has two tasks more than the bound.
        """
        kind = self.kinds[seed % len(self.kinds)]
        most = self.max_graph_tasks if kind is Kind.GRAPH else self.max_tasks
        return random_lattice_problem(
            seed,
            features=self.info.features & LATTICE_FEATURES,
            kinds={kind},
            min_tasks=most + 2 if larger else 1,
            max_tasks=most + 2 if larger else most,
            listing=listing,
        )

    def optimum(self, problem: LatticeProblem) -> float | None:
        """Return the best value over all sets of groups or all partitions."""
        return lattice_optimum(problem)

    def scale(self, problem: LatticeProblem) -> float:
        """Return the scale of the table of all groups."""
        return problem.listed.program.scale

    def easy_problems(self) -> Sequence[LatticeProblem]:
        """Return an easy problem of each kind."""
        return [easy_lattice_problem(kind) for kind in self.kinds]

    def infeasible_problems(self) -> Sequence[LatticeProblem]:
        """Return an infeasible problem of each kind."""
        return [infeasible_lattice_problem(kind) for kind in self.kinds]

    def feature_problems(self, feature: Feature) -> Sequence[LatticeProblem]:
        """Return the problems of both kinds that need a feature."""
        found = [lattice_feature_problem(feature, kind) for kind in sorted(LATTICE_KINDS)]
        return [problem for problem in found if problem is not None]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_agrees_with_every_grouping_of_more_problems(self, seed: int) -> None:
        """Half of the problems are of the other kind, so the comparison takes twice as many."""
        problem = self.random_problem(1000 + seed)
        self.check_against_optimum(problem, self.solve(problem))

    @pytest.mark.parametrize("seed", range(2000, 2024))
    def test_lists_all_groups_where_it_must_or_says_that_it_cannot(self, seed: int) -> None:
        """A user's own demand, or an objective without task weights, is met or refused by name."""
        problem = self.random_problem(seed, listing=True)
        try:
            solution = self.solve(problem)
        except UnsupportedError as refusal:
            demands = [*problem.constraints, problem.objective]
            assert any(type(one).__name__ in str(refusal) for one in demands)  # noqa: PT017
            return
        self.check_against_optimum(problem, solution)

    @pytest.mark.parametrize("seed", range(3000, 3008))
    def test_claims_nothing_false_when_cut_short(self, seed: int) -> None:
        """Where the time does not suffice, the value is that of a grouping and the bound is true."""
        problem = self.random_problem(seed, larger=True)
        solution = solve_within(problem, self.make(), 2 ** (seed % 8))
        check_solution(problem, solution)
        self.check_against_optimum(problem, solution, finished=False)
