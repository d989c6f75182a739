"""Hypothesis strategies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hypothesis import strategies as st

from engine.problem.kinds import PROGRAM_FEATURES, Feature, Kind
from engine.problem.lattice import LatticeProblem
from engine.problem.table import Problem
from engine.testing.random_lattices import LATTICE_FEATURES, LATTICE_KINDS, build_lattice_problem
from engine.testing.random_problems import build_problem


@dataclass(frozen=True)
class _Drawn:
    """Decisions that hypothesis makes, and shrinks."""

    draw: st.DrawFn

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))


@st.composite
def problems(
    draw: st.DrawFn,
    features: Collection[Feature] = PROGRAM_FEATURES,
    max_tasks: int = 5,
    max_groups: int = 9,
) -> Problem:
    """Return a strategy of small random problems, as :func:`engine.testing.random_problem` makes them.

    Parameters
    ----------
    draw
        Supplied by hypothesis.
    features
        What the problems may ask of a solver.
    max_tasks, max_groups
        Bounds on N and M.
    """
    return build_problem(_Drawn(draw), frozenset(features), max_tasks, max_groups)


@st.composite
def lattice_problems(
    draw: st.DrawFn,
    features: Collection[Feature] = LATTICE_FEATURES,
    kinds: Collection[Kind] = LATTICE_KINDS,
    max_tasks: int = 4,
    listing: bool = False,
) -> LatticeProblem:
    """Return a strategy of problems as :func:`engine.testing.random_lattice_problem` makes them.

    Parameters
    ----------
    draw
        Supplied by hypothesis.
    features, kinds
        What the problems may ask of a solver.
    max_tasks
        Bound on N.
    listing
        Whether they may ask what only a list of all groups can answer.
    """
    sizes = (1, max_tasks)
    return build_lattice_problem(_Drawn(draw), frozenset(features), frozenset(kinds), sizes, listing)
