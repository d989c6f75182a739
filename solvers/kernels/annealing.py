"""Compiled kernel of simulated annealing over groupings: for pools too large for exhaustive swaps.

Array conventions as in :mod:`solvers.kernels.relaxation`; rank-one changes and the evaluation of all
leaving groups at once follow the fast interchange of Whitaker (INFOR, 1983) for the p-median problem.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels.jit import kernel
from solvers.kernels.relaxation import Floats, Ints, Members

Floats2 = NDArray[np.float64]
Ints2 = NDArray[np.int64]


@kernel
def _draw(random: NDArray[np.uint64]) -> int:
    """Advance a xorshift generator (Marsaglia, 2003) and return 53 random bits."""
    word = random[0]
    word ^= word << np.uint64(13)
    word ^= word >> np.uint64(7)
    word ^= word << np.uint64(17)
    random[0] = word
    return int(word >> np.uint64(11))


@kernel
def _rank(
    t: int,
    holders: Ints2,
    worths: Floats2,
    held: Ints,
    floor: Floats,
    first: Floats,
    second: Floats,
    server: Ints,
    loss: Floats,
) -> float:
    """Find again the two best values of a task; return the change of the first one.

    ``held[t]`` chosen groups hold task t: row t of ``holders`` has their positions and ``worths`` the
    values they give it. ``loss``, the change of value when the group at a position leaves, follows.
    """
    before = first[t]
    if server[t] >= 0:
        loss[server[t]] -= second[t] - before
    best = floor[t]
    following = floor[t]
    by = -1
    for k in range(held[t]):
        worth = worths[t, k]
        if worth > best:
            following = best
            best = worth
            by = holders[t, k]
        elif worth > following:
            following = worth
    first[t] = best
    second[t] = following
    server[t] = by
    if by >= 0:
        loss[by] += following - best
    return float(best - before)


@kernel
def anneal(
    indptr: Ints,
    members: Members,
    serve: Floats,
    open_: Floats,
    cost: Floats,
    state: NDArray[np.int8],
    floor: Floats,
    limits: Ints,
    cap: float,
    chosen: Ints,
    count: int,
    best: Ints,
    record: float,
    temperatures: Floats,
    random: NDArray[np.uint64],
) -> tuple[int, float]:
    """Try one random entering group per temperature, with the group that leaves best.

    Not for partitions, nor where memberships are limited. Groups come in order of promise: the earlier
    ones are tried more often. Those in state −1 are not added, those in state 1 not removed. ``chosen``
    holds the groups at entry and exit. ``best`` receives every choice worth more than ``record``,
    preceded by its number; what a task is worth that nobody serves, ``floor`` tells. Returns the number
    of groups and the value of the best choice.
    """
    n_tasks = len(floor)
    n_groups = len(open_)
    slots = max(limits[0], count) + 1
    holders = np.empty((n_tasks, slots), dtype=np.int64)
    worths = np.empty((n_tasks, slots))
    held = np.zeros(n_tasks, dtype=np.int64)
    first = np.empty(n_tasks)
    second = np.empty(n_tasks)
    server = np.empty(n_tasks, dtype=np.int64)
    loss = np.zeros(slots)
    correction = np.zeros(slots)
    touched = np.empty(n_tasks, dtype=np.int64)
    taken = np.zeros(n_groups, dtype=np.bool_)
    value = 0.0
    spent = 0.0
    for t in range(n_tasks):
        first[t] = floor[t]
        second[t] = floor[t]
        server[t] = -1
        value += floor[t]
    entering = -1
    leaving = -1
    dropped = -1
    fill = count
    count = 0
    least = -1
    plain = not np.isfinite(cap)
    move = -fill
    while move < len(temperatures):
        if move < 0:
            # The first choices are made like later ones.
            entering = chosen[move + fill]
            leaving = -1
        elif dropped >= 0:
            entering = -1
            leaving = dropped
            dropped = -1
        else:
            # Of two draws the lesser: the odds fall in a straight line from the first group to the last.
            entering = min(_draw(random) % n_groups, _draw(random) % n_groups)
            leaving = -1
            if taken[entering] or state[entering] != 0:
                move += 1
                continue
            gain = open_[entering]
            met = 0
            for e in range(indptr[entering], indptr[entering + 1]):
                t = members[e]
                over = serve[e] - first[t]
                extra = 0.0
                if over > 0.0:
                    gain += over
                    extra = first[t] - second[t]
                elif serve[e] > second[t]:
                    extra = serve[e] - second[t]
                if extra > 0.0 and server[t] >= 0:
                    if correction[server[t]] == 0.0:
                        touched[met] = server[t]
                        met += 1
                    correction[server[t]] += extra
            change = -np.inf
            if count < limits[0] and spent + cost[entering] <= cap:
                change = gain
            if plain:
                if least >= 0 and gain + loss[least] + correction[least] > change:
                    change = gain + loss[least] + correction[least]
                    leaving = least
                for j in range(met):
                    i = touched[j]
                    if gain + loss[i] + correction[i] > change and state[chosen[i]] == 0:
                        change = gain + loss[i] + correction[i]
                        leaving = i
            else:
                for i in range(count):
                    total = gain + loss[i] + correction[i]
                    if (
                        total > change
                        and state[chosen[i]] == 0
                        and spent + cost[entering] - cost[chosen[i]] <= cap
                    ):
                        change = total
                        leaving = i
            for j in range(met):
                correction[touched[j]] = 0.0
            uniform = (_draw(random) + 1) * 2.0**-53
            if not change > temperatures[move] * np.log(uniform):
                move += 1
                continue
        if leaving >= 0:
            g = chosen[leaving]
            taken[g] = False
            value -= open_[g]
            spent -= cost[g]
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                k = 0
                while holders[t, k] != leaving:
                    k += 1
                held[t] -= 1
                holders[t, k] = holders[t, held[t]]
                worths[t, k] = worths[t, held[t]]
                value += _rank(t, holders, worths, held, floor, first, second, server, loss)
            if entering < 0:
                # The last position fills the gap.
                count -= 1
                if leaving < count:
                    g = chosen[count]
                    chosen[leaving] = g
                    loss[leaving] = loss[count]
                    for e in range(indptr[g], indptr[g + 1]):
                        t = members[e]
                        k = 0
                        while holders[t, k] != count:
                            k += 1
                        holders[t, k] = leaving
                        if server[t] == count:
                            server[t] = leaving
        if entering >= 0:
            position = leaving
            if leaving < 0:
                position = count
                count += 1
            chosen[position] = entering
            taken[entering] = True
            value += open_[entering]
            spent += cost[entering]
            loss[position] = -open_[entering]
            for e in range(indptr[entering], indptr[entering + 1]):
                t = members[e]
                holders[t, held[t]] = position
                worths[t, held[t]] = serve[e]
                held[t] += 1
                value += _rank(t, holders, worths, held, floor, first, second, server, loss)
            move += 1
        least = -1
        for i in range(count):
            if state[chosen[i]] == 0 and (least < 0 or loss[i] > loss[least]):
                least = i
        if move >= 0 and least >= 0 and count > limits[1] and loss[least] > 1e-12:
            dropped = least
        if move >= 0 and value > record + 1e-12:
            record = value
            best[0] = count
            for i in range(count):
                best[i + 1] = chosen[i]
    return count, record
