"""Pricing by complete enumeration: every group is evaluated, the best again in double precision."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.solving.control import Control
from solvers.lattices.form import POSSIBLE, Floats, LatticeForm, Members, Prices
from solvers.lattices.pricing import Priced, ranked

Ints = NDArray[np.int64]

MOST_LOOKED_AT = 1 << 18
"""So many groups are looked at a second time before the bound is left as it is."""


class Scan(Protocol):
    """Evaluates all groups of two tasks or more, in blocks of codes with the same high bits.

    A group that may not be chosen may count, since all that matters gets a second look.
    """

    n_blocks: int

    def error(self, prices: Prices) -> float:
        """Return how far the worth of a group may be off in :meth:`bests` and :meth:`collect`."""
        ...

    def bests(self, prices: Prices, control: Control) -> Floats | None:
        """Return the largest worth in each block, None if interrupted."""
        ...

    def refined(
        self, prices: Prices, blocks: Ints, bests: Floats, control: Control
    ) -> tuple[Floats, float] | None:
        """Return the largest worth in some blocks as exactly as can be, and how far it may be off.

        None if interrupted. ``bests`` holds what :meth:`bests` gave for these blocks.
        """
        ...

    def collect(
        self, prices: Prices, blocks: Ints, thresholds: Floats, most: int, exact: bool
    ) -> Ints | None:
        """Return the codes of all groups in some blocks above the block's threshold, None if too many.

        Parameters
        ----------
        exact
            Whether as exactly as :meth:`refined`.
        """
        ...


class Enumeration:
    """A pricer that looks at every group.

    Parameters
    ----------
    form
        The program.
    scan
        Evaluates the groups of two tasks or more; single tasks are looked at here.
    """

    def __init__(self, form: LatticeForm, scan: Scan) -> None:
        self.form, self.scan = form, scan
        self._bests: tuple[Prices, Floats] | None = None
        self._singles = np.eye(form.n_tasks, dtype=bool)

    def price(self, prices: Prices, count: int, least: float, control: Control) -> Priced:
        """Return good groups, the best of many blocks each, and the largest worth of all."""
        bests = self._scanned(prices, control)
        if bests is None:
            return Priced(np.zeros((0, self.form.n_tasks), dtype=bool), np.zeros(0), np.inf)
        slack = self.scan.error(prices)
        first = _largest(bests, count)
        codes = self.scan.collect(prices, first, bests[first] - slack, 64 * count, exact=False)
        found = self._rows(np.zeros(0, dtype=np.int64) if codes is None else codes)
        membership, worth = ranked(self.form, np.concatenate([self._singles, found]), prices)
        known = float(worth.max(initial=-np.inf))
        near = np.flatnonzero(bests > max(known - slack, POSSIBLE))
        better, bound = self._settle(prices, near, bests[near], known, control)
        membership, worth = ranked(self.form, np.concatenate([membership[:count], better]), prices)
        return Priced(membership, worth, bound)

    def above(self, prices: Prices, threshold: float, most: int, control: Control) -> Members | None:
        """Return every admitted group worth more than a threshold."""
        bests = self._scanned(prices, control)
        if bests is None:
            return None
        limit = threshold - self.scan.error(prices)
        blocks = np.flatnonzero(bests > limit)
        codes = self.scan.collect(prices, blocks, np.full(len(blocks), limit), most, exact=False)
        if codes is None:
            return None
        found = np.concatenate([self._singles, self._rows(codes)])
        membership, worth = ranked(self.form, found, prices)
        return membership[worth > threshold]

    def _scanned(self, prices: Prices, control: Control) -> Floats | None:
        """Return the largest worth of each block, from the last pass if its prices were these."""
        if self._bests is None or self._bests[0] is not prices:
            bests = self.scan.bests(prices, control)
            if bests is None:
                return None
            self._bests = (prices, bests)
        return self._bests[1]

    def _settle(
        self, prices: Prices, blocks: Ints, first: Floats, known: float, control: Control
    ) -> tuple[Members, float]:
        """Return the groups that beat the best known worth on the way to the largest, and a bound on it.

        Blocks are looked at again from the top, until none that is left can hold anything better.
        """
        better = [np.zeros((0, self.form.n_tasks), dtype=bool)]
        refined = self.scan.refined(prices, blocks, first, control)
        if refined is None:
            return better[0], np.inf
        bests, slack = refined
        # Where worth is all but exact, ties are not worth a look.
        fine = slack < 1e-11 * (np.abs(prices.serve).max() + np.abs(bests).max(initial=0.0))
        margin = slack if fine else -slack
        looked_at = 0
        for place in np.argsort(-bests, kind="stable"):
            if bests[place] <= known + margin:
                break
            if looked_at > MOST_LOOKED_AT:
                return np.concatenate(better), float(bests[place]) + slack
            limit = np.array([known + margin])
            codes = self.scan.collect(prices, blocks[place : place + 1], limit, 1 << 20, exact=True)
            rows = self._rows(np.zeros(0, dtype=np.int64) if codes is None else codes)
            looked_at += len(rows)
            members, exact = ranked(self.form, rows, prices)
            if len(exact) and exact[0] > known:
                known = float(exact[0])
                better.append(members[:1])
        return np.concatenate(better), known + (2 * slack if fine else 0.0)

    def _rows(self, codes: Ints) -> Members:
        """Turn codes into membership, that of no task left out."""
        codes = codes[codes > 0]
        return (codes[:, None] >> np.arange(self.form.n_tasks) & 1).astype(bool)


def _largest(values: Floats, count: int) -> Ints:
    """Return the indices of the largest values."""
    if count >= len(values):
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]
