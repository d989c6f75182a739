"""Hypothesis strategies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hypothesis import strategies as st

from engine.problem import Feature, Problem
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
    features: Collection[Feature] = frozenset(Feature) - {Feature.SET_FUNCTION},
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
