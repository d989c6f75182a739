"""A time limit that no machine is too slow for: the time goes by as it is asked for."""

from __future__ import annotations

import itertools
from typing import Any

from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.solving.control import Control
from engine.solving.solution import Solution
from engine.solving.solve import run
from engine.solving.solver import Solver, check_supported, make_solver
from engine.solving.warm_start import named_groups

STEP = 0.01
"""Seconds that go by with every reading of the clock."""


class CountedControl(Control):
    """A control whose clock goes on by a hundredth of a second whenever it is read, and stands still else.

    A run that it ends therefore ends at the same place on every machine and under any load, as far as
    the solver reads the clock on one thread. Only what is handed to another library as a number of
    seconds, as to CP-SAT or HiGHS, still takes real time.

    Parameters
    ----------
    readings
        How often the clock can be read before the time is up; None for no limit.
    **given
        As for :class:`engine.Control`, without ``time_limit``.

    Attributes
    ----------
    readings
        How often the clock was read.
    """

    def __init__(self, readings: int | None = None, **given: Any) -> None:
        super().__init__(**given)
        self._limit = readings
        self._count = itertools.count(1)
        self.readings = 0

    def quiet(self) -> CountedControl:
        """Return a control on the same clock that tells nobody."""
        part = CountedControl(self._limit, seed=self.seed, threads=self.threads)
        part._count = self._count
        return part

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        self.readings = next(self._count)
        return STEP * self.readings

    def remaining(self) -> float:
        """Return the seconds left."""
        seconds = self.elapsed()
        return float("inf") if self._limit is None else max(0.0, STEP * self._limit - seconds)

    def should_stop(self) -> bool:
        """Whether the clock was read more often than it may be, or a stop rule fired."""
        self.readings = next(self._count)
        return super().should_stop() or (self._limit is not None and self.readings > self._limit)


def solve_within(
    problem: Problem | LatticeProblem,
    solver: str | Solver,
    readings: int | None,
    *,
    seed: int = 0,
    threads: int = 1,
    warm_start: Solution | None = None,
    options: dict[str, Any] | None = None,
    **given: Any,
) -> Solution:
    """Solve as :func:`engine.solve` does, within so many readings of the clock.

    Parameters
    ----------
    problem, solver, seed, threads, warm_start, options
        As for :func:`engine.solve`.
    readings
        How often the solver may read the clock before its time is up; None for no limit.
    **given
        As for :class:`engine.Control`.
    """
    name, runner = make_solver(solver, options)
    check_supported(name, runner, problem)
    control = CountedControl(
        readings,
        sign=problem.sign,
        seed=seed,
        threads=threads,
        warm_start=None if warm_start is None else problem.locate(named_groups(warm_start)),
        **given,
    )
    return run(problem, name, runner, control, options or {})
