"""Pricing: the groups that are worth most at given multipliers, and a bound on all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.solving.control import Control
from solvers.lattices.form import Floats, LatticeForm, Members, Prices


@dataclass(frozen=True)
class Priced:
    """What a pricing pass found.

    Attributes
    ----------
    membership, worth
        Admitted groups, shape (k, N), and what each is worth, the best first.
    bound
        No admitted group is worth more. Infinite where nothing is proven.
    """

    membership: Members
    worth: Floats
    bound: float


class Pricer(Protocol):
    """Searches the lattice at given prices."""

    def price(self, prices: Prices, count: int, least: float, control: Control) -> Priced:
        """Return up to so many good groups and a bound on all groups.

        Parameters
        ----------
        prices
            The multipliers.
        count
            How many groups to return, more or less.
        least
            Groups worth no more than this are of no interest; the bound need not be lower.
        control
            Ends the search; what has not been looked at by then counts in the bound.
        """
        ...

    def above(self, prices: Prices, threshold: float, most: int, control: Control) -> Members | None:
        """Return every admitted group worth more than a threshold.

        Parameters
        ----------
        prices
            Those of the last pass.
        threshold
            What a group must exceed.
        most
            How many groups are too many.
        control
            Ends the search.

        Returns
        -------
        ndarray or None
            Shape (k, N), or None where there are too many, or where not all can be found.
        """
        ...


def ranked(form: LatticeForm, membership: Members, prices: Prices) -> tuple[Members, Floats]:
    """Return the admitted groups among some, and what each is worth, the best first."""
    values = form.values(membership)
    allowed = form.admitted(membership, values)
    membership, values = membership[allowed], values[allowed]
    worth = form.worth(membership, values, prices)
    order = np.argsort(-worth, kind="stable")
    return membership[order], worth[order]
