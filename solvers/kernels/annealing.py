"""Compiled simulated annealing over groupings: for pools too large for exhaustive swaps.

Array conventions as in :mod:`solvers.kernels.relaxation`; rank-one changes and the evaluation of all
leaving groups at once follow the fast interchange of Whitaker (INFOR, 1983) for the p-median problem.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.kernels.arrays import Floats, OutFloats, OutFloats2, OutInts, OutInts2, Random, Signs
from solvers.kernels.drawing import accepts, draw
from solvers.kernels.jit import inner, kernel
from solvers.kernels.programs import GroupArrays


class Service(NamedTuple):
    """Who serves each task.

    Attributes
    ----------
    floor
        Shape (N,): what a task is worth that nobody serves.
    holders, worths, held
        Shapes (N, slots), (N, slots) and (N,): the positions of the chosen groups that hold each task,
        the values they give it, and how many there are.
    first, second, server
        Shape (N,): the two best values of each task, and the position that gives the best, −1 for none.
    loss
        Shape (slots,): the change of value when the group at a position leaves.
    """

    floor: Floats
    holders: OutInts2
    worths: OutFloats2
    held: OutInts
    first: OutFloats
    second: OutFloats
    server: OutInts
    loss: OutFloats


@inner
def _rank(t: int, service: Service) -> float:
    """Find again the two best values of a task; return the change of the first one."""
    first, second, server, loss = service.first, service.second, service.server, service.loss
    before = first[t]
    if server[t] >= 0:
        loss[server[t]] -= second[t] - before
    best = service.floor[t]
    following = best
    by = -1
    for k in range(service.held[t]):
        worth = service.worths[t, k]
        if worth > best:
            following = best
            best = worth
            by = service.holders[t, k]
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
    groups: GroupArrays,
    state: Signs,
    floor: Floats,
    chosen: OutInts,
    count: int,
    best: OutInts,
    record: float,
    temperatures: Floats,
    random: Random,
) -> tuple[int, float]:
    """Try one random entering group per temperature, with the group that leaves best.

    Not for partitions, nor where memberships are limited. Groups come in order of promise: the earlier
    ones are tried more often. Those in state −1 are not added, those in state 1 not removed. ``chosen``
    holds the groups at entry and exit. ``best`` receives every choice worth more than ``record``,
    preceded by its number; what a task is worth that nobody serves, ``floor`` tells. Returns the number
    of groups and the value of the best choice.
    """
    indptr, members, serve, cost = groups.indptr, groups.members, groups.serve, groups.cost
    n_tasks = len(floor)
    n_groups = len(cost)
    slots = max(groups.most, count) + 1
    holders = np.empty((n_tasks, slots), dtype=np.int64)
    worths = np.empty((n_tasks, slots))
    held = np.zeros(n_tasks, dtype=np.int64)
    first = np.empty(n_tasks)
    second = np.empty(n_tasks)
    server = np.empty(n_tasks, dtype=np.int64)
    loss = np.zeros(slots)
    correction = np.zeros(slots)
    touched = np.empty(n_tasks, dtype=np.int64)
    service = Service(floor, holders, worths, held, first, second, server, loss)
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
    plain = not np.isfinite(groups.cap)
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
            entering = min(draw(random, n_groups), draw(random, n_groups))
            leaving = -1
            if taken[entering] or state[entering] != 0:
                move += 1
                continue
            gain = groups.opening[entering]
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
            if count < groups.most and spent + cost[entering] <= groups.cap:
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
                        and spent + cost[entering] - cost[chosen[i]] <= groups.cap
                    ):
                        change = total
                        leaving = i
            for j in range(met):
                correction[touched[j]] = 0.0
            if not accepts(random, change, temperatures[move]):
                move += 1
                continue
        if leaving >= 0:
            g = chosen[leaving]
            taken[g] = False
            value -= groups.opening[g]
            spent -= cost[g]
            for e in range(indptr[g], indptr[g + 1]):
                t = members[e]
                k = 0
                while holders[t, k] != leaving:
                    k += 1
                held[t] -= 1
                holders[t, k] = holders[t, held[t]]
                worths[t, k] = worths[t, held[t]]
                value += _rank(t, service)
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
            value += groups.opening[entering]
            spent += cost[entering]
            loss[position] = -groups.opening[entering]
            for e in range(indptr[entering], indptr[entering + 1]):
                t = members[e]
                holders[t, held[t]] = position
                worths[t, held[t]] = serve[e]
                held[t] += 1
                value += _rank(t, service)
            move += 1
        least = -1
        for i in range(count):
            if state[chosen[i]] == 0 and (least < 0 or loss[i] > loss[least]):
                least = i
        if move >= 0 and least >= 0 and count > groups.least and loss[least] > 1e-12:
            dropped = least
        if move >= 0 and value > record + 1e-12:
            record = value
            best[0] = count
            for i in range(count):
                best[i + 1] = chosen[i]
    return count, record
