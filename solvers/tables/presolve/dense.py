"""NumPy kernels: the same relaxation and local search as the compiled ones, nothing to compile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.problem.program import Program
from engine.solving.control import Control
from solvers.kernels.programs import FIRST_STEP, LEAST_STEP, MOMENTUM, PATIENCE, STEP_DECAY
from solvers.tables.presolve.interface import Ascent, Fixing, Floats, Ints, Multipliers, uncovered_worth
from solvers.tables.presolve.prices import dual_of, multipliers_of, prices_of


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
        self.state = program.mandatory.astype(np.int8)
        self.floor = uncovered_worth(program)
        self._control = control
        shape = (program.n_groups, program.n_tasks)
        self._serve = np.full(shape, -np.inf)
        self._serve[program.entry_groups, program.members] = program.serve
        self._member = np.zeros(shape)
        self._member[program.entry_groups, program.members] = 1.0
        self._dual = dual_of(program)
        self._shared = program.max_memberships is not None and not program.is_partition
        self._scratch = np.empty(shape)
        self._ones = np.ones(program.n_tasks)
        self._totals = (
            np.bincount(program.entry_groups, program.serve, program.n_groups)
            if program.is_partition
            else np.zeros(0)
        )

    def ascend(self, at: Multipliers, target: float, enough: float, iterations: int) -> Ascent:
        """Tighten the Lagrangian bound by Polyak steps; see :func:`solvers.kernels.relaxation.ascend`."""
        program, (supply, low, high) = self.program, self._dual
        n_tasks, capped = program.n_tasks, np.isfinite(program.max_cost)
        forced, free = np.flatnonzero(self.state > 0), np.flatnonzero(self.state == 0)
        prices = prices_of(at)
        best, bound = prices, np.inf
        frequency = np.zeros(program.n_groups)
        momentum = np.where(np.arange(len(prices)) < n_tasks, MOMENTUM, 0.0)
        direction = np.zeros(len(prices))
        theta, stale = FIRST_STEP, 0
        for iteration in range(iterations):
            values = self._reduced(prices)
            chosen = self._chosen(values, forced, free)
            if chosen is None:
                return Ascent(-np.inf, at, values, frequency)
            total = float(prices @ supply) + float(values[chosen].sum())
            frequency[chosen] += 1.0
            if iteration % 8 == 7:
                frequency *= 0.7
            stale += 1
            if total < bound - 1e-12 * abs(total):
                stale = 0 if bound - total > 1e-3 * (bound - target) else stale
                bound, best = total, prices
                if bound <= enough or self._control.should_stop():
                    break
            if stale >= PATIENCE:
                theta, stale = STEP_DECAY * theta, 0
                if theta < LEAST_STEP:
                    break
            slope = supply.copy()
            served = self._member[chosen] if program.is_partition else self._serve[chosen] > prices[:n_tasks]
            slope[:n_tasks] -= served.sum(axis=0)
            if self._shared:
                slope[n_tasks:-1] -= self._member[chosen].sum(axis=0)
            if capped:
                slope[-1] -= program.cost[chosen].sum()
            slope[(slope > 0) & (prices <= low)] = 0.0
            direction = slope + momentum * direction
            norm = float(direction @ direction)
            if norm <= 1e-30:
                break
            step = theta * max(total - target, 1e-12) / norm
            prices = np.minimum(np.maximum(prices - step * direction, low), high)
        return Ascent(bound, multipliers_of(best), self._reduced(best), frequency)

    def fix(self, ascent: Ascent, enough: float) -> Fixing | None:
        """Drop and force groups and pairs; see :func:`solvers.kernels.relaxation.fix`."""
        program, values = self.program, ascent.values
        forced, free = np.flatnonzero(self.state > 0), np.flatnonzero(self.state == 0)
        chosen = self._chosen(values, forced, free)
        if chosen is None or ascent.bound <= enough:
            return None
        taken = np.zeros(program.n_groups, dtype=bool)
        taken[chosen] = True
        last = float(values[chosen[len(forced) :]].min(initial=np.inf))
        following = float(values[~taken & (self.state == 0)].max(initial=-np.inf))
        # Below the room, groups of no worth chosen to reach the least number give way too.
        give_way = last if len(chosen) >= program.max_groups else min(last, 0.0)
        replaced = following if len(chosen) <= program.min_groups else max(0.0, following)
        with_group = np.where(taken, ascent.bound, ascent.bound + values - give_way)
        keep = (taken | (with_group > enough)) & (self.state >= 0)
        needed = taken & (self.state == 0)
        needed[needed] = ascent.bound - values[needed] + replaced <= enough
        entries = np.ones(len(program.members), dtype=bool)
        if not program.is_partition:
            loss = np.minimum(program.serve - ascent.at.u[program.members], 0.0)
            entries = (loss >= 0) | (with_group[program.entry_groups] + loss > enough)
        return Fixing(keep, (self.state > 0) | needed, entries)

    def _reduced(self, prices: Floats) -> Floats:
        """Return the value of choosing each group at some prices, shape (K,)."""
        program, n_tasks = self.program, self.program.n_tasks
        u, mu, lam = prices[:n_tasks], prices[n_tasks:-1], prices[-1]
        if program.is_partition:
            values = self._totals - self._member @ u
        else:
            np.subtract(self._serve, u, out=self._scratch)
            values = np.maximum(self._scratch, 0.0, out=self._scratch) @ self._ones
            if self._shared:
                values -= self._member @ mu
        values += program.open
        if lam:
            values -= lam * program.cost
        values[self.state < 0] = -np.inf
        return values

    def _chosen(self, values: Floats, forced: Ints, free: Ints) -> Ints | None:
        """Return the forced groups and the free ones of the largest values, None if there are too few."""
        program, worth = self.program, values[free]
        room = program.max_groups - len(forced)
        positive = int(np.count_nonzero(worth > 0))
        wanted = min(room, max(positive, program.min_groups - len(forced)))
        if wanted > len(free) or room < 0:
            return None
        if wanted == positive:
            picked = np.flatnonzero(worth > 0)
        elif wanted < len(free):
            picked = np.argpartition(-worth, wanted)[:wanted]
        else:
            picked = np.arange(len(free))
        return np.concatenate([forced, free[picked]])

    def improve(self, chosen: Ints, allowed: NDArray[np.bool_], floor: Floats, steps: int) -> Ints:
        """Search locally by best add, drop or swap; see :func:`solvers.kernels.moves.improve`."""
        program = self.program
        candidates = np.flatnonzero(allowed & (self.state == 0))
        serve, opening = self._serve[candidates], program.open[candidates]
        scratch = np.empty_like(serve)
        current = list(dict.fromkeys([*np.flatnonzero(self.state > 0).tolist(), *chosen.tolist()]))
        taken = np.zeros(program.n_groups, dtype=bool)
        for _ in range(steps):
            if self._control.should_stop():
                break
            held = np.array(current, dtype=np.int64)
            taken[held] = True
            stacked = np.vstack([floor, floor, self._serve[held]])
            second, first = np.partition(stacked, -2, axis=0)[-2:]
            # Who serves each task, and so what each group's leaving would lose.
            own = (stacked[2:] == first) & (first > floor)
            own &= np.cumsum(own, axis=0) == 1
            servers = own.astype(np.float64)
            loss = -program.open[held] - servers @ (first - second)
            np.subtract(serve, first, out=scratch)
            gain = np.maximum(scratch, 0.0, out=scratch) @ self._ones + opening
            np.minimum(np.maximum(serve, second, out=scratch), first, out=scratch)
            np.subtract(scratch, second, out=scratch)
            swap = gain[:, None] + loss + scratch @ servers.T
            gain, swap = self._within_limits(gain, swap, held, candidates)
            swap[:, self.state[held] > 0] = -np.inf
            gain[taken[candidates]] = -np.inf
            swap[taken[candidates]] = -np.inf
            drop = np.where((self.state[held] > 0) | (len(held) <= program.min_groups), -np.inf, loss)
            best = max(gain.max(initial=-np.inf), swap.max(initial=-np.inf), drop.max(initial=-np.inf))
            if not best > 1e-12:
                break
            if drop.max(initial=-np.inf) == best:
                taken[current.pop(int(drop.argmax()))] = False
            elif gain.max(initial=-np.inf) == best:
                current.append(int(candidates[gain.argmax()]))
            else:
                entering, leaving = divmod(int(swap.argmax()), len(held))
                taken[current[leaving]] = False
                current[leaving] = int(candidates[entering])
        return np.array(current, dtype=np.int64)

    def _within_limits(
        self, gain: Floats, swap: Floats, held: Ints, candidates: Ints
    ) -> tuple[Floats, Floats]:
        """Put −inf where an addition or exchange breaks a limit on number, cost or memberships."""
        program, shares = self.program, self.program.max_memberships
        if len(held) >= program.max_groups:
            gain = np.full_like(gain, -np.inf)
        if np.isfinite(program.max_cost):
            spent, cost = float(program.cost[held].sum()), program.cost[candidates]
            gain[spent + cost > program.max_cost] = -np.inf
            swap[spent + cost[:, None] - program.cost[held] > program.max_cost] = -np.inf
        if shares is not None:
            member, loads = self._member[candidates], self._member[held].sum(axis=0)
            gain[(member @ (loads >= shares)) > 0] = -np.inf
            crowded = (loads - self._member[held] >= shares).astype(np.float64)
            swap[(member @ crowded.T) > 0] = -np.inf
        return gain, swap

    def pack(self, order: Ints) -> Ints:
        """Choose disjoint groups in a given order of preference, the forced ones first."""
        program, state = self.program, self.state[order]
        taken = np.zeros(program.n_tasks, dtype=bool)
        chosen: list[int] = []
        spent = 0.0
        for group in np.concatenate([order[state > 0], order[state == 0]]).tolist():
            if len(chosen) >= program.max_groups:
                break
            if spent + program.cost[group] > program.max_cost:
                continue
            at = program.members[program.indptr[group] : program.indptr[group + 1]]
            if not taken[at].any():
                taken[at] = True
                chosen.append(group)
                spent += float(program.cost[group])
        return np.array(chosen, dtype=np.int64)

    def settle(self, penalty: Floats) -> bool:
        """Drop what the forced groups exclude; see :func:`solvers.kernels.settling.settle`."""
        program, state = self.program, self.state
        forced = state > 0
        count, spent = int(forced.sum()), float(program.cost[forced].sum())
        loads = forced @ self._member
        shares = np.inf if program.max_memberships is None else program.max_memberships
        if count > program.max_groups or spent > program.max_cost or (loads > shares).any():
            return False
        able = np.isfinite(self._serve)
        waiting = np.isinf(penalty) & ~able[forced].any(axis=0)
        free = state == 0
        after = spent + program.cost
        last = np.full(program.n_groups, count + 1 == program.max_groups)
        last |= after + program.cost[free].min(initial=np.inf) > program.max_cost
        excluded = np.full(program.n_groups, count == program.max_groups) | (after > program.max_cost)
        excluded |= self._member @ (loads >= shares) > 0
        excluded |= last & (able @ waiting.astype(np.float64) < waiting.sum())
        state[free & excluded] = -1
        free &= ~excluded
        covered = able[free].any(axis=0) | ~waiting
        return bool(covered.all()) and count + int(free.sum()) >= program.min_groups

    def worth(self, chosen: Ints, penalty: Floats) -> float:
        """Return the value of a choice less the penalties; see :func:`solvers.kernels.settling.worth`."""
        best = np.maximum(self._serve[chosen].max(axis=0, initial=-np.inf), -penalty)
        if self.program.is_partition:
            held = self._member[chosen].any(axis=0)
            best[held] = self._serve[chosen].max(axis=0, initial=-np.inf)[held]
        return float(best.sum() + self.program.open[chosen].sum())
