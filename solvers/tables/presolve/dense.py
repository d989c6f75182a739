"""NumPy kernels: the same relaxation and local search as the compiled ones, nothing to compile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.tables.presolve.interface import (
    FIRST_STEP,
    LARGEST_PRICE,
    LEAST_STEP,
    MOMENTUM,
    PATIENCE,
    STEP_DECAY,
    Ascent,
    Fixing,
    Multipliers,
    uncovered_worth,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class DenseKernels:
    """Kernels on a K×N matrix; for programs of moderate size.

    Parameters
    ----------
    program
        What to work on.
    control
        Ends the work early.
    """

    def __init__(self, program: Program, control: Control) -> None:
        self.program = program
        self._control = control
        self.forced = program.mandatory.copy()
        self.floor = uncovered_worth(program)
        shape = (program.n_groups, program.n_tasks)
        self.serve = np.full(shape, -np.inf)
        self.serve[program.entry_groups, program.members] = program.serve
        self.member = np.zeros(shape)
        self.member[program.entry_groups, program.members] = 1.0
        self._margin = np.empty(shape)
        self._ones = np.ones(program.n_tasks)
        self._rigid_value = (
            np.bincount(program.entry_groups, program.serve, program.n_groups)
            if program.is_partition
            else np.zeros(0)
        )

    def reduced(self, at: Multipliers) -> Floats:
        """Return the value of choosing each group under the multipliers, shape (K,)."""
        program = self.program
        if program.is_partition:
            values = self._rigid_value - self.member @ at.u
        else:
            np.subtract(self.serve, at.u, out=self._margin)
            np.maximum(self._margin, 0.0, out=self._margin)
            values = self._margin @ self._ones
            if program.max_memberships is not None:
                values -= self.member @ at.mu
        values += program.open
        if at.lam:
            values -= at.lam * program.cost
        return values

    def select(self, values: Floats) -> tuple[Ints, float, float] | None:
        """Choose the forced groups and the best free ones; see the compiled ``select``."""
        program = self.program
        forced = np.flatnonzero(self.forced)
        free = np.flatnonzero(~self.forced)
        room = program.max_groups - len(forced)
        need = max(0, program.min_groups - len(forced))
        wanted = min(room, max(int((values[free] > 0).sum()), need))
        if wanted > len(free) or room < 0:
            return None
        if wanted <= 0:
            following = float(values[free].max(initial=-np.inf))
            return forced, (np.inf if room <= 0 else 0.0), following
        order = free[np.argsort(-values[free], kind="stable")]
        following = float(values[order[wanted]]) if wanted < len(order) else -np.inf
        last = float(values[order[wanted - 1]])
        # Below the room, groups of no worth chosen to reach the least number give way too.
        give_way = last if wanted == room else min(last, 0.0)
        replaced = following if wanted <= need else max(0.0, following)
        return np.concatenate([forced, order[:wanted]]), give_way, replaced

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound by Polyak steps; see the compiled ``ascend``."""
        program = self.program
        capped = np.isfinite(program.max_cost)
        shares = None if program.is_partition else program.max_memberships
        now, best = at, at
        bound = np.inf
        frequency = np.zeros(program.n_groups)
        direction = np.zeros(program.n_tasks)
        theta, stale = FIRST_STEP, 0
        for iteration in range(iterations):
            values = self.reduced(now)
            selection = self.select(values)
            if selection is None:
                return Ascent(-np.inf, at, values, frequency)
            chosen = selection[0]
            total = now.u.sum() + values[chosen].sum()
            total += 0.0 if shares is None else shares * now.mu.sum()
            total += now.lam * program.max_cost if capped else 0.0
            frequency[chosen] += 1.0
            if iteration % 8 == 7:
                frequency *= 0.7
            served = (self.member[chosen] if program.is_partition else (self.serve[chosen] > now.u)).sum(
                axis=0
            )
            if total < bound - 1e-12 * abs(total):
                stale = 0 if bound - total > 1e-3 * (bound - target) else stale + 1
                bound, best = float(total), now
                if bound <= enough or self._control.should_stop():
                    break
            else:
                stale += 1
            if stale >= PATIENCE:
                theta, stale = STEP_DECAY * theta, 0
                if theta < LEAST_STEP:
                    break
            direction = 1.0 - served + MOMENTUM * direction
            norm = float(direction @ direction)
            slope_mu = np.zeros(program.n_tasks)
            if shares is not None:
                slope_mu = shares - self.member[chosen].sum(axis=0)
                slope_mu[(slope_mu > 0) & (now.mu <= 0)] = 0.0
                norm += float(slope_mu @ slope_mu)
            slack = 0.0
            if capped:
                slack = program.max_cost - float(program.cost[chosen].sum())
                if slack > 0 and now.lam <= 0:
                    slack = 0.0
                norm += slack * slack
            if norm <= 1e-30:
                break
            step = theta * max(total - target, 1e-12) / norm
            now = Multipliers(
                np.clip(now.u - step * direction, self.floor, -self.floor),
                np.clip(now.mu - step * slope_mu, 0.0, -self.floor),
                min(
                    max(0.0, now.lam - step * slack), -LARGEST_PRICE * float(self.floor[0]) / program.max_cost
                ),
            )
        return Ascent(bound, best, self.reduced(best), frequency)

    def probe(self, at: Multipliers, group: int, target: float, enough: float, iterations: int) -> float:
        """Bound the solutions that hold a group."""
        before = self.forced[group]
        self.forced[group] = True
        bound = self.ascend(at, target, enough, iterations).bound
        self.forced[group] = before
        return bound

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Drop and force groups and pairs by their reduced values; see the compiled ``fix``."""
        program = self.program
        selection = self.select(ascent.values)
        if selection is None or ascent.bound <= enough:
            return None
        chosen, give_way, replaced = selection
        taken = np.zeros(program.n_groups, dtype=bool)
        taken[chosen] = True
        with_group = np.where(taken, ascent.bound, ascent.bound + ascent.values - give_way)
        keep = taken | (with_group > enough)
        forced = program.mandatory | (taken & (ascent.bound - ascent.values + replaced <= enough))
        entries = np.ones(len(program.members), dtype=bool)
        if not program.is_partition:
            loss = np.minimum(program.serve - ascent.at.u[program.members], 0.0)
            entries = (loss >= 0) | (with_group[program.entry_groups] + loss > enough)
        return Fixing(keep, forced, entries)

    def improve(self, chosen: Ints, allowed: NDArray[np.bool_], floor: Floats, steps: int) -> Ints:
        """Search locally by best add, drop or swap; see the compiled ``improve``."""
        program = self.program
        candidates = np.flatnonzero(allowed & ~program.mandatory)
        serve = self.serve[candidates]
        current = list(dict.fromkeys([*np.flatnonzero(program.mandatory).tolist(), *chosen.tolist()]))
        shares = program.max_memberships
        for _ in range(steps):
            if self._control.should_stop():
                break
            held = np.array(current, dtype=np.int64)
            stacked = np.vstack([floor, floor, self.serve[held]])
            order = np.sort(stacked, axis=0)
            first, second = order[-1], order[-2]
            server = stacked.argmax(axis=0) - 2
            own = np.zeros((len(held), program.n_tasks))
            served = np.flatnonzero(server >= 0)
            own[server[served], served] = 1.0
            loss = -program.open[held] - own @ (first - second)
            over = np.maximum(serve - first, 0.0)
            gain = over @ self._ones + program.open[candidates]
            swap = gain[:, None] + loss + (np.maximum(serve - second, 0.0) - over) @ own.T
            spent = float(program.cost[held].sum())
            gain = np.where(
                (len(held) < program.max_groups) & (spent + program.cost[candidates] <= program.max_cost),
                gain,
                -np.inf,
            )
            gain[np.isin(candidates, held)] = -np.inf
            swap[np.isin(candidates, held)] = -np.inf
            swap[:, program.mandatory[held]] = -np.inf
            if np.isfinite(program.max_cost):
                after = spent + program.cost[candidates][:, None] - program.cost[held]
                swap[after > program.max_cost] = -np.inf
            if shares is not None:
                member, loads = self.member[candidates], self.member[held].sum(axis=0)
                gain[(member @ (loads >= shares)) > 0] = -np.inf
                for index, group in enumerate(held):
                    crowded = (loads - self.member[group] >= shares).astype(float)
                    swap[(member @ crowded) > 0, index] = -np.inf
            drop = np.where(program.mandatory[held] | (len(held) <= program.min_groups), -np.inf, loss)
            best = max(gain.max(initial=-np.inf), swap.max(initial=-np.inf), drop.max(initial=-np.inf))
            if not best > 1e-12:
                break
            if drop.max(initial=-np.inf) == best:
                current.pop(int(drop.argmax()))
            elif gain.max(initial=-np.inf) == best:
                current.append(int(candidates[gain.argmax()]))
            else:
                entering, leaving = np.unravel_index(int(swap.argmax()), swap.shape)
                current[int(leaving)] = int(candidates[entering])
        return np.array(current, dtype=np.int64)

    def pack(self, order: Ints) -> Ints:
        """Choose disjoint groups in a given order of preference, the forced ones first."""
        program = self.program
        forced = program.mandatory[order]
        taken = np.zeros(program.n_tasks, dtype=bool)
        chosen: list[int] = []
        spent = 0.0
        for group in np.concatenate([order[forced], order[~forced]]).tolist():
            at = program.members[program.indptr[group] : program.indptr[group + 1]]
            if len(chosen) >= program.max_groups or spent + program.cost[group] > program.max_cost:
                continue
            if not taken[at].any():
                taken[at] = True
                chosen.append(group)
                spent += float(program.cost[group])
        return np.array(chosen, dtype=np.int64)
