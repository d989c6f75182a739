"""Pricing by branch and bound while that is cheap, else by complete enumeration."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from engine.solving.control import Control
from solvers.lattices.branching import Branching
from solvers.lattices.enumeration import Enumeration
from solvers.lattices.form import Members, Prices
from solvers.lattices.pricing import Priced


class Hybrid:
    """A pricer that looks at every group only where bounds leave too many.

    Parameters
    ----------
    branching
        Tried first; gives up after its largest number of nodes.
    enumerate_all
        Makes the pricer that takes over, once it is needed.
    """

    def __init__(self, branching: Branching, enumerate_all: Callable[[], Enumeration]) -> None:
        self.branching = branching
        self._enumerate_all = enumerate_all

    @cached_property
    def enumeration(self) -> Enumeration:
        """The pricer that takes over."""
        return self._enumerate_all()

    def price(self, prices: Prices, count: int, least: float, control: Control) -> Priced:
        """Return the groups worth most, and a bound on all."""
        priced = self.branching.price(prices, count, least, control)
        return self.enumeration.price(prices, count, least, control) if self.branching.gave_up else priced

    def above(self, prices: Prices, threshold: float, most: int, control: Control) -> Members | None:
        """Return every admitted group worth more than a threshold."""
        groups = self.branching.above(prices, threshold, most, control)
        return self.enumeration.above(prices, threshold, most, control) if self.branching.gave_up else groups
