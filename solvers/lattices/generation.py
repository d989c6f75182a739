"""Column generation over the lattice: prices, the groups they favour, and a proof."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.solving.certificate import Termination
from engine.solving.control import Control
from solvers.lattices.core import NOTHING, Chosen, choose, judged, prove
from solvers.lattices.form import LatticeForm, Members, Prices
from solvers.lattices.master import Master, RelaxedMaster
from solvers.lattices.means import Means
from solvers.lattices.pool import Ints, Pool

TOLERANCE = 1e-9
"""Relative to the magnitude of values: what worth counts, and how close a bound must come."""

COLUMNS = 80
"""So many columns enter the master at once."""

STARTS = 40
"""So many climbs start at once."""

CANDIDATES = 400
"""So many groups are looked at for a good grouping."""

SEARCHED_GROUPS, NODES = 2000, 2000
"""So many groups and nodes go into an exact search where nothing else gave a good grouping."""

CORE_GROUPS = 20_000
"""Up to so many groups that may still matter are listed and searched exactly."""

EARLY_CORE_GROUPS = 1000
"""The same before the prices have converged."""

STALL = 1e-7
MOST_STALLED = 8
"""The master counts as converged where its value rises by less than this, relatively, so many times."""

TURNS_BETWEEN_CHOICES = 25
"""A grouping is looked for every so many turns, in case the time ends before the master converges."""

SMOOTHING = 0.5
"""How much of the last prices remains in those at which groups are sought."""


class Generation:
    """Column generation for one budget.

    Parameters
    ----------
    form
        The program.
    means
        How groups and partitions are found.
    pool
        Groups known so far, of other budgets too; holds the forced ones.
    control
        Limits, and where groupings and bounds are told.
    """

    def __init__(self, form: LatticeForm, means: Means, pool: Pool, control: Control) -> None:
        self.form, self.means, self.pool, self.control = form, means, pool, control
        finite = np.abs(pool.values[np.isfinite(pool.values)])
        self.scale = max(form.magnitude, float(finite.max(initial=0.0)))
        self.master = Master(form, self.scale)
        self.known: Chosen = NOTHING
        self.bound = control.bound
        self.passes = 0
        self.core_groups = 0
        self.gap = Termination.TOLERANCE
        self._rng = np.random.default_rng(control.seed)
        self._center: Prices | None = None

    @property
    def tolerance(self) -> float:
        """Differences of value up to this do not count."""
        return TOLERANCE * self.scale

    @property
    def closed(self) -> bool:
        """Whether the best known grouping is proven optimal."""
        return self.bound <= self.known.value + self.tolerance

    @property
    def details(self) -> dict[str, Any]:
        """What to tell of the run."""
        return {
            "pricing_passes": self.passes,
            "known_groups": len(self.pool),
            "core_groups": self.core_groups,
        }

    def offer(self, chosen: Chosen) -> None:
        """Take a grouping if it is the best."""
        if chosen.membership is not None and chosen.value > self.known.value:
            self.known = chosen
            self.control.incumbent(chosen.membership, chosen.value)

    def run(self) -> None:
        """Generate until the gap is closed, time is up or nothing is found."""
        self._begin()
        idle, before = 0, (np.inf, np.inf)
        while not self.control.should_stop():
            relaxed = self._converge()
            if relaxed is None or self.control.should_stop():
                self.gap = Termination.UNKNOWN
                break
            self._choose(relaxed)
            prices = relaxed.prices
            priced = self.means.pricer.price(prices, COLUMNS, relaxed.each, self.control)
            self.passes += 1
            self._tighten(self._lagrangian(prices, priced.bound))
            if self.closed:
                break
            entered = self._enter(self.pool.add(priced.membership), relaxed)
            entered |= self._enter(np.arange(len(self.pool)), relaxed)
            # Rounding in the master may let groups enter for ever that change nothing.
            idle = idle + 1 if before == (relaxed.value, self.bound) else 0
            before = (relaxed.value, self.bound)
            entered &= idle < MOST_STALLED
            if self._finish(prices, priced.bound, EARLY_CORE_GROUPS if entered else CORE_GROUPS):
                break
            if not entered:
                if self._choose_exactly(relaxed):
                    self._finish(prices, priced.bound, CORE_GROUPS)
                break

    def _begin(self) -> None:
        """Fill the master with what is known."""
        form = self.form
        self._add_forced(form.forced & form.is_partition)
        lowest = Prices(np.full(form.n_tasks, -4.0 * self.scale), np.zeros(form.n_tasks))
        places = np.arange(len(self.pool))
        self._add(places, self.pool.served(places, lowest))

    def _add_forced(self, served: Members) -> None:
        """Let each of the forced groups serve some tasks."""
        forced = self.form.forced
        totals = np.where(served, self.form.values(forced), 0.0).sum(axis=1)
        for index in range(len(forced)):
            one = slice(index, index + 1)
            self.master.add(forced[one], served[one], totals[one], index)

    def _add(self, places: Ints, served: Members) -> None:
        totals = np.where(served, self.pool.values[places], 0.0).sum(axis=1)
        self.master.add(self.pool.membership[places], served, totals)

    def _enter(self, places: Ints, relaxed: RelaxedMaster) -> bool:
        """Add those of some groups to the master that improve it, the best; return whether there are any."""
        if not len(places):
            return False
        form, pool, prices = self.form, self.pool, relaxed.prices
        worth = form.worth(pool.membership[places], pool.values[places], prices)
        good = np.flatnonzero(worth > relaxed.each + self.tolerance)
        good = good[np.argsort(-worth[good], kind="stable")][:COLUMNS]
        if len(good):
            self._add(places[good], pool.served(places[good], prices))
        return bool(len(good))

    def _converge(self) -> RelaxedMaster | None:
        """Generate columns by local search until it finds no more."""
        previous, stalled, turn = np.inf, 0, 0
        while True:
            turn += 1
            relaxed = self.master.solve()
            if relaxed is None or self.control.should_stop():
                return relaxed
            if turn % TURNS_BETWEEN_CHOICES == 0 or self.known.membership is None:
                self._choose(relaxed)
            improved = abs(relaxed.value - previous) > STALL * self.scale
            stalled, previous = 0 if improved else stalled + 1, relaxed.value
            if stalled > MOST_STALLED:
                return relaxed
            if len(self.form.forced) and improved and not self.form.is_partition:
                self._add_forced(self.form.values(self.form.forced) > relaxed.prices.serve)
            entered = self._enter(np.arange(len(self.pool)), relaxed)
            if entered and not stalled:
                continue
            starts = self._starts(relaxed)
            for prices in self._smoothed(relaxed.prices):
                climbed = self._enter(self.pool.add(self.means.climber.climb(starts, prices)), relaxed)
                entered |= climbed
                if climbed:
                    break
            if not entered:
                return relaxed

    def _smoothed(self, prices: Prices) -> list[Prices]:
        """Return the prices to search at: smoothed first, since those of the master swing (Wentges, 1997)."""
        center = self._center
        if center is None:
            self._center = prices
            return [prices]
        mixed = Prices(
            SMOOTHING * center.serve + (1 - SMOOTHING) * prices.serve,
            SMOOTHING * center.hold + (1 - SMOOTHING) * prices.hold,
        )
        self._center = mixed
        return [mixed, prices]

    def _starts(self, relaxed: RelaxedMaster) -> Members:
        """Return where climbs start: at the groups worth most, and at random ones."""
        pool = self.pool
        worth = pool.worth(relaxed.prices)
        best = np.argsort(-worth, kind="stable")[: STARTS // 2]
        random = self._rng.random((STARTS - len(best), self.form.n_tasks)) < self._rng.random(
            (STARTS - len(best), 1)
        )
        return np.concatenate([pool.membership[best], random[random.any(axis=1)]])

    def _choose(self, relaxed: RelaxedMaster) -> None:
        """Look for a grouping among the groups worth most; for partitions, between them."""
        pool, form = self.pool, self.form
        best = np.argsort(-pool.worth(relaxed.prices), kind="stable")[:CANDIDATES]
        partitions = self.means.partitions
        if partitions is not None:
            starts = [pool.membership[best]]
            if self.known.membership is not None:
                starts.append(self.known.membership)
            for seed, start in enumerate(starts):
                groups = partitions.search(
                    start, form.limits.min_groups, form.max_groups, self.control.seed + seed
                )
                self._enter(pool.add(groups), relaxed)
                if form.admitted(groups, form.values(groups)).all() and form.holds(groups):
                    self.offer(judged(form, groups))
        self.offer(choose(form, self._with_known(pool.membership[best]), self.known, self.control))

    def _choose_exactly(self, relaxed: RelaxedMaster) -> bool:
        """Search the groups worth most exactly; return whether that betters the best known grouping."""
        before = self.known.value
        best = np.argsort(-self.pool.worth(relaxed.prices), kind="stable")[:SEARCHED_GROUPS]
        groups = self._with_known(self.pool.membership[best])
        self.offer(prove(self.form, groups, self.known, self.control, NODES))
        return self.known.value > before

    def _with_known(self, groups: Members) -> Members:
        """Return some groups with the forced ones and those of the best known grouping, each once."""
        held = [groups, self.form.forced]
        if self.known.membership is not None:
            held.append(self.known.membership)
        return np.unique(np.concatenate(held), axis=0)

    def _lagrangian(self, prices: Prices, worth: float) -> float:
        """Return the bound that prices prove, given the largest worth of any group."""
        fixed = self._fixed(prices)
        most, least = self._free_groups()
        if worth == -np.inf:
            return -np.inf if least else fixed
        return fixed + (most * worth if worth > 0 else least * worth if least else 0.0)

    def _fixed(self, prices: Prices) -> float:
        """Return what the prices are worth without any but the forced groups."""
        form = self.form
        held = form.limits.max_memberships
        shares = 0.0 if held is None or held == 1 else held * math.fsum(prices.hold)
        forced = form.worth(form.forced, form.values(form.forced), prices)
        return math.fsum([*prices.serve, shares, *forced])

    def _free_groups(self) -> tuple[int, int]:
        """Return how many groups may and must be chosen beside the forced ones."""
        forced = len(self.form.forced)
        return self.form.max_groups - forced, max(0, self.form.limits.min_groups - forced)

    def _tighten(self, bound: float) -> None:
        if bound < self.bound:
            self.bound = bound
            self.control.tighten(max(bound, self.known.value))

    def _finish(self, prices: Prices, worth: float, most: int) -> bool:
        """List the groups that a better grouping can hold and search them exactly.

        A grouping that holds a group of worth w is worth at most what the prices prove with w in the
        place of one group of the largest worth.
        """
        value, slack = self.known.value, 0.5 * self.tolerance
        if self.known.membership is None and not self.form.weights.any():
            # Where nothing counts but that every task is served, any grouping is worth 0.
            value, slack = -self.tolerance, 0.0
        if not (np.isfinite(value) and np.isfinite(worth)):
            self.gap = Termination.NO_BOUND if worth == np.inf else Termination.NODE_LIMIT
            return False
        free, least = self._free_groups()
        others = (free - 1) * worth if worth > 0 else max(least - 1, 0) * worth
        threshold = value - self._fixed(prices) - others + slack
        groups = self.means.pricer.above(prices, threshold, most, self.control)
        if groups is None:
            self.gap = Termination.NODE_LIMIT
            return False
        self.core_groups = len(groups)
        self.pool.add(groups)
        before = self.known.value
        proven = prove(self.form, self._with_known(groups), self.known, self.control)
        self.offer(proven)
        self.gap = Termination.TIME_LIMIT if proven.out_of_time else Termination.TOLERANCE
        self._tighten(max(proven.bound, before + slack))
        return True
