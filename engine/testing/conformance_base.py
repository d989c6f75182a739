"""What every solver must do, whatever it chooses groups from: the common part of the suites."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic

import numpy as np
import pytest

from engine.errors import UnsupportedError
from engine.plugins import SOLVERS
from engine.problem.kinds import Feature
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.certificate import Status, Termination
from engine.solving.control import Observer
from engine.solving.solution import Event, Solution
from engine.solving.solve import solve
from engine.solving.solver import Solver, SolverInfo, make_solver
from engine.testing.checks import check_solution
from engine.testing.counted_control import solve_within
from engine.testing.transforms import AnyProblem, renamed, reordered, scaled

SEEDS = range(24)


class RecordingObserver(Observer):
    """Writes down what it is told, and may press Ctrl-C."""

    def __init__(self, interrupt: bool = False) -> None:
        self.seen: list[str] = []
        self.interrupt = interrupt

    def on_start(self, problem: Problem | LatticeProblem, solver: str) -> None:
        """Note the start."""
        self.seen.append("start")

    def on_incumbent(self, event: Event) -> None:
        """Note the incumbent, and interrupt if asked to."""
        self.seen.append("incumbent")
        if self.interrupt:
            raise KeyboardInterrupt

    def on_end(self, solution: Solution) -> None:
        """Note the end."""
        self.seen.append("end")


class ConformanceBase(ABC, Generic[AnyProblem]):
    """The tests that need no more than some problems and their optimum.

    Attributes
    ----------
    solver
        A registered name, ``"module:Class"``, a solver class or a solver object.
    options
        Options for a solver given by name or class.
    tolerance
        By how much an exact solver's value may miss the optimum, relative to the largest coefficient.
    """

    solver: ClassVar[str | type[Solver] | Solver]
    options: ClassVar[Mapping[str, Any]] = {}
    tolerance: ClassVar[float] = 1e-6

    @abstractmethod
    def random_problem(self, seed: int) -> AnyProblem:
        """Return a random problem that the solver declares it can express."""

    @abstractmethod
    def optimum(self, problem: AnyProblem) -> float | None:
        """Return the best value of any grouping, None for an infeasible problem."""

    @abstractmethod
    def easy_problems(self) -> Sequence[AnyProblem]:
        """Return feasible problems with a budget of 2, one per kind that the solver takes."""

    @abstractmethod
    def infeasible_problems(self) -> Sequence[AnyProblem]:
        """Return problems that a budget of 1 makes infeasible, one per kind that the solver takes."""

    @abstractmethod
    def feature_problems(self, feature: Feature) -> Sequence[AnyProblem]:
        """Return problems that need a feature, and besides at most the sum objective."""

    def make(self) -> Solver:
        """Return the solver object under test."""
        if isinstance(self.solver, Solver):
            return self.solver
        if isinstance(self.solver, type):
            return self.solver(**self.options)
        return make_solver(self.solver, self.options)[1]

    @property
    def info(self) -> SolverInfo:
        """What the solver declares."""
        return self.make().info

    def solve(self, problem: AnyProblem, **arguments: Any) -> Solution:
        """Solve and check."""
        solution = solve(problem, self.make(), **{"threads": 1, **arguments})
        check_solution(problem, solution)
        return solution

    def check_against_optimum(
        self, problem: AnyProblem, solution: Solution, *, finished: bool = True
    ) -> None:
        """Compare a solution with the best value: equal if exact, else no better and nothing false.

        Parameters
        ----------
        problem, solution
            What was solved, and the result.
        finished
            Whether the solver had all the time it wanted; an exact one must have proven it then.
        """
        best = self.optimum(problem)
        slack = self.tolerance * problem.scale
        proven = self.info.exact and finished
        if best is None:
            assert solution.status in ({Status.INFEASIBLE} if proven else {Status.INFEASIBLE, Status.NONE})
            return
        assert solution.status is not Status.INFEASIBLE, f"feasible with value {best}"
        if solution.value is not None:
            assert problem.sign * (solution.value - best) <= slack
        if solution.bound is not None:
            assert problem.sign * (solution.bound - best) >= -slack
        if proven:
            assert solution.status is Status.OPTIMAL
            assert solution.value == pytest.approx(best, abs=slack, rel=0)

    def test_declares_itself(self) -> None:
        """A summary of one line, features, and options with defaults."""
        info = self.info
        assert info.summary
        assert "\n" not in info.summary
        assert info.features

    @pytest.mark.parametrize("seed", SEEDS)
    def test_agrees_with_every_set_of_groups(self, seed: int) -> None:
        """Exact solvers find the optimum and prove it; others stay below it and claim nothing false."""
        problem = self.random_problem(seed)
        self.check_against_optimum(problem, self.solve(problem))

    @pytest.mark.parametrize("seed", SEEDS[:8])
    def test_value_survives_renaming_and_scaling(self, seed: int) -> None:
        """Names mean nothing, and twice the gains are worth twice as much; exact solvers ignore order."""
        problem = self.random_problem(seed)
        solution = self.solve(problem)
        names = {name: f"{chr(122 - index)}!" for index, name in enumerate(problem.tasks)}
        others = [(1.0, renamed(problem, names))]
        if problem.features.isdisjoint({Feature.SET_FUNCTION}):
            others.append((2.0, scaled(problem, 2.0)))
        if self.info.exact:
            others.append((1.0, reordered(problem, np.random.default_rng(seed))))
            others.append((0.001, scaled(problem, 0.001)))
        for factor, other in others:
            again = self.solve(other)
            assert again.found == solution.found
            if solution.value is not None:
                slack = self.tolerance * other.scale
                assert again.value == pytest.approx(factor * solution.value, abs=slack, rel=0)

    @pytest.mark.parametrize("seed", SEEDS[:8])
    def test_warm_start_is_never_made_worse(self, seed: int) -> None:
        """What one seed finds, another does not lose."""
        problem = self.random_problem(seed)
        first = self.solve(problem)
        again = self.solve(problem, warm_start=first if first.found else [], seed=1)
        if first.value is not None:
            slack = self.tolerance * problem.scale
            assert again.value is not None
            assert problem.sign * (again.value - first.value) >= -slack

    def test_useless_warm_start_is_ignored(self) -> None:
        """A start that serves only one task does no harm."""
        for problem in self.easy_problems():
            plain = self.solve(problem)
            started = self.solve(problem, warm_start=[["a"]])
            assert started.found == plain.found

    @pytest.mark.parametrize("seed", SEEDS[:6])
    def test_keeps_a_time_limit(self, seed: int) -> None:
        """Whenever the time is up, the result is checked or a clean none, and claims nothing false."""
        problem = self.random_problem(seed)
        for readings in (0, 1, 2, 4, 8, 16, 32, 64):
            solution = solve_within(problem, self.make(), readings)
            check_solution(problem, solution)
            self.check_against_optimum(problem, solution, finished=False)

    @pytest.mark.parametrize("seed", SEEDS[:4])
    def test_same_seed_same_result(self, seed: int) -> None:
        """The seed decides every random choice."""
        problem = self.random_problem(seed)
        first, second = (self.solve(problem, seed=7) for _ in range(2))
        assert (first.groups, first.value, first.serving) == (second.groups, second.value, second.serving)

    @pytest.mark.parametrize("feature", list(Feature))
    def test_refuses_what_it_does_not_declare(self, feature: Feature) -> None:
        """An unsupported feature or kind is refused by name; a declared one is solved."""
        for problem in self.feature_problems(feature):
            lacking = self.info.lacks(problem)
            if not lacking:
                solution = self.solve(problem)
                assert solution.found or not self.info.exact
                continue
            with pytest.raises(UnsupportedError, match="does not support") as refusal:
                self.solve(problem)
            for one in lacking:
                assert one in str(refusal.value)

    def test_reports_infeasibility(self) -> None:
        """An exact solver proves it and the conflict is named; others find nothing."""
        for problem in self.infeasible_problems():
            solution = self.solve(problem)
            assert not solution.found
            if self.info.exact:
                assert solution.status is Status.INFEASIBLE
                assert "a budget of 1" in solution.conflict

    def test_tells_observers(self) -> None:
        """Observers see the start, the incumbents and the end."""
        for problem in self.easy_problems():
            recorder = RecordingObserver()
            solution = self.solve(problem, observers=[recorder])
            assert recorder.seen[0] == "start"
            assert recorder.seen[-1] == "end"
            if solution.found:
                assert "incumbent" in recorder.seen

    def test_interrupt_returns_the_incumbent(self) -> None:
        """Ctrl-C at the first incumbent returns it, checked."""
        for problem in self.easy_problems():
            recorder = RecordingObserver(interrupt=True)
            solution = self.solve(problem, observers=[recorder])
            if "incumbent" not in recorder.seen:
                pytest.skip("reports no incumbent on this problem")
            assert solution.found
            assert solution.certificate.termination is Termination.INTERRUPTED

    def test_more_budget_is_never_worse(self) -> None:
        """For exact solvers the value rises with the budget."""
        if not self.info.exact:
            pytest.skip("not exact")
        for problem in self.easy_problems():
            values = [self.solve(problem.with_budget(limit)).value for limit in (1, 2, 3, 4, 9)]
            assert all(value is not None for value in values)
            assert values == sorted(values, key=lambda value: value or 0.0)

    def test_found_by_name(self) -> None:
        """A registered solver is installed under the name the suite was given."""
        if not isinstance(self.solver, str) or ":" in self.solver:
            pytest.skip("not given by a registered name")
        assert self.solver in SOLVERS.names()
        assert replace(self.make()) == self.make()  # type: ignore[type-var]
