"""No pricing: where no bound on the groups of a model is known and there are too many to look at."""

from __future__ import annotations

import numpy as np

from engine.solving.control import Control
from solvers.lattices.form import Members, Prices
from solvers.lattices.pricing import Priced


class Unbounded:
    """A pricer that finds nothing and proves nothing; local search is left, and the bound known before."""

    def price(self, prices: Prices, count: int, least: float, control: Control) -> Priced:
        """Return no group and no bound."""
        return Priced(np.zeros((0, len(prices.serve)), dtype=bool), np.zeros(0), np.inf)

    def above(self, prices: Prices, threshold: float, most: int, control: Control) -> Members | None:
        """Return None: not all groups can be found."""
        return None
